import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file system in memory that knows what a power cut may take: everything written since the last sync of its file, in
/// pieces of 512 or 4096 bytes and in any order, and every name changed since the last sync of its folder, folders too.
///
/// `powerCut` gives the folder as it may be found afterwards, as a new file system. Stricter than a journaling file
/// system, which keeps more. For tests, with a seed.
package final class SimulatedFileSystem: FileSystem {
    /// What happens to unsynced changes.
    package enum Survival: Sendable, CaseIterable {
        /// All are lost.
        case nothing
        /// All survive: the process died, not the machine, which may still lose them later.
        case everything
        /// Each piece and each name for itself.
        case random
    }

    /// A changing call that is about to be made.
    package struct Call: Sendable {
        /// What it does.
        package var kind: FileCall
        /// To what.
        package var path: String
        /// The new name, of a rename or link.
        package var target: String?
    }

    final class Node {
        enum Change {
            case write(Int, [UInt8])
            case resize(Int)
        }
        /// What reads see.
        var content: [UInt8] = []
        /// What is on the device.
        var durable: [UInt8] = []
        var unsynced: [Change] = []
        var locked = false
    }

    enum NameChange {
        case file(removed: String?, added: (path: String, node: Node)?)
        case madeDirectory(String)
        case removedDirectory(String)

        /// The folder whose sync makes it durable.
        var folder: String {
            switch self {
            case .file(let removed, let added): parentPath(added?.path ?? removed ?? "")
            case .madeDirectory(let path), .removedDirectory(let path): parentPath(path)
            }
        }
    }

    /// Which files and folders there are.
    struct Names {
        var files: [String: Node] = [:]
        var directories: Set<String> = ["/", "."]

        mutating func apply(_ change: NameChange) {
            switch change {
            case .file(let removed, let added):
                // A rename that becomes durable late takes no name that was made in its folder, and synced, since.
                if let removed, added == nil || files[removed] === added?.node { files[removed] = nil }
                if let added { files[added.path] = added.node }
            case .madeDirectory(let path): directories.insert(path)
            case .removedDirectory(let path):
                directories.remove(path)
                for file in files.keys where parentPath(file) == path { files[file] = nil }
            }
        }

        /// Without what lies in folders that are not there: a folder's sync keeps the names in it, not its own.
        mutating func dropLost() {
            for path in directories.sorted() where !directories.contains(parentPath(path)) {
                directories.remove(path)
            }
            for path in files.keys where !directories.contains(parentPath(path)) { files[path] = nil }
        }
    }

    struct State {
        var names = Names()
        var durable = Names()
        var unsynced: [NameChange] = []
        var calls = 0
        var captureAt = Int.max
        var capture: (@Sendable () -> Void)?
        var observer: (@Sendable (Call) -> Void)?
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

    /// Runs `action` before each changing call, in the calling thread; `nil` ends it.
    package func observe(_ action: (@Sendable (Call) -> Void)?) { guarded.withLock { $0.state.observer = action } }

    /// What a file holds, as reads see it; `nil` if there is none. Not counted as a call.
    package func content(of path: String) -> [UInt8]? { guarded.withLock { $0.state.names.files[path]?.content } }

    /// The paths of all files, sorted. Not counted as a call.
    package var paths: [String] { guarded.withLock { $0.state.names.files.keys.sorted() } }

    /// What a failed sync does: of what was written since the last one, the system may have given up any part. Reads
    /// go on seeing all of it, and later syncs report success.
    package func loseUnsynced(_ path: String, seed: UInt64) {
        guarded.withLock { guarded in
            var random = CutGenerator(state: seed)
            guarded.state.names.files[path]?.unsynced.removeAll { _ in !random.keeps(.random) }
        }
    }

    /// The file system after a power cut at this moment. This one goes on unharmed.
    ///
    /// - Parameter piece: bytes of the pieces that survive whole or not at all; 512 or 4096.
    package func powerCut(_ survival: Survival, seed: UInt64, piece: Int = 512) -> SimulatedFileSystem {
        let other = SimulatedFileSystem()
        var random = CutGenerator(state: seed)
        let state = guarded.withLock { guarded in
            SimulatedFileSystem.cut(guarded.state, survival, piece, &random)
        }
        other.guarded.withLock { $0 = state }
        return other
    }

    private static func cut(
        _ state: State, _ survival: Survival, _ piece: Int, _ random: inout CutGenerator
    ) -> Guarded {
        if survival == .everything { return Guarded(state: twin(of: state)) }
        var names = state.durable
        if survival == .random { for change in state.unsynced where random.keeps(.random) { names.apply(change) } }
        names.dropLost()
        var copies: [ObjectIdentifier: Node] = [:]
        for path in names.files.keys.sorted() {
            guard let node = names.files[path] else { continue }
            let copy = copies[ObjectIdentifier(node)] ?? survivor(of: node, survival, piece, &random)
            copies[ObjectIdentifier(node)] = copy
            names.files[path] = copy
        }
        var result = State()
        result.names = names
        result.durable = names
        return Guarded(state: result)
    }

    /// The same, with nothing open. What is not on the device can still be lost.
    private static func twin(of state: State) -> State {
        var copies: [ObjectIdentifier: Node] = [:]
        func copy(_ node: Node) -> Node {
            if let made = copies[ObjectIdentifier(node)] { return made }
            let made = Node()
            (made.content, made.durable, made.unsynced) = (node.content, node.durable, node.unsynced)
            copies[ObjectIdentifier(node)] = made
            return made
        }
        var result = State()
        result.names = Names(files: state.names.files.mapValues(copy), directories: state.names.directories)
        result.durable = Names(files: state.durable.files.mapValues(copy), directories: state.durable.directories)
        result.unsynced = state.unsynced.map { change in
            guard case .file(let removed, let added?) = change else { return change }
            return .file(removed: removed, added: (added.path, copy(added.node)))
        }
        return result
    }

    private static func survivor(
        of node: Node, _ survival: Survival, _ piece: Int, _ random: inout CutGenerator
    ) -> Node {
        let copy = Node()
        copy.content = node.durable
        if survival == .random {
            for change in node.unsynced { keep(change, piece, &random, &copy.content) }
        }
        copy.durable = copy.content
        return copy
    }

    /// Applies what survives of one change.
    private static func keep(
        _ change: Node.Change, _ piece: Int, _ random: inout CutGenerator, _ bytes: inout [UInt8]
    ) {
        switch change {
        case .resize(let length):
            if random.keeps(.random) { resize(&bytes, length) }
        case .write(let offset, let data):
            var start = 0
            while start < data.count {
                let end = min(data.count, start + piece - (offset + start) % piece)
                if random.keeps(.random) { put(data[start..<end], offset + start, &bytes) }
                start = end
            }
        }
    }

    fileprivate static func resize(_ bytes: inout [UInt8], _ length: Int) {
        if length < bytes.count {
            bytes.removeLast(bytes.count - length)
        } else if length > bytes.count {
            bytes += [UInt8](repeating: 0, count: length - bytes.count)
        }
    }

    fileprivate static func put(_ data: ArraySlice<UInt8>, _ offset: Int, _ bytes: inout [UInt8]) {
        if offset + data.count > bytes.count { resize(&bytes, offset + data.count) }
        bytes.withUnsafeMutableBytes { target in
            data.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(rebasing: target[offset..<(offset + source.count)])
                    .copyMemory(from: source)
            }
        }
    }

    /// Runs a changing call; the observer and the planned action go first.
    fileprivate func change<R: Sendable>(
        _ call: Call, _ body: (inout State) -> Result<R, StorageError>
    ) throws(StorageError) -> R {
        let (observer, action) = guarded.withLock { guarded in
            guarded.state.calls += 1
            return (
                guarded.state.observer,
                guarded.state.calls == guarded.state.captureAt ? guarded.state.capture : nil
            )
        }
        observer?(call)
        action?()
        return try look(body)
    }

    fileprivate func look<R: Sendable>(
        _ body: (inout State) -> Result<R, StorageError>
    ) throws(StorageError) -> R {
        try guarded.withLock { body(&$0.state) }.get()
    }

    package func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        let node = try change(Call(kind: .open, path: path)) { state -> Result<NodeReference, StorageError> in
            if let node = state.names.files[path] {
                if mode == .create { return .failure(StorageError(errno: EEXIST, call: "open", path: path)) }
                if mode == .createOrTruncate {
                    node.content = []
                    node.unsynced.append(.resize(0))
                }
                return .success(NodeReference(node: node))
            }
            guard mode != .read, mode != .readWrite, state.names.directories.contains(parentPath(path)) else {
                return .failure(StorageError(errno: ENOENT, call: "open", path: path))
            }
            let node = Node()
            state.make(.file(removed: nil, added: (path, node)))
            return .success(NodeReference(node: node))
        }
        return SimulatedFile(path, node, self)
    }

    package func rename(_ from: String, to: String) throws(StorageError) {
        try change(Call(kind: .rename, path: from, target: to)) { state -> Result<Void, StorageError> in
            guard let node = state.names.files[from] else {
                return .failure(StorageError(errno: ENOENT, call: "rename", path: from))
            }
            state.make(.file(removed: from, added: (to, node)))
            return .success(())
        }
    }

    package func unlink(_ path: String) throws(StorageError) {
        try change(Call(kind: .unlink, path: path)) { state -> Result<Void, StorageError> in
            guard state.names.files[path] != nil else {
                return .failure(StorageError(errno: ENOENT, call: "unlink", path: path))
            }
            state.make(.file(removed: path, added: nil))
            return .success(())
        }
    }

    package func link(_ existing: String, to: String) throws(StorageError) {
        try change(Call(kind: .link, path: existing, target: to)) { state -> Result<Void, StorageError> in
            guard let node = state.names.files[existing], state.names.files[to] == nil else {
                return .failure(StorageError(errno: ENOENT, call: "link", path: existing))
            }
            state.make(.file(removed: nil, added: (to, node)))
            return .success(())
        }
    }

    package func makeDirectory(_ path: String) throws(StorageError) {
        try change(Call(kind: .directory, path: path)) { state -> Result<Void, StorageError> in
            guard state.names.directories.contains(parentPath(path)) else {
                return .failure(StorageError(errno: ENOENT, call: "mkdir", path: path))
            }
            guard state.names.files[path] == nil, !state.names.directories.contains(path) else {
                return .failure(StorageError(errno: EEXIST, call: "mkdir", path: path))
            }
            state.make(.madeDirectory(path))
            return .success(())
        }
    }

    package func removeDirectory(_ path: String) throws(StorageError) {
        try change(Call(kind: .directory, path: path)) { state -> Result<Void, StorageError> in
            let prefix = path + "/"
            let used =
                state.names.files.keys.contains { $0.hasPrefix(prefix) }
                || state.names.directories.contains { $0.hasPrefix(prefix) }
            guard !used else { return .failure(StorageError(errno: ENOTEMPTY, call: "rmdir", path: path)) }
            state.make(.removedDirectory(path))
            return .success(())
        }
    }

    package func list(_ path: String) throws(StorageError) -> [String] {
        try look { state in
            guard state.names.directories.contains(path) else {
                return .failure(StorageError(errno: ENOENT, call: "opendir", path: path))
            }
            let prefix = path.hasSuffix("/") ? path : path + "/"
            var names: [String] = []
            for one in state.names.files.keys where one.hasPrefix(prefix) && parentPath(one) == path {
                names.append(lastPathComponent(one))
            }
            for one in state.names.directories where one.hasPrefix(prefix) && one != path && parentPath(one) == path {
                names.append(lastPathComponent(one))
            }
            return .success(names.sorted())
        }
    }

    package func syncDirectory(_ path: String) throws(StorageError) {
        try change(Call(kind: .syncDirectory, path: path)) { state -> Result<Void, StorageError> in
            guard state.names.directories.contains(path) else {
                return .failure(StorageError(errno: ENOENT, call: "open", path: path))
            }
            var waiting: [NameChange] = []
            for change in state.unsynced {
                if change.folder == path { state.durable.apply(change) } else { waiting.append(change) }
            }
            state.unsynced = waiting
            return .success(())
        }
    }

    package func kind(_ path: String) throws(StorageError) -> FileKind? {
        try look { state in
            if state.names.directories.contains(path) { return .success(.directory) }
            return .success(state.names.files[path].map { .file($0.content.count) })
        }
    }

    package func freeSpace(_ path: String) throws(StorageError) -> FreeSpace {
        FreeSpace(available: 1 << 40, total: 1 << 40)
    }
}

