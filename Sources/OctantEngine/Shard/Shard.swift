package import OctantModel
import OctantPayload
package import OctantStorage
import Synchronization

/// The points of a collection: a log, memtables and segments.
///
/// A write is validated and logged by the caller's thread, synced by the log's thread, and applied by the shard's own
/// thread in the order of the log and only once it is durable. A read takes a ``ReadView`` and never waits for a write.
///
/// Locks, in the order they are taken: `order` (one writer resolves and logs at a time), `flushing` (one checkpoint at a
/// time), `planning` (one job of the optimizer is decided at a time), `publication` (one manifest at a
/// time; held during file work, by background threads and configuration changes), `applying` (one operation or swap of
/// parts at a time), then `state` (for the instant of a look or change).
package final class Shard: Sendable {
    /// The collection's folder.
    package let path: String
    package let uuid: UUIDBytes
    package let fileSystem: any FileSystem
    package let limits: ShardLimits
    let store: GenerationStore
    let log: @Sendable (String) -> Void
    let state: Monitor<ReadView>
    let order = Monitor(())
    let applying = Monitor(())
    let flushing = Monitor(())
    let publication: Monitor<Manifest>
    let queue = Monitor(ApplyQueue())
    let background = Monitor(BackgroundState())
    let optimizations = Mutex(OptimizationLog())
    /// Held while a job is decided, so that no two take the same segments.
    let planning = Monitor(())
    let indexedCounts = Mutex(IndexedPoints())
    let deferredAnswers = Mutex<[DeferredAnswer]>([])
    /// What was learnt by measuring searches.
    package let tuning: TuningStore
    /// What searches that name a recall tell background work.
    let recallWishes = Mutex(RecallWishes())
    /// Graphs of jobs that a restart may go on with.
    package let savedBuilds: SavedBuilds
    let holdsAnswers = Atomic<Bool>(true)
    /// Damage that was found since the collection was opened.
    package let damage: DamageLog
    /// Why nothing may be written, if nothing may: what could be opened is not all there is.
    package let readOnlyReason: StorageError?
    /// Damage of what is not read any more, which the scrubber found.
    let scrubFindings = Mutex<[StorageError]>([])
    /// Whether the caller's thread does the work of the log's and of the applying thread: see ``runDue(sealing:)``.
    private let isSimulated = Simulation.current != nil
    private let wal = Mutex<WriteAheadLog?>(nil)
    private let applier = Mutex<Thread?>(nil)
    private let wakeBackground = Mutex<(@Sendable () -> Void)?>(nil)

    init(
        path: String, uuid: UUIDBytes, fileSystem: any FileSystem, limits: ShardLimits, store: GenerationStore,
        manifest: Manifest, view: ReadView, damage: DamageLog = DamageLog(), readOnlyReason: StorageError? = nil,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.path = path
        self.uuid = uuid
        self.fileSystem = fileSystem
        self.limits = limits
        self.store = store
        self.log = log
        self.damage = damage
        self.readOnlyReason = readOnlyReason
        tuning = TuningStore(parent: path, fileSystem: fileSystem, log: log)
        savedBuilds = SavedBuilds(collection: path, uuid: uuid, fileSystem: fileSystem, log: log)
        state = Monitor(view)
        publication = Monitor(manifest)
    }

    var segmentsPath: String { path + "/s0/seg" }
    var deletionsPath: String { path + "/s0/del" }

    /// What reads see now.
    package var view: ReadView { state.withLock { $0.readable } }
    /// All there is, also what is kept from reads until it is indexed: what writes and background work go by.
    package var newest: ReadView { state.withLock { $0 } }
    /// The configuration in force.
    package var config: CollectionConfig { state.withLock { $0.config } }
    /// Why no more writes are taken: the log failed or the shard is closed.
    package var failure: StorageError? { queue.withLock { $0.failure } }
    /// Operations logged and not yet applied.
    package var queueLength: Int { queue.withLock { $0.entries.count - $0.head } }

    /// Sets what is called when there is background work.
    package func onBackgroundWork(_ wake: @escaping @Sendable () -> Void) { wakeBackground.withLock { $0 = wake } }

    func wake() { wakeBackground.withLock { $0 }?() }

    // MARK: Writing

    /// Logs a validated operation and arranges for it to be applied.
    ///
    /// - Parameters:
    ///   - condition: which of the operation's points are written; decided here, so that the log needs no filter.
    ///   - wait: answer when the operation is on disk and visible, else when the operating system has it.
    ///   - hasDeadline: whether the caller stops waiting by itself, should the operation not become visible.
    ///   - completion: called once, from a thread of the engine or from this one.
    /// - Returns: the operation's number in the log; `nil` if it was refused.
    @discardableResult
    package func submit(
        _ operation: UpdateOperation, when condition: UpdateCondition? = nil, wait: Bool, hasDeadline: Bool = false,
        completion: @escaping @Sendable (Result<UpdateResult, OctantError>) -> Void
    ) -> LSN? {
        if operation.addsData { limits.memoryGuard?.waitForRoom() }
        let logged: Result<LSN, OctantError> = order.withLock { _ in
            Result { () throws(OctantError) in
                try admit(operation)
                return try enqueue(try resolve(operation, condition), wait: wait, hasDeadline: hasDeadline, completion)
            }
        }
        switch logged {
        case .failure(let error):
            completion(.failure(error))
            return nil
        case .success(let lsn):
            // Outside of the lock: a completion may write again.
            if !wait { settleUnacknowledged() } else if isSimulated { runDue() }
            return lsn
        }
    }

    /// Answers writes that do not wait and that the log wrote, or failed to, before they stood in the queue.
    private func settleUnacknowledged() {
        if let written = wal.withLock({ $0 })?.writtenLSN { acknowledge(written: written) }
        let lost = queue.withLock { queue -> (StorageError, [ApplyQueue.Completion])? in
            guard let failure = queue.failure, !queue.unacknowledged.isEmpty else { return nil }
            defer { queue.unacknowledged.removeAll() }
            return (failure, queue.unacknowledged.map(\.completion))
        }
        guard let (failure, completions) = lost else { return }
        for completion in completions { completion(.failure(OctantError(failure))) }
    }

    /// Refuses writes that would need room there is none of.
    private func admit(_ operation: UpdateOperation) throws(OctantError) {
        if let failure { throw OctantError(failure) }
        if case .delete(.ids) = operation { return }
        try checkIntact()
        if !operation.addsData { return }
        if let refusal = background.withLock({ $0.refusal }) { throw OctantError(refusal) }
    }

    private func enqueue(
        _ operation: UpdateOperation, wait: Bool, hasDeadline: Bool, _ completion: @escaping ApplyQueue.Completion
    ) throws(OctantError) -> LSN {
        let bytes = operation.encoded()
        if operation.addsData, let refusal = limits.memoryGuard?.refusal(adding: bytes.count) {
            requestFlush()
            throw refusal
        }
        if isSimulated, queue.withLock({ $0.pendingBytes + bytes.count > limits.queueBytesMax }) { runDue() }
        queue.wait { [limits] queue -> Void? in
            queue.pendingBytes == 0 || queue.pendingBytes + bytes.count <= limits.queueBytesMax || queue.failure != nil
                ? () : nil
        }
        guard let log = wal.withLock({ $0 }) else { throw OctantError(.unavailable, "the collection is closed") }
        do throws(StorageError) {
            var isDelete = false
            if case .delete = operation { isDelete = true }
            let lsn = try log.append(type: operation.logType, payload: bytes, mayUseReserve: isDelete)
            // The applying thread is woken when the operation is durable; only if that came first, it is woken here.
            let isReady = queue.withLock {
                $0.pendingBytes += bytes.count
                $0.entries.append(
                    .init(
                        lsn: lsn, operation: operation, bytes: bytes.count, hasDeadline: hasDeadline,
                        completion: wait ? completion : nil))
                if !wait { $0.unacknowledged.append((lsn, completion)) }
                return $0.durable >= lsn || $0.failure != nil || $0.closed
            }
            if isReady { queue.change { _ in } }
            return lsn
        } catch {
            throw OctantError(error)
        }
    }

    /// Turns a selection by filter into ids and a condition into the points that meet it, as of all operations logged
    /// before. `order` is held.
    private func resolve(
        _ operation: UpdateOperation, _ condition: UpdateCondition?
    ) throws(OctantError) -> UpdateOperation {
        var operation = operation
        if let condition, !condition.isAlwaysTrue {
            try waitUntilApplied()
            operation = operation.satisfying(condition, newest)
            try checkIntact()
        }
        guard let filter = operation.selectionFilter else { return operation }
        try waitUntilApplied()
        let ids = try newest.matchingIDs(filter)
        try checkIntact()
        return operation.selecting(ids)
    }

    /// Throws if damage was found: what was read then may be wrong.
    package func checkIntact() throws(OctantError) {
        if let found = damage.first { throw OctantError(found) }
    }

    /// Waits until everything logged so far is applied.
    package func waitUntilApplied() throws(OctantError) {
        if isSimulated { runDue() }
        guard let last = wal.withLock({ $0 })?.lastLSN else { return }
        let failure = queue.wait { queue -> StorageError?? in
            if queue.applied >= last { return .some(nil) }
            if let failure = queue.failure { return .some(failure) }
            return nil
        }
        if let failure { throw OctantError(failure) }
    }

    /// The LSN of the last logged operation.
    package var lastLSN: LSN { wal.withLock { $0 }?.lastLSN ?? newest.lsn }

    // MARK: Log thread and applying thread

    /// Takes over the opened log and starts applying.
    func start(_ log: WriteAheadLog) {
        wal.withLock { $0 = log }
        queue.change {
            $0.durable = log.durableLSN
            $0.applied = log.durableLSN
        }
        log.start(
            onWritten: { [weak self] lsn in self?.acknowledge(written: lsn) },
            onDurable: { [weak self] lsn in self?.queue.change { $0.durable = max($0.durable, lsn) } },
            onFailure: { [weak self] error in self?.fail(error) })
        if isSimulated { return }
        applier.withLock { $0 = Thread(name: "octant-apply") { [self] in applyLoop() } }
    }

    private func acknowledge(written lsn: LSN) {
        let done = queue.withLock { queue -> [(lsn: LSN, completion: ApplyQueue.Completion)] in
            let count = queue.unacknowledged.prefix { $0.lsn <= lsn }.count
            defer { queue.unacknowledged.removeFirst(count) }
            return Array(queue.unacknowledged.prefix(count))
        }
        for entry in done {
            entry.completion(.success(UpdateResult(operationID: entry.lsn, status: .acknowledged)))
        }
    }

    /// The log can take no more: what is not durable is answered with the error, reads go on.
    func fail(_ error: StorageError) { fence("the log failed", error) }

    /// Takes no more writes, for this reason; reads go on.
    package func fence(_ reason: String, _ error: StorageError) {
        log("\(path): \(reason), writes are refused until the collection is reopened: \(error)")
        let waiting = queue.change { queue in
            queue.failure = error
            defer { queue.unacknowledged.removeAll() }
            return queue.unacknowledged
        }
        for entry in waiting { entry.completion(.failure(OctantError(error))) }
    }

    private func applyLoop() {
        while perform(queue.wait { queue -> ApplyQueue.Step? in queue.nextStep() }) {}
    }

    /// Does the work of the log's thread and of the applying thread, in a simulation, where there are none.
    ///
    /// - Parameter sealing: whether the log has been idle for long enough to be sealed.
    package func runDue(sealing: Bool = false) {
        wal.withLock { $0 }?.runPending(sealing: sealing)
        while let step = queue.withLock({ $0.nextStep() }), perform(step) {}
    }

    /// Returns whether more steps may follow.
    private func perform(_ step: ApplyQueue.Step) -> Bool {
        switch step {
        case .apply(let entries):
            for entry in entries {
                waitForRoom()
                let error = applying.withLock { _ in apply(entry.operation, at: entry.lsn) }
                noteLogged(bytes: entry.bytes)
                queue.change {
                    $0.applied = entry.lsn
                    $0.pendingBytes -= entry.bytes
                }
                answer(entry, error)
            }
            noteWrites()
        case .abandon(let entries, let error):
            for entry in entries { entry.completion?(.failure(OctantError(error))) }
        case .stop:
            return false
        }
        return true
    }

    /// Writes wait here when checkpoints do not keep up, so that memory stays bounded.
    private func waitForRoom() {
        // A failed checkpoint sets the reason that ends the wait below.
        if isSimulated { while newest.memtables.count > limits.frozenMax, (try? flushFrozen()) == true {} }
        background.wait { [self] background -> Void? in
            let frozen = state.withLock { $0.memtables.count - 1 }
            return frozen < limits.frozenMax || background.refusal != nil || background.closing ? () : nil
        }
    }

    /// Why upserts are refused: the last checkpoint failed.
    package var refusal: StorageError? { background.withLock { $0.refusal } }

    /// What is wrong with the collection, if something is: the log failed, bytes are damaged, or there is no room.
    package var problem: StorageError? {
        failure ?? damage.first ?? refusal ?? scrubFindings.withLock { $0.first }
    }

    /// Stops taking writes, finishes what is logged, and closes the log. When it returns, no background work touches
    /// the shard's files any more and none begins.
    ///
    /// - Parameter forGood: whether nobody will open it again.
    package func close(forGood: Bool = false) {
        background.change {
            $0.closing = true
            $0.closingForGood = forGood
        }
        let log = order.withLock { _ in
            wal.withLock { log in
                defer { log = nil }
                return log
            }
        }
        log?.close()
        queue.change {
            if let durable = log?.durableLSN { $0.durable = max($0.durable, durable) }
            $0.closed = true
        }
        if isSimulated { runDue() }
        applier.withLock { $0 }?.join()
        applier.withLock { $0 = nil }
        background.wait { $0.inOptimizer > 0 || $0.measuring > 0 ? nil : () }
        flushing.withLock { _ in }
        publication.withLock { _ in }
        abandonDeferredAnswers()
    }

    /// Gives back log files whose operations are all in segments.
    func truncateLog(through lsn: LSN) { wal.withLock { $0 }?.truncate(through: lsn) }
}

