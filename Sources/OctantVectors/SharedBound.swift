import Synchronization

/// What the parts of one query know of each other: the best scores that any of them has found so far.
///
/// A collection's segments are disconnected graphs, and a query wants the best of their union. So it is one search with
/// one pool, in several graphs: a candidate is worth expanding if it is among the best seen in all graphs. Scores by the
/// codes of different segments are approximations of the same similarity, hence comparable; what the bound leaves out is
/// decided by them alone, as it is inside of one pool.
package final class SharedBound: Sendable {
    // SAFETY: (of the pointer) allocated by init, freed by deinit, and an atomic in between.
    nonisolated(unsafe) private let bits: UnsafeMutablePointer<Atomic<UInt32>>
    /// The best scores published, best first, at most `capacity` of them.
    private let best = Mutex<[Float]>([])
    /// Rows that all parts together keep.
    package let capacity: Int
    private let rowCount: Int

    /// A bound nobody has published to: it bounds nothing.
    ///
    /// The pool holds `ef` rows times the square root of the number of parts (of equal parts; the inverse of the sum of
    /// their squared shares in general). The more parts, the fewer of the `ef` best are in each, and the harder they
    /// are to reach from each other; with `ef` alone, recall would fall. By measurement the square root keeps it (see
    /// docs/performance.md), where searches that know nothing of each other would need `ef` in each part.
    package init(ef: Int, partRows: [Int]) {
        let rows = partRows.reduce(0.0) { $0 + Double($1) }
        let squares = partRows.reduce(0.0) { $0 + Double($1) * Double($1) }
        let parts = squares > 0 ? rows * rows / squares : 1
        capacity = Int(exactly: min(Double(max(ef, 1)) * parts.squareRoot(), 1e9).rounded(.up)) ?? max(ef, 1)
        rowCount = max(partRows.reduce(0, +), 1)
        bits = .allocate(capacity: 1)
        bits.initialize(to: Atomic((-Float.infinity).bitPattern))
    }

    deinit {
        bits.deinitialize(count: 1)
        bits.deallocate()
    }

    /// The worst score of a full pool; -infinity while it is not full. It only ever rises.
    package var floor: Float { Float(bitPattern: bits.pointee.load(ordering: .relaxed)) }

    /// Adds the scores of one part's pool, sorted best first. Each row is to be published once.
    func publish(_ pool: UnsafePointer<ScoreKey>, _ count: Int) {
        guard count > 0, keyScore(pool[0]) > floor else { return }
        best.withLock { best in
            var merged: [Float] = []
            merged.reserveCapacity(min(best.count + count, capacity))
            var (mine, theirs) = (0, 0)
            while merged.count < capacity, mine < count || theirs < best.count {
                if theirs == best.count || mine < count && keyScore(pool[mine]) > best[theirs] {
                    merged.append(keyScore(pool[mine]))
                    mine += 1
                } else {
                    merged.append(best[theirs])
                    theirs += 1
                }
            }
            best = merged
            // Every rise is made under the lock.
            if best.count == capacity, let last = best.last { bits.pointee.store(last.bitPattern, ordering: .relaxed) }
        }
    }

    /// How far a walk with a pool of `ef` in a part of `rows` rows goes before the others are asked: over the places that
    /// it would have if the best were spread evenly, and a deviation more.
    func reach(rows: Int, ef: Int) -> SharedReach {
        let share = Double(capacity) * Double(min(rows, rowCount)) / Double(rowCount)
        let most = min(Double(ef), (share + share.squareRoot()).rounded(.up))
        let least = min(ef, SharedReach.leastDefault)
        return SharedReach(bits: bits, least: least, most: max(Int(most), least))
    }
}

/// Where a walk may stop before all of its pool was expanded, and which rows it need not keep.
protocol WalkReach {
    /// Whether the walk ends where the best candidate not yet expanded is `key`, at place `cursor` of the pool.
    func ends(at cursor: Int, _ key: ScoreKey) -> Bool
    /// How many rows a pool of `ef` takes whatever their scores.
    func room(_ ef: Int) -> Int
    /// Beyond these, only rows with better scores than this enter the pool.
    func floor(_ pool: UnsafePointer<ScoreKey>, _ count: Int, _ ef: Int) -> Float
}

/// A walk on its own: all of its pool is expanded.
struct WholePool: WalkReach {
    @inline(__always)
    func ends(at cursor: Int, _ key: ScoreKey) -> Bool { false }

    @inline(__always)
    func room(_ ef: Int) -> Int { ef }

    @inline(__always)
    func floor(_ pool: UnsafePointer<ScoreKey>, _ count: Int, _ ef: Int) -> Float {
        count == ef ? keyScore(pool[ef &- 1]) : -.infinity
    }
}

/// A walk that shares its pool with those of other segments. At least it is a walk with a pool of `least`, which takes it
/// into the query's neighbourhood in its own graph; at most one with a pool of `most`; in between it expands what is
/// above the shared floor.
struct SharedReach: WalkReach {
    /// Kept by the ``SharedBound``, which outlives the walk.
    let bits: UnsafeMutablePointer<Atomic<UInt32>>
    let least: Int
    var most: Int

    /// Places of the pool that are expanded in every segment.
    static let leastDefault = 8

    @inline(__always)
    var sharedFloor: Float { Float(bitPattern: bits.pointee.load(ordering: .relaxed)) }

    @inline(__always)
    func ends(at cursor: Int, _ key: ScoreKey) -> Bool {
        cursor >= most || cursor >= least && keyScore(key) < sharedFloor
    }

    @inline(__always)
    func room(_ ef: Int) -> Int { least }

    @inline(__always)
    func floor(_ pool: UnsafePointer<ScoreKey>, _ count: Int, _ ef: Int) -> Float {
        guard count >= least else { return -.infinity }
        let own = min(keyScore(pool[least &- 1]), sharedFloor)
        return count == ef ? max(own, keyScore(pool[ef &- 1])) : own
    }
}
