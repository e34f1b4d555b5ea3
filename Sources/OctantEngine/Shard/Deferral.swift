import OctantModel
import OctantStorage
import Synchronization

/// What is kept from reads until it is indexed (`prevent_unoptimized`).
///
/// Reads see the state after one operation, of parts that hold nothing later. It is always one at which a memtable was
/// frozen, so that whole parts are hidden and what reads see needs no other check than that of any view: what died
/// later still lives there. Merges of parts that reads see therefore keep rows that died later; merges of hidden parts
/// need not, because reads will go on at a checkpoint, and none that comes is before the merge's own.
struct Deferral: Sendable {
    /// Reads see the operations up to this one.
    var lsn: LSN
    /// How many points there were after it.
    var liveCount: Int
    /// The hidden segments, and for each the last operation that it may hold something of.
    var segments: [UUIDBytes: LSN] = [:]
}

/// A client that waits until its applied operation is visible.
struct DeferredAnswer: Sendable {
    var lsn: LSN
    /// Whether the client stops waiting by itself.
    var hasDeadline: Bool
    var completion: ApplyQueue.Completion
}

extension CollectionConfig {
    /// Whether any vector wants a graph.
    var wantsGraph: Bool { params.denseVectors.contains { IndexPolicy($0, config: self).graph != nil } }

    /// Bytes of vectors outside of graphs that are worth a graph; `nil` if nothing gets one.
    var indexingBytes: Int? {
        guard let kilobytes = optimizer.indexingThreshold, kilobytes > 0, wantsGraph else { return nil }
        return min(kilobytes, Int.max >> 11) << 10
    }

    /// Bytes of vectors outside of graphs beyond which points are kept from reads; `nil`: none are.
    fileprivate var deferringBytes: Int? { optimizer.preventsUnoptimized == true ? indexingBytes : nil }
}

extension ReadView {
    func hides(_ segment: Segment) -> Bool { deferral?.segments[segment.entry.uuid] != nil }

    private func hides(_ slot: MemtableSlot) -> Bool {
        guard let deferral else { return false }
        return slot.through.map { $0 > deferral.lsn } ?? true
    }

    /// What reads see of it.
    var readable: ReadView {
        guard let deferral else { return self }
        var view = self
        view.segments.removeAll { hides($0) }
        view.memtables.removeAll { hides($0) }
        (view.lsn, view.liveCount, view.deferral) = (deferral.lsn, deferral.liveCount, nil)
        return view
    }

    /// How many points reads do not see, or not as they are now. Deletions they do not see yet are not among them.
    package var deferredPoints: Int {
        guard deferral != nil else { return 0 }
        var count = 0
        for segment in segments where hides(segment) { count += segment.rowCount - segment.tombstones.killedCount }
        for slot in memtables where hides(slot) { count += slot.table.rowCount - slot.table.tombstones.killedCount }
        return max(0, count)
    }

    /// Bytes of vectors that want a graph and have none.
    var unindexedBytes: Int {
        memtables.reduce(0) { $0 + $1.table.indexableBytes(config) } + segments.reduce(0) { $0 + $1.indexableBytes }
    }

    /// Whether reads will see, when `segments` are replaced by an indexed one, all that is hidden now and on disk; `nil`
    /// if the segments must not be made one, because reads see some of them and would not see all of the new one.
    func deferralAllows(_ segments: [Segment]) -> Bool? {
        let hidden = segments.filter { hides($0) }
        guard !hidden.isEmpty else { return false }
        let left = self.segments.contains { segment in
            hides(segment) && segment.indexableBytes > 0 && !segments.contains { $0 === segment }
        }
        return left && hidden.count < segments.count ? nil : !left
    }

    /// Notes what becomes of hidden parts when `replacement` is made, before the parts change.
    mutating func replaceDeferred(_ replacement: Shard.Replacement, by segments: [Segment]) {
        var last: LSN = 0
        var hidden = 0
        for source in replacement.sources {
            if let gone = source as? Segment {
                guard let through = deferral?.segments.removeValue(forKey: gone.entry.uuid) else { continue }
                last = max(last, through)
                hidden += 1
            } else if let slot = memtables.first(where: { ($0.table as AnyObject) === (source as AnyObject) }) {
                // A checkpoint.
                checkpointLiveCount = slot.liveCount
                guard hides(slot), let through = slot.through else { continue }
                last = max(last, through)
                hidden += 1
            }
        }
        guard let deferral else { return }
        if let reveals = replacement.reveals, reveals.lsn > deferral.lsn {
            self.deferral = Deferral(
                lsn: reveals.lsn, liveCount: reveals.liveCount,
                segments: deferral.segments.filter { $0.value > reveals.lsn })
        } else if replacement.reveals == nil, hidden > 0 {
            for segment in segments { self.deferral?.segments[segment.entry.uuid] = last }
        }
    }

