package import OctantModel
package import OctantStorage

/// What the optimizer would do next, decided from sizes and settings alone.
///
/// In order: rewrite what the configuration no longer matches; rewrite what is mostly dead; take points that no graph
/// covers into one; bring the number of segments down, or up, to the one that is wanted. A graph grows by inserting the new points, so the work of a
/// collection that is being filled is one insertion per point, however often its segments are merged.
package struct OptimizerPlan: Sendable, Equatable {
    /// Why.
    package enum Reason: String, Sendable {
        case configMismatch = "config mismatch"
        case vacuum
        case indexing
        case merge
    }

    /// Why.
    package var reason: Reason
    /// The segments to replace; the first is the one that grows, if one does.
    package var sources: [UUIDBytes]
    /// Whether the new segment gets graphs.
    package var indexed: Bool
    /// Whether the graphs of the first source are kept and grown.
    package var growsFirst: Bool
    /// How many new segments share the rows.
    package var pieces = 1

    /// A segment as the plan sees it.
    package struct Part: Sendable {
        package var uuid: UUIDBytes
        package var rowCount: Int
        package var deadCount: Int
        package var vectorBytes: Int
        /// Bytes of vectors that want a graph and have none.
        package var indexableBytes: Int
        package var isIndexed: Bool
        /// Whether its files are what the configuration asks for.
        package var isCurrent: Bool
        /// It stands for what a job that runs will make: it counts, and nothing can be done with it yet.
        package var isComing = false

        package init(
            uuid: UUIDBytes, rowCount: Int, deadCount: Int, vectorBytes: Int, indexableBytes: Int, isIndexed: Bool,
            isCurrent: Bool
        ) {
            self.uuid = uuid
            self.rowCount = rowCount
            self.deadCount = deadCount
            self.vectorBytes = vectorBytes
            self.indexableBytes = indexableBytes
            self.isIndexed = isIndexed
            self.isCurrent = isCurrent
        }
    }

    /// Flat segments beyond this are merged even when they are too small to be indexed: each costs every search a visit.
    private static let flatSegmentsMax = 4

    /// The next step; `nil`: all is as it should be.
    ///
    /// - Parameters:
    ///   - processors: what the default of `max_segment_size` goes by.
    ///   - indexable: whether any vector wants a graph.
    ///   - idle: nothing has been written for a while, so that even a small tail is worth indexing.
    package static func next(
        _ parts: [Part], config: OptimizerConfig, processors: Int, indexable: Bool, idle: Bool
    ) -> OptimizerPlan? {
        if config.maxOptimizationThreads == 0 { return nil }
        if let part = parts.first(where: { !$0.isCurrent }) {
            return OptimizerPlan(
                reason: .configMismatch, sources: [part.uuid], indexed: part.isIndexed, growsFirst: false)
        }
        if let part = parts.first(where: {
            !$0.isComing && isWorthVacuuming(dead: $0.deadCount, of: $0.rowCount, config)
        }) {
            return OptimizerPlan(reason: .vacuum, sources: [part.uuid], indexed: part.isIndexed, growsFirst: false)
        }
        let cap = segmentBytesMax(parts, config, processors)
        let flat = parts.filter { !$0.isIndexed && !$0.isComing }.sorted { $0.vectorBytes < $1.vectorBytes }
        let indexed = parts.filter(\.isIndexed).sorted { $0.vectorBytes > $1.vectorBytes }
        var waitsForGraph = false
        if indexable, let plan = indexing(flat, indexed, config, cap, idle) {
            guard parts.contains(where: { $0.isComing && plan.sources.contains($0.uuid) }) else { return plan }
            // The graph that is to take these points is being made. A graph of their own would have to be merged with
            // it, and to merge them meanwhile would only make them wait longer.
            waitsForGraph = true
        }
        let total = parts.reduce(0) { $0 + $1.vectorBytes }
        return (waitsForGraph ? nil : mergingFlat(flat, cap)) ?? merging(indexed, config, cap, total, processors)
            ?? splitting(indexed, config, cap)
    }

    /// What a job of this plan will make of `sources`, as far as the plans of others are concerned.
    package func outcome(of sources: [Part]) -> [Part] {
        let rows = sources.reduce(0) { $0 + $1.rowCount - $1.deadCount }
        let bytes = sources.reduce(0) { $0 + $1.vectorBytes }
        guard rows > 0 else { return [] }
        return (0..<pieces).map { _ in
            var part = Part(
                uuid: .random(), rowCount: rows / pieces, deadCount: 0, vectorBytes: bytes / pieces, indexableBytes: 0,
                isIndexed: indexed, isCurrent: true)
            part.isComing = true
            return part
        }
    }

    /// Merges the smallest of too many flat segments, and with them others up to the size of what they make: a row is
    /// then rewritten a few times in its life, not each time a memtable is written.
    private static func mergingFlat(_ flat: [Part], _ cap: Int) -> OptimizerPlan? {
        guard flat.count > flatSegmentsMax else { return nil }
        let parts = flat.sorted { $0.rowCount < $1.rowCount }
        var sources: [UUIDBytes] = []
        var rows = 0
        var bytes = 0
        for part in parts {
            if sources.count >= 2, part.rowCount > rows { break }
            guard part.vectorBytes <= cap - bytes else { break }
            sources.append(part.uuid)
            rows += part.rowCount
            bytes += part.vectorBytes
        }
        guard sources.count >= 2 else { return nil }
        return OptimizerPlan(reason: .merge, sources: sources, indexed: false, growsFirst: false)
    }

    /// Whether a segment of `rows`, of which `dead` have died, is to be rewritten without them. What is not worth it is
    /// not with fewer dead either.
    static func isWorthVacuuming(dead: Int, of rows: Int, _ config: OptimizerConfig) -> Bool {
        if dead == rows { return true }
        return rows >= config.vacuumMinVectorNumber && Double(dead) > config.deletedThreshold * Double(rows)
    }

    private static func sizeLimit(_ config: OptimizerConfig, _ processors: Int) -> Int {
        min(config.maxSegmentSize ?? max(1, processors) * 256_000, Int.max >> 10) << 10
    }

    /// The largest segment a merge may make.
    static func segmentBytesMax(_ parts: [Part], _ config: OptimizerConfig, _ processors: Int) -> Int {
        let limit = sizeLimit(config, processors)
        guard config.defaultSegmentNumber > 1 else { return limit }
        let total = parts.reduce(0) { $0 + $1.vectorBytes }
        let threshold = min(config.indexingThreshold ?? 10_000, Int.max >> 11) << 10
        return min(limit, max(total / config.defaultSegmentNumber * 21 / 20, threshold))
    }

    private static func indexing(
        _ flat: [Part], _ indexed: [Part], _ config: OptimizerConfig, _ cap: Int, _ idle: Bool
    ) -> OptimizerPlan? {
        guard let kilobytes = config.indexingThreshold, kilobytes > 0 else { return nil }
        // A segment without a vector that wants a graph stays flat however often it is rewritten.
        let flat = flat.filter { $0.indexableBytes > 0 }
        let tail = flat.reduce(0) { $0 + $1.indexableBytes }
        let whole = flat.reduce(0) { $0 + $1.vectorBytes }
        var threshold = min(kilobytes, Int.max >> 11) << 10
        if idle, let largest = indexed.first { threshold = min(threshold, max(1 << 20, largest.vectorBytes / 50)) }
        guard tail >= threshold, !flat.isEmpty else { return nil }
        // Where several segments are wanted, they are to be of one size.
        let bases = (config.defaultSegmentNumber > 1 ? indexed.reversed() : indexed)
            .filter { $0.vectorBytes + whole <= cap }
        let base = config.defaultSegmentNumber > 1 ? bases.first { !$0.isComing } ?? bases.first : bases.first
        var sources = base.map { [$0.uuid] } ?? []
        var bytes = base?.vectorBytes ?? 0
        for part in flat {
            if bytes > 0, bytes + part.vectorBytes > cap { break }
            sources.append(part.uuid)
            bytes += part.vectorBytes
        }
        return OptimizerPlan(
            reason: .indexing, sources: sources, indexed: true, growsFirst: base != nil,
            pieces: base == nil ? pieces(of: bytes, cap, missing: config.defaultSegmentNumber - indexed.count) : 1)
    }

    /// Merges the smallest of too many segments into another.
    private static func merging(
        _ indexed: [Part], _ config: OptimizerConfig, _ cap: Int, _ total: Int, _ processors: Int
    ) -> OptimizerPlan? {
        guard indexed.count > max(1, config.defaultSegmentNumber), let smallest = indexed.last, !smallest.isComing
        else { return nil }
        var others = Array(indexed.dropLast())
        var room = cap
        if config.defaultSegmentNumber > 1 {
            // Segments that are nearly as large as they are to be have no room for each other, and yet are too many.
            room = max(cap, min(total / config.defaultSegmentNumber * 2, sizeLimit(config, processors)))
            others.reverse()
        }
        guard let base = others.first(where: { $0.vectorBytes + smallest.vectorBytes <= room }), !base.isComing
        else { return nil }
        return OptimizerPlan(
            reason: .merge, sources: [base.uuid, smallest.uuid], indexed: true, growsFirst: true)
    }

    /// Divides the largest of too few segments, as after the number wanted was raised.
    private static func splitting(_ indexed: [Part], _ config: OptimizerConfig, _ cap: Int) -> OptimizerPlan? {
        guard let largest = indexed.first(where: { !$0.isComing }), largest.vectorBytes > cap / 2 * 3 else {
            return nil
        }
        let wanted = pieces(of: largest.vectorBytes, cap, missing: config.defaultSegmentNumber - indexed.count + 1)
        guard wanted > 1, (largest.rowCount - largest.deadCount) / 2 >= wanted else { return nil }
        return OptimizerPlan(
            reason: .configMismatch, sources: [largest.uuid], indexed: true, growsFirst: false, pieces: wanted)
    }

    /// Into how many segments `bytes` of vectors go, where `missing` more are wanted.
    private static func pieces(of bytes: Int, _ cap: Int, missing: Int) -> Int {
        guard cap > 0, missing > 1 else { return 1 }
        return max(1, min(bytes / cap + (bytes % cap > 0 ? 1 : 0), missing))
    }
}
