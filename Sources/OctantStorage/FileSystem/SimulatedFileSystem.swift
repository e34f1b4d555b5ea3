import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file system in memory that knows what a power cut may take: everything written since the last sync of its file,
/// in pieces of 512 bytes and in any order, and every name changed since the last sync of its folder.
///
/// `powerCut` gives the folder as it may be found afterwards, as a new file system. Stricter than a journaling file
/// system, which keeps more. For tests, with a seed.
package final class SimulatedFileSystem: FileSystem {
    /// What happens to unsynced changes.
    package enum Survival: Sendable, CaseIterable {
        /// All are lost.
        case nothing
        /// All survive: the process died, not the machine.
        case everything
        /// Each 512-byte piece and each name for itself.
        case random
    }

    final class Node {
        enum Change {
            case write(Int, [UInt8])
            case resize(Int)
        }
        var content: [UInt8] = []
        var durable: [UInt8] = []
        var unsynced: [Change] = []
        var locked = false
    }

    struct NameChange {
        var removed: [String]
        var added: (path: String, node: Node)?
    }

    struct State {
        var names: [String: Node] = [:]
        var durableNames: [String: Node] = [:]
        var unsynced: [NameChange] = []
        var directories: Set<String> = ["/", "."]
        var calls = 0
        var captureAt = Int.max
        var capture: (@Sendable () -> Void)?
    }

    // SAFETY: nodes are touched only while the mutex is held.
    private struct Guarded: @unchecked Sendable { var state = State() }
    private let guarded = Locked(Guarded())

    /// Empty but for the root folder.
    package init() {}

    /// Changing calls so far.
    package var calls: Int { guarded.withLock { $0.state.calls } }

    /// Runs `action` before the `call`-th changing call from now (from 1), in the calling thread.
    package func before(call: Int, _ action: @escaping @Sendable () -> Void) {
        guarded.withLock {
            $0.state.captureAt = $0.state.calls + call
            $0.state.capture = action
        }
    }

    /// The file system after a power cut at this moment. This one goes on unharmed.
    package func powerCut(_ survival: Survival, seed: UInt64) -> SimulatedFileSystem {
        let other = SimulatedFileSystem()
        var random = CutGenerator(state: seed)
        let state = guarded.withLock { guarded in
            SimulatedFileSystem.cut(guarded.state, survival, &random)
        }
        other.guarded.withLock { $0 = state }
        return other
    }

    private static func cut(_ state: State, _ survival: Survival, _ random: inout CutGenerator) -> Guarded {
        var names = state.durableNames
        for change in state.unsynced where random.keeps(survival) {
            for path in change.removed { names[path] = nil }
            if let added = change.added { names[added.path] = added.node }
        }
        var copies: [ObjectIdentifier: Node] = [:]
        var result = State()
        result.directories = state.directories
        for path in names.keys.sorted() {
            guard let node = names[path] else { continue }
            let copy = copies[ObjectIdentifier(node)] ?? survivor(of: node, survival, &random)
            copies[ObjectIdentifier(node)] = copy
            result.names[path] = copy
        }
        result.durableNames = result.names
        return Guarded(state: result)
    }

    private static func survivor(of node: Node, _ survival: Survival, _ random: inout CutGenerator) -> Node {
        let copy = Node()
        var bytes = node.durable
        for change in node.unsynced {
            switch change {
            case .resize(let length):
                if random.keeps(survival) { SimulatedFileSystem.resize(&bytes, length) }
            case .write(let offset, let data):
                var start = 0
                while start < data.count {
                    let end = min(data.count, start + 512 - (offset + start) % 512)
                    if random.keeps(survival) { put(data[start..<end], offset + start, &bytes) }
                    start = end
                }
            }
        }
        copy.content = bytes
        copy.durable = bytes
        return copy
    }

    fileprivate static func resize(_ bytes: inout [UInt8], _ length: Int) {
        if length < bytes.count {
            bytes.removeLast(bytes.count - length)
        } else {
            bytes += [UInt8](repeating: 0, count: length - bytes.count)
        }
    }

    fileprivate static func put(_ data: ArraySlice<UInt8>, _ offset: Int, _ bytes: inout [UInt8]) {
        if offset + data.count > bytes.count { resize(&bytes, offset + data.count) }
        bytes.replaceSubrange(offset..<(offset + data.count), with: data)
    }

    /// Runs a changing call; the planned action goes first.
    fileprivate func change<R: Sendable>(
        _ body: (inout State) -> Result<R, StorageError>
    ) throws(StorageError) -> R {
        let action = guarded.withLock { guarded -> (@Sendable () -> Void)? in
            guarded.state.calls += 1
            return guarded.state.calls == guarded.state.captureAt ? guarded.state.capture : nil
        }
        action?()
        return try look(body)
    }

    fileprivate func look<R: Sendable>(
        _ body: (inout State) -> Result<R, StorageError>
    ) throws(StorageError) -> R {
        try guarded.withLock { body(&$0.state) }.get()
    }

    package func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        let node = try change { state -> Result<NodeReference, StorageError> in
            if let node = state.names[path] {
                if mode == .create { return .failure(StorageError(errno: EEXIST, call: "open", path: path)) }
                if mode == .createOrTruncate {
                    node.content = []
                    node.unsynced.append(.resize(0))
                }
                return .success(NodeReference(node: node))
            }
            guard mode != .read, mode != .readWrite, state.directories.contains(parentPath(path)) else {
                return .failure(StorageError(errno: ENOENT, call: "open", path: path))
            }
            let node = Node()
            state.names[path] = node
            state.unsynced.append(NameChange(removed: [], added: (path, node)))
            return .success(NodeReference(node: node))
        }
        return SimulatedFile(path, node, self)
    }

    package func rename(_ from: String, to: String) throws(StorageError) {
        try change { state -> Result<Void, StorageError> in
            guard let node = state.names.removeValue(forKey: from) else {
                return .failure(StorageError(errno: ENOENT, call: "rename", path: from))
            }
            state.names[to] = node
            state.unsynced.append(NameChange(removed: [from], added: (to, node)))
            return .success(())
        }
    }

    package func unlink(_ path: String) throws(StorageError) {
        try change { state -> Result<Void, StorageError> in
            guard state.names.removeValue(forKey: path) != nil else {
                return .failure(StorageError(errno: ENOENT, call: "unlink", path: path))
            }
            state.unsynced.append(NameChange(removed: [path], added: nil))
            return .success(())
        }
    }

    package func link(_ existing: String, to: String) throws(StorageError) {
        try change { state -> Result<Void, StorageError> in
            guard let node = state.names[existing], state.names[to] == nil else {
                return .failure(StorageError(errno: ENOENT, call: "link", path: existing))
            }
            state.names[to] = node
            state.unsynced.append(NameChange(removed: [], added: (to, node)))
            return .success(())
        }
    }

    // Folders are durable at once: what is tested is the files in them.
    package func makeDirectory(_ path: String) throws(StorageError) {
        try change { state -> Result<Void, StorageError> in
            guard state.names[path] == nil, state.directories.insert(path).inserted else {
                return .failure(StorageError(errno: EEXIST, call: "mkdir", path: path))
            }
            return .success(())
        }
    }

    package func removeDirectory(_ path: String) throws(StorageError) {
        try change { state -> Result<Void, StorageError> in
            let used =
                state.names.keys.contains { parentPath($0) == path }
                || state.directories.contains { $0 != path && parentPath($0) == path }
            guard !used else { return .failure(StorageError(errno: ENOTEMPTY, call: "rmdir", path: path)) }
            state.directories.remove(path)
            return .success(())
        }
    }

    package func list(_ path: String) throws(StorageError) -> [String] {
        try look { state in
            guard state.directories.contains(path) else {
                return .failure(StorageError(errno: ENOENT, call: "opendir", path: path))
            }
            let all = Array(state.names.keys) + state.directories.filter { $0 != path }
            return .success(all.filter { parentPath($0) == path }.map(lastPathComponent).sorted())
        }
    }

    package func syncDirectory(_ path: String) throws(StorageError) {
        try change { state -> Result<Void, StorageError> in
            state.unsynced.removeAll { change in
                guard parentPath(change.added?.path ?? change.removed.first ?? "") == path else { return false }
                for removed in change.removed { state.durableNames[removed] = nil }
                if let added = change.added { state.durableNames[added.path] = added.node }
                return true
            }
            return .success(())
        }
    }

    package func kind(_ path: String) throws(StorageError) -> FileKind? {
        try look { state in
            if state.directories.contains(path) { return .success(.directory) }
            return .success(state.names[path].map { .file($0.content.count) })
        }
    }

    package func freeSpace(_ path: String) throws(StorageError) -> FreeSpace {
        FreeSpace(available: 1 << 40, total: 1 << 40)
    }
}

