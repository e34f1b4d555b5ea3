#if Server
import Octant
import OctantModel
package import OctantService
import Synchronization

/// Answers calls: runs the method in its operation's place and counts the answer. Knows no sockets.
package final class GRPCHandler: Sendable {
    let service: Service

    /// A handler over a service.
    package init(service: Service) { self.service = service }

    /// Answers a call; `respond` is called once, from any thread. Does not block.
    ///
    /// A call that is cancelled, or whose deadline has passed, before its turn comes is not begun; one that is begun is
    /// done to the end, so that a write is made wholly or not at all.
    ///
    /// - Parameter gzipLimit: The message is gzip data, of at most so many bytes decompressed. `nil`: it is as it is.
    package func handle(
        _ method: GRPCMethod, _ call: GRPCCall, _ cancellation: Cancellation, gzipLimit: Int? = nil,
        respond: @escaping @Sendable (Result<[UInt8], GRPCStatus>) -> Void
    ) {
        let (start, telemetry) = (call.start, service.telemetry)
        let counted: GRPCMethod.Completion = { result in
            let code: GRPCCode
            switch result {
            case .success: code = .ok
            case .failure(let error): code = error.grpcCode
            }
            telemetry.record(
                method.operation, method: method.path, code: code.rawValue, seconds: start.elapsedSeconds,
                collection: (try? result.get())?.collection)
            respond(result.map(\.message).mapError { GRPCStatus($0) })
        }
        let work: @Sendable () -> Void = { [service] in
            if cancellation.isCancelled { return respond(.failure(GRPCStatus(.cancelled, "the call was cancelled"))) }
            if let deadline = call.deadline, deadline <= .now {
                return counted(.failure(OctantError(.timeout, "the deadline has passed before the call was begun")))
            }
            guard let gzipLimit else { return method.run(service, call, counted) }
            var call = call
            do throws(GRPCStatus) {
                call.message = try Gzip.decompress(call.message, limit: gzipLimit)
            } catch {
                return respond(.failure(error))
            }
            method.run(service, call, counted)
        }
        switch method.operation.place {
        // Decompression takes time, which the thread that moves bytes does not have.
        case .here: if gzipLimit == nil { work() } else { service.database.submitRead(work) }
        case .read: service.database.submitRead(work)
        case .write: service.database.submitWrite(work)
        case .long: service.snapshotThreads.work.submit(work)
        }
    }
}

/// Whether anybody still waits for a call's answer.
package final class Cancellation: Sendable {
    private let flag = Atomic(false)

    /// Somebody does.
    package init() {}

    /// Nobody does any more.
    package func cancel() { flag.store(true, ordering: .releasing) }

    /// Whether nobody does.
    package var isCancelled: Bool { flag.load(ordering: .acquiring) }
}
#endif
