import OctantEngine
import OctantStorage

/// Sees every changing call of a simulated disk before it is made, and that no file is changed or removed that a manifest
/// names which a restart may find; that what a manifest names is there and as it was; and that nothing is named twice.
// SAFETY: a simulation calls from one thread.
final class ManifestWatch: @unchecked Sendable {
    /// What one collection's manifests name.
    private struct Named {
        var generation: UInt64 = 0
        var newest: Set<String> = []
        /// Of the generation before, until the folder is synced.
        var previous: Set<String> = []
    }

    private let disk: SimulatedFileSystem
    private let root: String
    private var named: [String: Named] = [:]
    private var checksums: [String: UInt32] = [:]
    /// Folders of collections that a catalog names; of the newest, and of the one before until the folder is synced.
    private var living: (newest: Set<String>, previous: Set<String>) = ([], [])
    private var madeSegments: Set<String> = []
    /// The first violation.
    private(set) var violation: String?
    /// Manifests that were published.
    private(set) var publications = 0

    init(_ disk: SimulatedFileSystem, root: String) {
        self.disk = disk
        self.root = root
        // The newest alone: what older ones named may be gone.
        var newest: [String: String] = [:]
        for path in disk.paths {
            if let folder = manifestFolder(path) { newest[folder] = path }
            if isCatalog(path) { newest[""] = path }
        }
        if let catalog = newest.removeValue(forKey: "") { publishCatalog(catalog) }
        // Of a collection that was dropped, anything may be left.
        for (folder, path) in newest.sorted(by: { $0.key < $1.key })
        where living.newest.contains(lastPathComponent(folder)) {
            publish(path, folder, number(path))
        }
        publications = 0
    }

    func see(_ call: SimulatedFileSystem.Call) {
        switch call.kind {
        case .rename:
            guard let target = call.target else { return }
            if let folder = manifestFolder(target) { publish(call.path, folder, number(target)) }
            if isCatalog(target) { publishCatalog(call.path) }
            expectFree(call)
        case .syncDirectory:
            // What it makes durable is done when the next call is seen, and only then is anything removed.
            named[call.path]?.previous = []
            if call.path == root + "/catalog" { living.previous = [] }
        case .directory:
            guard call.path.contains("/s0/seg/"), disk.content(of: call.path) == nil else { return }
            noteFolder(call.path)
        case .unlink, .write, .truncate: expectFree(call)
        default: break
        }
    }

    /// A folder is made once, and removed later.
    private func noteFolder(_ path: String) {
        let isThere = (try? disk.kind(path)) == .directory
        if !isThere, !madeSegments.insert(path).inserted { report("the name \(path) is used again") }
    }

    private func expectFree(_ call: SimulatedFileSystem.Call) {
        for (folder, names) in named where call.path.hasPrefix(folder) {
            guard names.newest.contains(call.path) || names.previous.contains(call.path) else { continue }
            let uuid = lastPathComponent(folder)
            if living.newest.contains(uuid) || living.previous.contains(uuid) {
                report("\(call.kind) of \(call.path), which a manifest names")
            }
        }
    }

    private func publish(_ path: String, _ folder: String, _ generation: UInt64) {
        guard let bytes = disk.content(of: path), bytes.count >= 64,
            let manifest = try? Manifest(Array(bytes[64...]))
        else { return report("\(path): no manifest") }
        publications += 1
        var names: Set<String> = []
        for segment in manifest.segments {
            for file in segment.files { names.insert("\(folder)/s0/seg/\(segment.uuid)/\(file.summary.name)") }
            if let deletions = segment.deletions { names.insert("\(folder)/s0/del/\(deletions.name)") }
        }
        for name in names {
            guard let content = disk.content(of: name) else {
                report("\(path) names \(name), which is not there")
                continue
            }
            let checksum = CRC32C.extend(0, content)
            if let before = checksums.updateValue(checksum, forKey: name), before != checksum {
                report("\(name) has changed when \(path) is published")
            }
        }
        var entry = named[folder] ?? Named()
        if generation <= entry.generation { report("\(path): generation \(generation) after \(entry.generation)") }
        entry = Named(generation: generation, newest: names, previous: entry.newest.union(entry.previous))
        named[folder] = entry
    }

    private func publishCatalog(_ path: String) {
        guard let bytes = disk.content(of: path), bytes.count >= 64, let catalog = try? Catalog(Array(bytes[64...]))
        else { return report("\(path): no catalog") }
        living = (Set(catalog.collections.values.map(\.description)), living.newest.union(living.previous))
    }

    private func report(_ text: String) {
        if violation == nil { violation = text }
    }

    private func manifestFolder(_ path: String) -> String? {
        lastPathComponent(path).hasPrefix("MANIFEST-") && !path.hasSuffix(".tmp") && !path.contains("/quarantine/")
            ? parentPath(path) : nil
    }

    private func isCatalog(_ path: String) -> Bool {
        lastPathComponent(path).hasPrefix("CATALOG-") && !path.hasSuffix(".tmp")
    }

    private func number(_ path: String) -> UInt64 { UInt64(path.suffix(16), radix: 16) ?? 0 }
}
