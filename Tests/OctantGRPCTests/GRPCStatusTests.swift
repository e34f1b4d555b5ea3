import OctantGRPC
import Testing

@Test("the codes have the numbers of the protocol")
func grpcCodeNumbers() {
    #expect(GRPCCode.unauthenticated.rawValue == 16)
}
