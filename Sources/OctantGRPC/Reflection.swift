#if Server
import OctantProtocol
import SwiftProtobuf

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Server reflection: which services there are, and the files that describe them. Both versions of the protocol carry
/// the same messages.
enum Reflection {
    /// The paths of its one method.
    static let paths: Set<String> = [
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ]

    /// One answer message to one request message of `ServerReflectionInfo`, both encoded.
    static func answer(_ request: [UInt8]) -> [UInt8] {
        var response = Grpc_Reflection_V1_ServerReflectionResponse()
        if let request = try? Grpc_Reflection_V1_ServerReflectionRequest(serializedBytes: request) {
            response.validHost = request.host
            response.originalRequest = request
            response.messageResponse = answer(request.messageRequest)
        } else {
            response.messageResponse = failure(.invalidArgument, "no request of ServerReflectionInfo")
        }
        // What was just made of texts can be encoded; an empty message says nothing wrong.
        return (try? response.serializedBytes()) ?? []
    }

    private typealias Request = Grpc_Reflection_V1_ServerReflectionRequest.OneOf_MessageRequest
    private typealias Response = Grpc_Reflection_V1_ServerReflectionResponse.OneOf_MessageResponse

    private static func answer(_ request: Request?) -> Response {
        switch request {
        case .listServices:
            var list = Grpc_Reflection_V1_ListServiceResponse()
            list.service = files.services.map { name in
                var service = Grpc_Reflection_V1_ServiceResponse()
                service.name = name
                return service
            }
            return .listServicesResponse(list)
        case .fileByFilename(let name):
            return file(name) ?? failure(.notFound, "no file \(name)")
        case .fileContainingSymbol(let symbol):
            return files.fileOfSymbol[symbol].flatMap { file($0) } ?? failure(.notFound, "no symbol \(symbol)")
        case .fileContainingExtension(let request):
            return failure(.notFound, "\(request.containingType) has no extensions")
        case .allExtensionNumbersOfType(let type):
            guard files.fileOfSymbol[type] != nil else { return failure(.notFound, "no symbol \(type)") }
            var numbers = Grpc_Reflection_V1_ExtensionNumberResponse()
            numbers.baseTypeName = type
            return .allExtensionNumbersResponse(numbers)
        case nil: return failure(.invalidArgument, "the request asks for nothing")
        }
    }

    /// A file and all it imports, in the order of need.
    private static func file(_ name: String) -> Response? {
        guard files.encoded[name] != nil else { return nil }
        var response = Grpc_Reflection_V1_FileDescriptorResponse()
        var (seen, waiting) = (Set([name]), [name])
        while let next = waiting.popLast() {
            guard let file = files.encoded[next] else { continue }
            response.fileDescriptorProto.append(Data(file.bytes))
            for inner in file.imports where seen.insert(inner).inserted { waiting.append(inner) }
        }
        return .fileDescriptorResponse(response)
    }

    private static func failure(_ code: GRPCCode, _ message: String) -> Response {
        var error = Grpc_Reflection_V1_ErrorResponse()
        error.errorCode = Int32(code.rawValue)
        error.errorMessage = message
        return .errorResponse(error)
    }

    private static let files = Files()

    /// The protocol's files by name, and where each symbol is.
    private struct Files {
        var encoded: [String: (bytes: [UInt8], imports: [String])] = [:]
        var fileOfSymbol: [String: String] = [:]
        var services: [String] = []

        init() {
            guard let set = try? Google_Protobuf_FileDescriptorSet(serializedBytes: fileDescriptorSet) else { return }
            for file in set.file {
                guard let bytes: [UInt8] = try? file.serializedBytes() else { continue }
                encoded[file.name] = (bytes, file.dependency)
                let package = file.package
                for service in file.service {
                    let name = note("\(package).\(service.name)", file.name)
                    services.append(name)
                    for method in service.method { _ = note("\(name).\(method.name)", file.name) }
                }
                for message in file.messageType { add(message, in: package, file.name) }
                for type in file.enumType { _ = note("\(package).\(type.name)", file.name) }
            }
            services.sort()
        }

        private mutating func note(_ symbol: String, _ file: String) -> String {
            fileOfSymbol[symbol] = file
            return symbol
        }

        private mutating func add(_ message: Google_Protobuf_DescriptorProto, in scope: String, _ file: String) {
            let name = note("\(scope).\(message.name)", file)
            for inner in message.nestedType { add(inner, in: name, file) }
            for type in message.enumType { _ = note("\(name).\(type.name)", file) }
            for field in message.field { _ = note("\(name).\(field.name)", file) }
        }
    }

    /// The encoded descriptors: base64 (RFC 4648) of our own making, without line breaks.
    private static var fileDescriptorSet: [UInt8] {
        var bytes: [UInt8] = []
        var (bits, count): (UInt32, Int) = (0, 0)
        for letter in fileDescriptorSetBase64.utf8 {
            let value: UInt8
            switch letter {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = letter - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = letter - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = letter - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: continue
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
#endif
