import OctantStorage
import OctantVectors

/// When the graph of a running build is saved.
package struct BuildSavePolicy: Sendable {
    /// Milliseconds of building before it is saved, and between two times, at least: what may be lost is not more, as long
    /// as the graph is small.
    package var intervalMilliseconds: UInt64 = 30_000
    /// Rows that were inserted since, at least.
    package var rowsMin = 4096
    /// Of the rows that were inserted before, one in so many is to be inserted before it is saved again: how many times the
    /// size of a large graph is written is then bounded, and so is the share of the work that may be lost.
    package var growth = 8
    /// Building goes on for so many times as long as saving took, before it is saved again.
    package var costFactor: UInt64 = 50
    /// Milliseconds that a last save may be expected to take while the collection closes.
    package var closingMilliseconds: UInt64 = 3000
    /// Rows that a thread inserts at once, at most.
    package var batchMax = Int.max

    package init() {}
}

/// Saves the graph of one build now and then. For that its threads rest between two batches of rows: the rows that were
/// taken by then are in the graph, and no link leads beyond them. They go on while what was written is synced.
final class GraphSaving: BuildObserver {
    private struct State {
        /// Threads that insert, or rest.
        var active = 0
        var resting = 0
        /// One thread waits for the others to rest, or writes.
        var isPausing = false
        /// One thread asks whether to save, writes or syncs.
        var isSaving = false
        /// Rows that were there when this build began, and that are saved.
        var first = 0
        var savedRows = 0
        /// In milliseconds of the steady clock.
        var began: UInt64 = 0
        var saved: UInt64 = 0
        var due: UInt64 = 0
        var failures: UInt64 = 0
        var bytesPerMillisecond = 200_000
    }

    private let builds: JobBuilds
    private let build: SavedBuild
    private let name: String
    private let meter: JobMeter?
    private let state = Monitor(State())

    init(_ builds: JobBuilds, _ build: SavedBuild, vectorNumber: Int, meter: JobMeter?) {
        self.builds = builds
        self.build = build
        self.meter = meter
        name = build.fileName(vectorNumber: vectorNumber)
    }

    var batchMax: Int { builds.policy.batchMax }

    /// Gives the builder the graph that was saved of this build. Returns how many rows it has; `nil` if nothing was.
    func resume(_ builder: HNSWBuilder) -> Int? {
        guard let opened = builds.saved.open(build, name) else { return nil }
        let rows = builder.adopt(opened.graph)
        opened.file.unload()
        guard rows > 0 else { return nil }
        builds.log(
            "\(builds.saved.path)/\(name): \(build.plan.reason.rawValue) resumes with \(rows) of \(build.rowCount) rows "
                + "of the graph")
        meter?.resume(at: rows)
        return rows
    }

    /// Notes that building begins with so many rows; `isSaved`: which are on disk.
    func start(rows: Int, isSaved: Bool) {
        let now = steadyMilliseconds()
        state.change { state in
            state.first = rows
            state.savedRows = isSaved ? rows : 0
            state.began = now
            state.saved = now
            state.due = now + builds.policy.intervalMilliseconds
        }
    }

    // MARK: Threads of the build

    func begin() {
        state.wait { state -> Void? in
            if state.isPausing { return nil }
            state.active += 1
            return ()
        }
    }

    func end() { state.change { $0.active -= 1 } }

    func between(_ builder: HNSWBuilder) {
        let rests = state.change { state -> Bool? in
            if state.isPausing {
                state.resting += 1
                return true
            }
            guard isDue(state, builder.frontier) else { return nil }
            state.isSaving = true
            return false
        }
        guard let rests else { return }
        if !rests { return saveIfWanted(builder) }
        // As long as it counts as resting it rests: another pause may follow before this thread is awake.
        state.wait { state -> Void? in
            if state.isPausing { return nil }
            state.resting -= 1
            return ()
        }
    }

    private func isDue(_ state: State, _ rows: Int) -> Bool {
        let (policy, now) = (builds.policy, steadyMilliseconds())
        let (done, left) = (rows - state.first, build.rowCount - rows)
        let since = rows - max(state.savedRows, state.first)
        guard !state.isSaving, now >= state.due, since >= policy.rowsMin, left > 0,
            since >= max(0, state.savedRows - state.first) / policy.growth
        else { return false }
        // What is nearly done is not worth it.
        let remaining = UInt64(now - state.began) * UInt64(left) / UInt64(max(1, done))
        return remaining >= policy.intervalMilliseconds
    }

    /// Saves what is due, which this thread has taken upon itself. To ask whether it is wanted takes longer than the others
    /// should wait for the lock; what is not wanted is not asked for again before the next time.
    private func saveIfWanted(_ builder: HNSWBuilder) {
        let isWanted = builds.isWanted()
        state.change { state in
            if isWanted {
                state.isPausing = true
            } else {
                state.isSaving = false
                state.due = steadyMilliseconds() + builds.policy.intervalMilliseconds
            }
        }
        if isWanted { save(builder) }
    }

    private func save(_ builder: HNSWBuilder) {
        state.wait { $0.resting >= $0.active - 1 ? () : nil }
        let rows = builder.frontier
        var file: SavedBuilds.Unpublished?
        let began = steadyMilliseconds()
        var failure: StorageError?
        meter?.allocate(SegmentWriter.fileBytes)
        defer { meter?.free(SegmentWriter.fileBytes) }
        do throws(StorageError) { file = try write(builder, rows) } catch { failure = error }
        state.change { $0.isPausing = false }
        if let written = file, failure == nil {
            do throws(StorageError) { try builds.saved.publish(written) } catch { failure = error }
        }
        note(rows: rows, bytes: file?.writer.dataLength, since: began, failure)
    }

    private func write(_ builder: HNSWBuilder, _ rows: Int) throws(StorageError) -> SavedBuilds.Unpublished {
        guard builds.saved.hasRoom(for: builder.byteCount(first: rows), beside: builder.byteCount) else {
            throw StorageError(.diskFull, "\(builds.saved.path): no room")
        }
        return try builds.saved.write(build, name, builder)
    }

    private func note(rows: Int, bytes: Int?, since began: UInt64, _ failure: StorageError?) {
        let now = steadyMilliseconds()
        let cost = now - began
        let isFirst = state.change { state in
            state.isSaving = false
            state.due = now + max(builds.policy.intervalMilliseconds, builds.policy.costFactor * cost)
            guard failure == nil else {
                state.due += builds.policy.intervalMilliseconds << min(state.failures, 6)
                state.failures += 1
                return state.failures == 1
            }
            state.failures = 0
            state.savedRows = rows
            state.saved = now
            if let bytes, cost > 0 { state.bytesPerMillisecond = max(1, bytes / Int(cost)) }
            return false
        }
        if isFirst, let failure {
            builds.log("\(builds.saved.path)/\(name): the graph of a job that runs cannot be saved: \(failure)")
        }
    }

    // MARK: After the threads have ended

    /// Saves what was built, if much was since the last time.
    ///
    /// - Parameter isClosing: the collection waits for it: only if it takes little time.
    func saveLast(_ builder: HNSWBuilder, isClosing: Bool) {
        let (state, rows, policy) = (state.withLock { $0 }, builder.frontier, builds.policy)
        let bytes = builder.byteCount(first: rows)
        guard rows - max(state.savedRows, state.first) >= policy.rowsMin,
            steadyMilliseconds() - state.saved >= policy.intervalMilliseconds / 6, builds.isWanted()
        else { return }
        if isClosing, UInt64(bytes / state.bytesPerMillisecond) > policy.closingMilliseconds { return }
        save(builder)
    }
}
