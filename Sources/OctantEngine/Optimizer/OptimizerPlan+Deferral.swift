package import OctantModel
import OctantStorage

extension OptimizerPlan {
    /// The step that brings reads nearer to seeing `hidden` segments, which wait to be indexed for no other reason;
    /// `nil` if none of them does.
    ///
    /// All of them go into one segment with the graph that has room for them: reads then see it. If that would become
    /// too large, as many as have room go into a graph of their own, which stays hidden like the rest. Segments that
    /// reads see are touched only in the first case, because a segment is hidden or seen as a whole.
    package static func revealing(
        _ hidden: [Part], shown: [Part], config: OptimizerConfig, processors: Int
    ) -> OptimizerPlan? {
        let due = hidden.filter { $0.indexableBytes > 0 }.sorted { $0.vectorBytes < $1.vectorBytes }
        guard !due.isEmpty, config.maxOptimizationThreads != 0 else { return nil }
        let cap = segmentBytesMax(hidden + shown, config, processors)
        let whole = shown.filter { !$0.isIndexed && !$0.isComing && $0.indexableBytes > 0 } + due
        let bytes = whole.reduce(0) { $0 + $1.vectorBytes }
        // A graph of other settings than those in force does not grow.
        let bases = shown.filter { $0.isIndexed && $0.isCurrent }.sorted { $0.vectorBytes > $1.vectorBytes }
        let withRoom = bases.filter { $0.vectorBytes <= cap - bytes }
        // Else there would soon be two graphs to be merged.
        if !withRoom.isEmpty, withRoom.allSatisfy(\.isComing) { return nil }
        if let base = withRoom.first(where: { !$0.isComing }) {
            return OptimizerPlan(
                reason: .indexing, sources: [base.uuid] + whole.map(\.uuid), indexed: true, growsFirst: true)
        }
        if bytes <= cap {
            return OptimizerPlan(reason: .indexing, sources: whole.map(\.uuid), indexed: true, growsFirst: false)
        }
        var sources: [UUIDBytes] = []
        var room = cap
        for part in due where sources.isEmpty || part.vectorBytes <= room {
            sources.append(part.uuid)
            room -= part.vectorBytes
        }
        return OptimizerPlan(reason: .indexing, sources: sources, indexed: true, growsFirst: false)
    }
}