// SAFETY: the node is touched only inside the file system's mutex.
struct NodeReference: @unchecked Sendable { let node: SimulatedFileSystem.Node }

/// Which unsynced changes a cut keeps (SplitMix64).
private struct CutGenerator {
    var state: UInt64

    mutating func keeps(_ survival: SimulatedFileSystem.Survival) -> Bool {
        switch survival {
        case .nothing: return false
        case .everything: return true
        case .random:
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return (z ^ (z >> 31)) & 1 == 0
        }
    }
}

/// A file of `SimulatedFileSystem`.
final class SimulatedFile: File {
    let path: String
    private let reference: NodeReference
    private let owner: SimulatedFileSystem
    private let holdsLock = Atomic(false)

    init(_ path: String, _ reference: NodeReference, _ owner: SimulatedFileSystem) {
        self.path = path
        self.reference = reference
        self.owner = owner
    }

    deinit { close() }

    func close() {
        guard holdsLock.exchange(false, ordering: .acquiringAndReleasing) else { return }
        // Cannot fail: the body always succeeds.
        try? owner.look { [reference] _ -> Result<Void, StorageError> in
            reference.node.locked = false
            return .success(())
        }
    }

    func size() throws(StorageError) -> Int {
        try owner.look { [reference] _ in .success(reference.node.content.count) }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int {
        let bytes = try owner.look { [reference] _ -> Result<[UInt8], StorageError> in
            let content = reference.node.content
            let start = min(offset, content.count)
            return .success(Array(content[start..<min(content.count, start + buffer.count)]))
        }
        buffer.copyBytes(from: bytes)
        return bytes.count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        let data = Array(bytes)
        try owner.change { [reference] _ -> Result<Void, StorageError> in
            SimulatedFileSystem.put(data[...], offset, &reference.node.content)
            reference.node.unsynced.append(.write(offset, data))
            return .success(())
        }
    }

    func sync() throws(StorageError) {
        try owner.change { [reference] _ -> Result<Void, StorageError> in
            reference.node.durable = reference.node.content
            reference.node.unsynced = []
            return .success(())
        }
    }

    func syncData() throws(StorageError) { try sync() }

    func truncate(to length: Int) throws(StorageError) {
        try owner.change { [reference] _ -> Result<Void, StorageError> in
            SimulatedFileSystem.resize(&reference.node.content, length)
            reference.node.unsynced.append(.resize(length))
            return .success(())
        }
    }

    func allocate(_ length: Int) throws(StorageError) {
        if try size() < length { try truncate(to: length) }
    }

    func map(length: Int) throws(StorageError) -> MappedRegion {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let start = mmap(nil, max(length, 1), PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED else {
            throw StorageError(errno: errno, call: "mmap", path: path)
        }
        _ = try read(into: UnsafeMutableRawBufferPointer(start: start, count: length), at: 0)
        return MappedRegion(start: start, count: max(length, 1))
    }

    func tryLock() throws(StorageError) -> Bool {
        let taken = try owner.look { [reference] _ -> Result<Bool, StorageError> in
            defer { reference.node.locked = true }
            return .success(!reference.node.locked)
        }
        if taken { holdsLock.store(true, ordering: .releasing) }
        return taken
    }
}
