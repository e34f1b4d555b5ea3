#if Server
package import OctantModel
package import OctantService
import SwiftProtobuf

/// A call as the transport hands it over: routed, its message complete and decompressed.
package struct GRPCCall: Sendable {
    /// The bytes of the request message.
    package var message: [UInt8]
    /// When the request was complete.
    package var start: ContinuousClock.Instant
    /// When the caller stops waiting, from `grpc-timeout`.
    package var deadline: ContinuousClock.Instant?

    /// A call.
    package init(message: [UInt8], start: ContinuousClock.Instant = .now, deadline: ContinuousClock.Instant? = nil) {
        self.message = message
        self.start = start
        self.deadline = deadline
    }

    /// Seconds from the start of the call to now: `time` of its answer.
    package var seconds: Double { start.elapsedSeconds }
}

/// The answer to a call.
package struct GRPCReply: Sendable {
    /// The bytes of the answer message.
    package var message: [UInt8]
    /// The collection it is about, for telemetry.
    package var collection: String?

    /// An answer.
    package init(message: [UInt8], collection: String? = nil) {
        self.message = message
        self.collection = collection
    }
}

/// One method: where it is, whose rights and telemetry it shares, how it runs.
package struct GRPCMethod: Sendable {
    /// What is called once, from any thread, when a call is answered.
    package typealias Completion = @Sendable (Result<GRPCReply, OctantError>) -> Void

    /// The service with its package, such as `qdrant.Points`.
    package let service: String
    /// The method's name, such as `Upsert`.
    package let name: String
    /// The path of the request, such as `/qdrant.Points/Upsert`; telemetry shows it too.
    package let path: String
    /// Its row of the operation table: who may call it and where it runs.
    package let operation: Operation
    /// Answers a call, on a thread of the operation's place.
    package let run: @Sendable (Service, GRPCCall, @escaping Completion) -> Void

    /// A method.
    init(
        service: String, name: String, operation: Operation,
        run: @escaping @Sendable (Service, GRPCCall, @escaping Completion) -> Void
    ) {
        self.service = service
        self.name = name
        path = "/\(service)/\(name)"
        self.operation = operation
        self.run = run
    }

    /// What the caller must be allowed. What no row of the table names belongs to those who manage the server.
    package var access: AccessRight { operation.row?.access ?? .manage }
}

extension GRPCMethod {
    /// A method that answers on the thread it runs on.
    ///
    /// - Parameter collection: The collection of a request, for telemetry.
    static func sync<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ service: String, _ name: String, _ operation: Operation,
        collection: (@Sendable (Request) -> String)? = nil,
        _ body: @escaping @Sendable (Service, Request, GRPCCall) throws(OctantError) -> Response
    ) -> GRPCMethod {
        GRPCMethod(service: service, name: name, operation: operation) { service, call, completion in
            let reply: GRPCReply
            do throws(OctantError) {
                let request: Request = try decode(call.message)
                let response = try body(service, request, call)
                reply = GRPCReply(message: try encode(response), collection: collection?(request))
            } catch {
                return completion(.failure(error))
            }
            completion(.success(reply))
        }
    }

    /// A method (a write) whose answer comes later, once, from any thread.
    ///
    /// - Parameter collection: The collection of a request, for telemetry.
    static func async<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ service: String, _ name: String, _ operation: Operation,
        collection: (@Sendable (Request) -> String)? = nil,
        _ body:
            @escaping @Sendable (
                Service, Request, GRPCCall, @escaping @Sendable (Result<Response, OctantError>) -> Void
            ) -> Void
    ) -> GRPCMethod {
        GRPCMethod(service: service, name: name, operation: operation) { service, call, completion in
            let request: Request
            do throws(OctantError) {
                request = try decode(call.message)
            } catch {
                return completion(.failure(error))
            }
            // Only the name is kept: the request of a large write is freed before its answer comes.
            let name = collection?(request)
            body(service, request, call) { result in
                completion(
                    result.flatMap { (response) -> Result<GRPCReply, OctantError> in
                        Result { () throws(OctantError) in
                            GRPCReply(message: try encode(response), collection: name)
                        }
                    })
            }
        }
    }

    /// Fields this version does not know are dropped: nobody reads them.
    private static let decoding: BinaryDecodingOptions = {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        // A level of JSON is up to three of messages; the depth of the JSON is checked where it is read.
        options.messageDepthLimit = 3 * Limits.jsonDepthMax + 16
        return options
    }()

    private static func decode<Request: SwiftProtobuf.Message>(_ bytes: [UInt8]) throws(OctantError) -> Request {
        do {
            return try Request(serializedBytes: bytes, options: decoding)
        } catch {
            throw OctantError(.format, "failed to decode Protobuf message: \(error)")
        }
    }

    private static func encode(_ response: some SwiftProtobuf.Message) throws(OctantError) -> [UInt8] {
        do {
            return try response.serializedBytes()
        } catch {
            throw OctantError(.service, "failed to encode Protobuf message: \(error)")
        }
    }
}
#endif