    /// Lets reads see as much as they may.
    mutating func settleDeferral() {
        guard let deferral else { return }
        guard let limit = config.deferringBytes, unindexedBytes >= limit else {
            self.deferral = nil
            return
        }
        // All that is on disk is indexed: what is in memory came after the checkpoint.
        guard checkpoint > deferral.lsn, !segments.contains(where: { hides($0) && $0.indexableBytes > 0 }) else {
            return
        }
        self.deferral = Deferral(lsn: checkpoint, liveCount: checkpointLiveCount)
    }
}

extension Shard {
    /// Called before an operation is applied: if it brings more vectors than may be outside of graphs, reads see what
    /// was before it until these are indexed. `applying` is held.
    ///
    /// - Returns: what then holds; in force only together with the operation, or it would seem needless before that.
    func deferralIfDue(_ operation: UpdateOperation) -> Deferral? {
        var view = newest
        guard let limit = view.config.deferringBytes, view.deferral == nil else { return nil }
        let added = operation.indexableBytes(view.config)
        guard added > 0, view.unindexedBytes + added >= limit else { return nil }
        if let open = view.memtables.last, open.table.rowCount > 0 {
            // Without memory for another, the operation itself fails soon enough.
            guard freezeMemtable(roomFor: 0, through: view.lsn, view: &view) else { return nil }
        }
        return Deferral(lsn: view.lsn, liveCount: view.liveCount)
    }

    /// Lets reads see as much as they may, and answers who waited for it. Called without locks: who is answered may
    /// write again.
    func settleDeferral() {
        state.withLock { $0.settleDeferral() }
        answerDeferred()
    }

    /// Answers the client of an operation that was applied, now or when it is visible.
    func answer(_ entry: ApplyQueue.Entry, _ error: OctantError?) {
        guard let completion = entry.completion else { return }
        if let error {
            completion(.failure(error))
        } else if state.withLock({ $0.deferral == nil }) {
            completion(.success(UpdateResult(operationID: entry.lsn, status: .completed)))
        } else {
            deferredAnswers.withLock {
                $0.append(.init(lsn: entry.lsn, hasDeadline: entry.hasDeadline, completion: completion))
            }
            answerDeferred()
        }
    }

    /// Answers who waits for what is visible now. While background work is off, nobody knows when a write becomes
    /// visible: who sets no limit to the wait is answered that the write is kept.
    private func answerDeferred() {
        guard holdsAnswers.load(ordering: .sequentiallyConsistent) else { return abandonDeferredAnswers() }
        let (visible, isOff) = state.withLock {
            ($0.deferral?.lsn ?? .max, $0.config.optimizer.maxOptimizationThreads == 0)
        }
        let ready = deferredAnswers.withLock { answers -> [DeferredAnswer] in
            guard !answers.isEmpty else { return [] }
            let ready = answers.filter { $0.lsn <= visible || isOff && !$0.hasDeadline }
            if !ready.isEmpty { answers.removeAll { $0.lsn <= visible || isOff && !$0.hasDeadline } }
            return ready
        }
        for answer in ready {
            let status: UpdateResult.Status = answer.lsn <= visible ? .completed : .acknowledged
            answer.completion(.success(UpdateResult(operationID: answer.lsn, status: status)))
        }
    }

    /// From now on nobody waits until what was written is visible: the shard is about to close.
    package func endWaits() {
        holdsAnswers.store(false, ordering: .sequentiallyConsistent)
        abandonDeferredAnswers()
    }

    /// The shard has closed: what clients still wait for is on disk, and visible when it is opened again.
    func abandonDeferredAnswers() {
        let left = deferredAnswers.withLock { answers in
            defer { answers.removeAll() }
            return answers
        }
        for answer in left {
            answer.completion(.success(UpdateResult(operationID: answer.lsn, status: .acknowledged)))
        }
    }
}

extension UpdateOperation {
    /// Bytes it brings of vectors that want a graph.
    fileprivate func indexableBytes(_ config: CollectionConfig) -> Int {
        let wanted = config.params.denseVectors.filter { IndexPolicy($0, config: config).graph != nil }
        func bytes(_ vectors: NamedVectors) -> Int {
            wanted.reduce(0) { $0 + (vectors[$1.name] == nil ? 0 : $1.params.rowBytes) }
        }
        switch self {
        case .upsert(let points): return points.reduce(0) { $0 + bytes($1.vectors) }
        case .updateVectors(let points): return points.reduce(0) { $0 + bytes($1.vectors) }
        case .delete, .setPayload, .overwritePayload, .deletePayload, .clearPayload, .deleteVectors: return 0
        }
    }
}
