/// The calls a fault can be put on.
package enum FileCall: Sendable, Hashable, CaseIterable {
    case open, read, write, sync, truncate, allocate, map, rename, unlink, link, directory, list, syncDirectory, lock
}

/// A file system that fails the calls it is told to, and otherwise passes everything on. For tests of this module
/// and of everything above it.
package final class FaultInjectingFileSystem: FileSystem {
    /// How a call fails.
    package enum Fault: Sendable {
        /// Once, with this errno.
        case once(Int32)
        /// This call and all later ones of any kind.
        case forever(Int32)
        /// This call and all later ones of the same kind.
        case always(Int32)
        /// A write that puts half of the bytes down and then fails; other calls fail as `once`.
        case short(Int32)
    }

    /// A call that was failed.
    package struct Failure: Sendable {
        /// What it was.
        package var call: FileCall
        /// On what.
        package var path: String
    }

    /// Faults by chance.
    private struct Chance {
        /// Of 2^32 calls, how many fail.
        var threshold: UInt64
        var errors: [Int32]
        var state: UInt64

        mutating func draw(_ call: FileCall) -> (errno: Int32, short: Bool)? {
            state &+= 0x9E37_79B9_7F4A_7C15
            let random = mixed(state)
            guard random >> 32 < threshold, !errors.isEmpty else { return nil }
            return (errors[Int(random & 0xFFFF) % errors.count], call == .write && random & 0x10000 != 0)
        }
    }

    private struct State {
        var chance: Chance?
        var failures: [Failure] = []
        var counts: [FileCall: Int] = [:]
        var total = 0
        /// `call` nil: the count runs over all calls.
        var plan: (call: FileCall?, at: Int, fault: Fault)?
        var fired = false
    }

    private let base: any FileSystem
    /// Whether syncs reach the base; without them tests that do not cut the power run faster.
    let syncs: Bool
    private let state = Locked(State())

    /// Wraps `base`; with `syncs: false` syncs are counted but not passed on.
    package init(_ base: any FileSystem = LocalFileSystem(), syncs: Bool = true) {
        self.base = base
        self.syncs = syncs
    }

    /// Fails the `at`-th (from 1) call of this kind, counted from now; `nil` counts calls of every kind.
    package func fail(_ call: FileCall?, at: Int, _ fault: Fault) {
        state.withLock {
            $0 = State()
            $0.plan = (call, at, fault)
        }
    }

    /// Fails calls by chance, writes half of the time after half of their bytes.
    package func failRandomly(probability: Double, _ errors: [Int32], seed: UInt64) {
        state.withLock {
            $0 = State()
            $0.chance = Chance(threshold: UInt64(probability * 0x1p32), errors: errors, state: seed)
        }
    }

    /// The calls that were failed since the last `fail`, `failRandomly` or `reset`.
    package var failures: [Failure] { state.withLock { $0.failures } }

    /// Lets everything pass again and starts the counts anew.
    package func reset() { state.withLock { $0 = State() } }

    /// Whether the planned fault happened.
    package var fired: Bool { state.withLock { $0.fired } }

    /// Calls of a kind (`nil`: of all kinds) since the last `fail` or `reset`.
    package func count(_ call: FileCall? = nil) -> Int {
        state.withLock { state in call.map { state.counts[$0] ?? 0 } ?? state.total }
    }

    /// Counts a call; throws when it is to fail. `short` is true for a write that has to be cut.
    func enter(_ call: FileCall, _ path: String) throws(StorageError) {
        guard let (number, _) = decide(call, path) else { return }
        // What a failed sync was to make durable may never be.
        if call == .sync, let disk = base as? SimulatedFileSystem { disk.loseUnsynced(path, seed: UInt64(count())) }
        throw StorageError(errno: number, call: "\(call) (injected)", path: path)
    }

    func decide(_ call: FileCall, _ path: String) -> (errno: Int32, short: Bool)? {
        state.withLock { state in
            let fault = Self.fault(call, &state)
            if fault != nil { state.failures.append(Failure(call: call, path: path)) }
            return fault
        }
    }

    private static func fault(_ call: FileCall, _ state: inout State) -> (errno: Int32, short: Bool)? {
        state.counts[call, default: 0] += 1
        state.total += 1
        if let fault = state.chance?.draw(call) {
            state.fired = true
            return fault
        }
        guard let plan = state.plan, plan.call == nil || plan.call == call else {
            if state.fired, let plan = state.plan, case .forever(let number) = plan.fault { return (number, false) }
            return nil
        }
        let count = plan.call == nil ? state.total : state.counts[call] ?? 0
        guard count >= plan.at else { return nil }
        switch plan.fault {
        case .forever(let number), .always(let number):
            state.fired = true
            return (number, false)
        case .once(let number), .short(let number):
            guard count == plan.at else { return nil }
            state.fired = true
            if case .short = plan.fault { return (number, true) }
            return (number, false)
        }
    }

    package func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        try enter(.open, path)
        return FaultInjectingFile(try base.open(path, mode), owner: self)
    }

    package func rename(_ from: String, to: String) throws(StorageError) {
        try enter(.rename, from)
        try base.rename(from, to: to)
    }

    package func unlink(_ path: String) throws(StorageError) {
        try enter(.unlink, path)
        try base.unlink(path)
    }

    package func link(_ existing: String, to: String) throws(StorageError) {
        try enter(.link, to)
        try base.link(existing, to: to)
    }

    package func makeDirectory(_ path: String) throws(StorageError) {
        try enter(.directory, path)
        try base.makeDirectory(path)
    }

    package func removeDirectory(_ path: String) throws(StorageError) {
        try enter(.directory, path)
        try base.removeDirectory(path)
    }

    package func list(_ path: String) throws(StorageError) -> [String] {
        try enter(.list, path)
        return try base.list(path)
    }

    package func syncDirectory(_ path: String) throws(StorageError) {
        try enter(.syncDirectory, path)
        if syncs { try base.syncDirectory(path) }
    }

    package func kind(_ path: String) throws(StorageError) -> FileKind? { try base.kind(path) }
    package func freeSpace(_ path: String) throws(StorageError) -> FreeSpace { try base.freeSpace(path) }
}

/// A file of `FaultInjectingFileSystem`.
final class FaultInjectingFile: File {
    private let base: any File
    private let owner: FaultInjectingFileSystem

    init(_ base: any File, owner: FaultInjectingFileSystem) {
        self.base = base
        self.owner = owner
    }

    var path: String { base.path }
    func size() throws(StorageError) -> Int { try base.size() }
    func close() { base.close() }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int {
        try owner.enter(.read, path)
        return try base.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        if let (number, short) = owner.decide(.write, path) {
            if short { try base.write(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), at: offset) }
            throw StorageError(errno: number, call: "write (injected)", path: path, offset: offset)
        }
        try base.write(bytes, at: offset)
    }

    func sync() throws(StorageError) {
        try owner.enter(.sync, path)
        if owner.syncs { try base.sync() }
    }

    func syncData() throws(StorageError) {
        try owner.enter(.sync, path)
        if owner.syncs { try base.syncData() }
    }

    func truncate(to length: Int) throws(StorageError) {
        try owner.enter(.truncate, path)
        try base.truncate(to: length)
    }

    func allocate(_ length: Int) throws(StorageError) {
        try owner.enter(.allocate, path)
        try base.allocate(length)
    }

    func map(length: Int) throws(StorageError) -> MappedRegion {
        try owner.enter(.map, path)
        return try base.map(length: length)
    }

    func tryLock() throws(StorageError) -> Bool {
        try owner.enter(.lock, path)
        return try base.tryLock()
    }
}
