#if Server
import OctantProtocol
import SwiftProtobuf
import Testing

@testable import OctantGRPC

@Suite struct MethodTableTests {
    @Test("Every method of the protocol's files is served, and no other")
    func complete() throws {
        var named: Set<String> = []
        for service in ["qdrant.Qdrant", "qdrant.Collections", "qdrant.Points", "qdrant.Snapshots"] {
            named.formUnion(try methods(of: service).map { "/\(service)/\($0)" })
        }
        named.insert("/grpc.health.v1.Health/Check")
        #expect(Set(GRPCMethods.all.map(\.path)) == named)
        #expect(GRPCMethods.byPath.count == GRPCMethods.all.count, "no path twice")
    }

    /// The methods of a service as reflection tells them.
    private func methods(of service: String) throws -> [String] {
        var request = Grpc_Reflection_V1_ServerReflectionRequest()
        request.fileContainingSymbol = service
        let answer = try Grpc_Reflection_V1_ServerReflectionResponse(
            serializedBytes: Reflection.answer(try request.serializedBytes()))
        for bytes in answer.fileDescriptorResponse.fileDescriptorProto {
            let file = try Google_Protobuf_FileDescriptorProto(serializedBytes: bytes)
            if let found = file.service.first(where: { "\(file.package).\($0.name)" == service }) {
                return found.method.map(\.name)
            }
        }
        Issue.record("no service \(service)")
        return []
    }

    @Test("Reflection lists the services and refuses what it does not know")
    func reflection() throws {
        var request = Grpc_Reflection_V1_ServerReflectionRequest()
        request.listServices = ""
        let list = try Grpc_Reflection_V1_ServerReflectionResponse(
            serializedBytes: Reflection.answer(try request.serializedBytes()))
        #expect(list.listServicesResponse.service.map(\.name).contains("qdrant.Points"))
        #expect(list.originalRequest == request)
        request.fileContainingSymbol = "qdrant.Nothing"
        let missing = try Grpc_Reflection_V1_ServerReflectionResponse(
            serializedBytes: Reflection.answer(try request.serializedBytes()))
        #expect(missing.errorResponse.errorCode == 5)
        let garbage = try Grpc_Reflection_V1_ServerReflectionResponse(serializedBytes: Reflection.answer([255, 255]))
        #expect(garbage.errorResponse.errorCode == 3)
    }
}
#endif
