#if Server
/// Every unary method of the server.
package enum GRPCMethods {
    /// All tables, one after another.
    package static let all: [GRPCMethod] =
        HealthMethods.all + CollectionsMethods.all + PointsMethods.all + SnapshotsMethods.all

    /// All methods by path.
    package static let byPath: [String: GRPCMethod] = Dictionary(
        all.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
}
#endif
