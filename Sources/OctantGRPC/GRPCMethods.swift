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

/// Placeholder: the file of this name takes its place.
enum CollectionsMethods { static let all: [GRPCMethod] = [] }
/// Placeholder: the file of this name takes its place.
enum PointsMethods { static let all: [GRPCMethod] = [] }
/// Placeholder: the file of this name takes its place.
enum HealthMethods { static let all: [GRPCMethod] = [] }
/// Placeholder: the file of this name takes its place.
enum SnapshotsMethods { static let all: [GRPCMethod] = [] }
/// Placeholder: the file of this name takes its place.
enum Reflection {
    /// One answer message to one request message of `ServerReflectionInfo`, both encoded.
    static func answer(_ request: [UInt8]) -> [UInt8] { [] }
}
#endif
