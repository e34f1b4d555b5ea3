import OctantEngine
public import OctantModel

extension Collection {
    /// What background work does, has done and will do.
    public func optimizations() -> OptimizationReport { shard.optimizationReport }

    /// How many optimizations ended well, and how many seconds they took together.
    package var optimizationTotals: (count: Int, seconds: Double) { shard.optimizationTotals }

    /// How many points have a vector, by its name. Rows that died and are not removed yet make it an estimate.
    public func vectorCounts() -> [(name: String, count: Int)] {
        let view = shard.view
        return view.config.params.vectors.all.map { vector in
            var count = 0
            for segment in view.segments {
                guard let field = segment.fields.first(where: { $0.name == vector.name }) else { continue }
                count += max(0, field.presentCount - segment.tombstones.killedCount)
            }
            for slot in view.memtables {
                guard let field = slot.table.fields.first(where: { $0.name == vector.name }) else { continue }
                count += max(0, slot.table.rowCount - field.absentCount - slot.table.tombstones.killedCount)
            }
            return (vector.name, count)
        }
    }

    /// Keys that field indexes cover.
    package var indexedKeys: [PayloadPath] { shard.view.fieldIndexes.map(\.key) }

    /// Points that reads do not see until they are indexed; `nil`: the collection does not hold points back.
    var deferredPoints: Int? {
        let newest = shard.newest
        return newest.config.optimizer.preventsUnoptimized == true ? newest.deferredPoints : nil
    }

    /// How many points there are.
    package var pointsCount: Int { shard.view.liveCount }

    /// How many jobs of the optimizer are running.
    package var runningOptimizations: Int { shard.runningOptimizations }

    /// Things a user should know of settings that are stored and have no effect in a server of one process.
    var configWarnings: [String] {
        let params = config.params
        var warnings: [String] = []
        if params.shardNumber != 1 {
            warnings.append("shard_number is \(params.shardNumber); a single server keeps all points in one shard")
        }
        if params.replicationFactor != 1 {
            warnings.append("replication_factor is \(params.replicationFactor); a single server keeps one copy")
        }
        for vector in params.vectors.all {
            guard let warning = InlineStorage(vector, config: config).warning else { continue }
            warnings.append("The `hnsw_config.inline_storage` option for vector '\(vector.name)' \(warning)")
        }
        return warnings
    }
}