/// Operations between the log and memory.
struct ApplyQueue: Sendable {
    typealias Completion = @Sendable (Result<UpdateResult, OctantError>) -> Void

    struct Entry: Sendable {
        var lsn: LSN
        var operation: UpdateOperation
        var bytes: Int
        /// Whether the client stops waiting by itself.
        var hasDeadline: Bool
        /// Called when applied; `nil` if the client did not want to wait.
        var completion: Completion?
    }

    enum Step: Sendable {
        case apply([Entry])
        case abandon([Entry], StorageError)
        case stop
    }

    var entries: [Entry] = []
    var head = 0
    var unacknowledged: [(lsn: LSN, completion: Completion)] = []
    var pendingBytes = 0
    var durable: LSN = 0
    var applied: LSN = 0
    var failure: StorageError?
    var closed = false

    /// What the applying thread does next; `nil`: wait.
    mutating func nextStep() -> Step? {
        var end = head
        while end < entries.count, end - head < 64, entries[end].lsn <= durable { end += 1 }
        if end > head {
            let ready = Array(entries[head..<end])
            head = end
            if head == entries.count || head > 4096 {
                entries.removeFirst(head)
                head = 0
            }
            return .apply(ready)
        }
        let error = failure ?? (closed ? StorageError(.closed, "the collection is closed") : nil)
        if let error, head < entries.count {
            let lost = Array(entries[head...])
            entries.removeAll()
            head = 0
            pendingBytes = 0
            return .abandon(lost, error)
        }
        return closed ? .stop : nil
    }
}

