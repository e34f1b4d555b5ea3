#if Server
import Logging
import Octant
import OctantModel
import OctantService

/// Recovery from snapshots named on the command line, before the first request.
struct StartupRecovery: Sendable {
    /// What is recovered, and the file.
    var steps: [(scope: SnapshotScope, path: String)] = []
    /// Whether collections that are there are replaced.
    var overwrites: Bool

    init(overwrites: Bool) { self.overwrites = overwrites }

    /// Recovers. What must not be replaced is found before anything is.
    func run(_ service: Service, _ logger: Logger) throws(OctantError) {
        for (scope, _) in steps {
            switch scope {
            case .storage:
                guard overwrites || service.database.collectionNames.isEmpty else {
                    throw OctantError(
                        .format, "there are collections already: --force-snapshot replaces those in the snapshot")
                }
            case .collection(let name), .shard(let name, _):
                try service.checkTarget(scope)
                guard overwrites || !service.database.collectionExists(name) else {
                    throw OctantError(
                        .format, "collection `\(name)` exists already: --force-snapshot replaces it")
                }
            }
        }
        for (scope, path) in steps {
            logger.info("recovering from \(path)")
            do throws(OctantError) {
                try service.database.recover(scope, from: path, checksum: nil, replacingAny: overwrites)
            } catch {
                throw OctantError(error.code, "\(path): \(error.message)")
            }
        }
    }
}
#endif
