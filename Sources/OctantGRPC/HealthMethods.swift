#if Server
import OctantModel
import OctantProtocol
import OctantService
import SwiftProtobuf

/// The standard health check, and Qdrant's own, which tells the version. Both are open to everyone.
enum HealthMethods {
    static let all: [GRPCMethod] = [
        .sync("grpc.health.v1.Health", "Check", .readyz) { (_, _: Grpc_Health_V1_HealthCheckRequest, _) in
            // A server that is not ready does not listen.
            var response = Grpc_Health_V1_HealthCheckResponse()
            response.status = .serving
            return response
        },
        .sync("qdrant.Qdrant", "HealthCheck", .root) { (_, _: Qdrant_HealthCheckRequest, _) in
            var reply = Qdrant_HealthCheckReply()
            reply.title = Service.title
            reply.version = Service.version
            return reply
        },
    ]
}
#endif