/// What background threads and writers tell each other.
struct BackgroundState: Sendable {
    /// A frozen memtable waits for its checkpoint.
    var flushRequested = false
    /// Why the last checkpoint failed, most often for want of room; upserts are refused until one succeeds.
    var refusal: StorageError?
    /// When a failed checkpoint and a failed optimisation are tried again, in milliseconds of the steady clock.
    var nextFlush: UInt64 = 0
    var nextOptimization: UInt64 = 0
    /// Optimisations that failed in a row.
    var optimizerFailures = 0
    /// Bytes of the log that no freeze covers.
    var loggedBytes = 0
    /// Why the last optimisation failed.
    var optimizerError: String?
    /// When an optimisation last failed, in milliseconds of the steady clock.
    var lastFailure: UInt64 = 0
    /// Threads of the optimizer that look at the shard, and its jobs.
    var inOptimizer = 0
    /// Threads that measure searches of the shard.
    var measuring = 0
    /// The shard is closing: background work stops.
    var closing = false
    /// And will not be opened again.
    var closingForGood = false
    /// When something was last written, in milliseconds of the steady clock.
    var lastWrite: UInt64 = 0
}

extension UpdateOperation {
    /// Whether it needs room: all but deletes of points do.
    var addsData: Bool {
        if case .delete = self { false } else { true }
    }

    /// The filter that selects points, if one does.
    var selectionFilter: Filter? {
        switch self {
        case .upsert, .updateVectors: nil
        case .delete(let selection), .clearPayload(let selection), .setPayload(_, let selection, _),
            .overwritePayload(_, let selection), .deletePayload(_, let selection), .deleteVectors(_, let selection):
            if case .filter(let filter) = selection { filter } else { nil }
        }
    }

    /// The operation on these points.
    func selecting(_ ids: [PointID]) -> UpdateOperation {
        switch self {
        case .upsert, .updateVectors: self
        case .delete: .delete(.ids(ids))
        case .clearPayload: .clearPayload(.ids(ids))
        case .setPayload(let object, _, let key): .setPayload(object, .ids(ids), key: key)
        case .overwritePayload(let payload, _): .overwritePayload(payload, .ids(ids))
        case .deletePayload(let paths, _): .deletePayload(paths, .ids(ids))
        case .deleteVectors(let names, _): .deleteVectors(names, .ids(ids))
        }
    }
}