extension SimulatedFileSystem.State {
    /// Changes names, not yet durably.
    fileprivate mutating func make(_ change: SimulatedFileSystem.NameChange) {
        names.apply(change)
        unsynced.append(change)
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
            return mixed(state) & 1 == 0
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
        try owner.look { [reference] _ -> Result<Int, StorageError> in
            reference.node.content.withUnsafeBytes { content in
                let start = min(offset, content.count)
                let piece = UnsafeRawBufferPointer(rebasing: content[start..<min(content.count, start + buffer.count)])
                buffer.copyMemory(from: piece)
                return .success(piece.count)
            }
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        let data = Array(bytes)
        try owner.change(.init(kind: .write, path: path)) { [reference] _ -> Result<Void, StorageError> in
            SimulatedFileSystem.put(data[...], offset, &reference.node.content)
            reference.node.unsynced.append(.write(offset, data))
            return .success(())
        }
    }

    func sync() throws(StorageError) {
        try owner.change(.init(kind: .sync, path: path)) { [reference] _ -> Result<Void, StorageError> in
            for change in reference.node.unsynced {
                switch change {
                case .resize(let length): SimulatedFileSystem.resize(&reference.node.durable, length)
                case .write(let offset, let data):
                    SimulatedFileSystem.put(data[...], offset, &reference.node.durable)
                }
            }
            reference.node.unsynced = []
            return .success(())
        }
    }

    func syncData() throws(StorageError) { try sync() }

    func truncate(to length: Int) throws(StorageError) {
        try owner.change(.init(kind: .truncate, path: path)) { [reference] _ -> Result<Void, StorageError> in
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
