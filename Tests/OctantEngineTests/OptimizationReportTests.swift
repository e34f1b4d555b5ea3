import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

@Suite("Report of optimizations")
struct OptimizationReportTests {
    @Test("jobs are reported when they end, and all segments are accounted for")
    func jobs() throws {
        let folder = TemporaryFolder()
        let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        defer { database.close() }
        var config = tinyConfig()
        config.optimizer.indexingThreshold = 1
        try database.createCollection("c", config)
        let collection = try database.collection("c")
        #expect(collection.optimizations().completed.isEmpty)
        var generator = SeededGenerator(seed: 3)
        for start in stride(from: UInt64(0), to: 2000, by: 100) {
            let points = (start..<start + 100).map {
                Point(
                    id: .number($0),
                    vectors: NamedVectors([.init(name: "a", vector: .dense(randomVector(4, &generator)))]))
            }
            try collection.update(.upsert(points))
        }
        settle(collection)
        let report = collection.optimizations()
        #expect(report.completed.contains { $0.reason == "indexing" && $0.status == .done })
        #expect(report.completed.allSatisfy { !$0.segments.isEmpty && ($0.seconds ?? -1) >= 0 })
        #expect(collection.optimizationTotals.count >= report.completed.count)
        let accounted = report.idle + report.running.flatMap(\.segments) + report.queued.flatMap(\.segments)
        #expect(Set(accounted.map(\.uuid)).count == accounted.count && !accounted.isEmpty)
        #expect(collection.vectorCounts().map(\.name) == ["a", "b", "never"])
        #expect(collection.vectorCounts().map(\.count) == [2000, 0, 0])
    }
}
