import OctantModel
import Testing

@Suite("Curves of recall")
struct RecallCurveTests {
    private func curve(_ recalls: [(Int, Double)], error: Double = 0, limit: Int = 10) -> RecallCurve {
        RecallCurve(limit: limit, entries: recalls.map { .init(ef: $0.0, recall: $0.1, error: error) })
    }

    @Test("a series that falls by chance becomes the nearest that does not")
    func monotone() {
        let made = curve([(10, 0.8), (16, 0.9), (32, 0.88), (64, 0.95), (128, 0.94), (256, 0.93), (512, 1)])
        #expect(made.entries.map(\.ef) == [10, 16, 32, 64, 128, 256, 512])
        let recalls = made.entries.map(\.recall)
        #expect(zip(recalls, recalls.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(abs(recalls[1] - 0.89) < 1e-9 && abs(recalls[2] - 0.89) < 1e-9)
        #expect(abs(recalls[4] - 0.94) < 1e-9)
    }

    @Test("the pool grows with the recall and lies between its neighbours")
    func interpolation() {
        let made = curve([(10, 0.8), (32, 0.9), (128, 0.97), (512, 0.995)])
        var last = 0
        for step in 0...190 {
            let recall = 0.8 + Double(step) * 0.001
            guard let ef = made.ef(for: recall) else {
                Issue.record("no pool for \(recall)")
                continue
            }
            #expect(ef >= last && ef <= 512)
            last = ef
        }
        #expect(made.ef(for: 0.5) == 10)
        #expect(made.ef(for: 0.9) == 32)
        #expect(made.ef(for: 0.97) == 128)
        #expect(made.ef(for: 0.996) == nil)
        let middle = made.ef(for: 0.94) ?? 0
        #expect(middle > 32 && middle < 128)
    }

    @Test("the standard error is a margin: what chance may have added is not counted on")
    func margin() {
        let points = [(10, 0.8), (32, 0.9), (128, 0.97)]
        let (without, with) = (curve(points).ef(for: 0.9) ?? 0, curve(points, error: 0.01).ef(for: 0.9) ?? 0)
        #expect(with > without)
        #expect(curve(points, error: 0.01).ef(for: 0.965) == nil)
    }

    @Test("limits between and above those measured want more")
    func limits() {
        let curves = RecallCurves([
            curve([(100, 0.9), (200, 0.98)], limit: 100), curve([(10, 0.9), (40, 0.98)], limit: 10),
        ])
        #expect(curves.ef(for: 0.98, limit: 5) == 40)
        #expect(curves.ef(for: 0.98, limit: 10) == 40)
        #expect(curves.ef(for: 0.98, limit: 55) == 120)
        #expect(curves.ef(for: 0.98, limit: 100) == 200)
        #expect(curves.ef(for: 0.98, limit: 1000) == 2000)
        #expect(curves.ef(for: 0.99, limit: 10) == nil)
        #expect(RecallCurves([]).ef(for: 0.5, limit: 10) == nil)
        #expect(curves.ef(for: 0.98, limit: .max) == nil)
    }

    @Test("without a curve, the pool grows with recall and limit, and is never smaller than twice the limit")
    func cautious() {
        let recalls = [0.01, 0.5, 0.9, 0.95, 0.98, 0.99, 0.999, 0.999999]
        for limit in [1, 10, 100, 1000, .max] {
            let pools = recalls.map { RecallCurve.cautiousEF(recall: $0, limit: limit) }
            #expect(pools == pools.sorted())
            #expect((pools.first ?? 0) >= min(2 * min(limit, 1 << 19), 1 << 20))
        }
        #expect(RecallCurve.cautiousEF(recall: 0.95, limit: 10) >= 100)
    }
}

@Suite("Choice of a configuration")
struct TuningChoiceTests {
    private func point(
        _ name: String, recall: Double, _ microseconds: Double, _ megabytes: Int, error: Double = 0
    ) -> TuningPoint {
        TuningPoint(
            configuration: TuningConfiguration(name: name), search: TuningSearch(hnswEF: 64), recall: recall,
            recallError: error, p50Microseconds: microseconds, p95Microseconds: 2 * microseconds,
            memoryBytes: megabytes * 1_000_000, source: .measured)
    }

    private func report(_ goal: TuningGoal, _ points: [TuningPoint], given: Bool = true) -> TuningReport {
        TuningReport(
            using: "", limit: 10, rows: 1000, queries: 100, queriesWereGiven: given, goal: goal, points: points)
    }

    private var points: [TuningPoint] {
        [
            point("small", recall: 0.95, 100, 50), point("precise", recall: 0.99, 120, 60),
            point("large", recall: 0.99, 80, 200), point("worse", recall: 0.98, 130, 210),
            point("exact", recall: 1, 5000, 150),
        ]
    }

    @Test("the front is of all points that none is better than in everything")
    func front() {
        let made = report(TuningGoal(), points)
        let front = made.points.filter(\.isParetoOptimal).map(\.configuration.name)
        #expect(front == ["small", "precise", "large", "exact"])
        for point in made.points {
            let dominated = made.points.contains {
                $0.recall >= point.recall && $0.p50Microseconds <= point.p50Microseconds
                    && $0.memoryBytes <= point.memoryBytes && $0 != point
            }
            #expect(point.isParetoOptimal == !dominated)
        }
    }

    @Test("what meets the goal and is cheapest is chosen: fastest under a limit of memory, smallest under one of time")
    func cheapest() {
        func name(_ goal: TuningGoal) -> String? {
            let made = report(goal, points)
            #expect(made.meetsGoal)
            return made.recommendation?.configuration.name
        }
        #expect(name(TuningGoal(recall: 0.98, memoryBytes: 250_000_000)) == "large")
        #expect(name(TuningGoal(recall: 0.98, memoryBytes: 100_000_000)) == "precise")
        #expect(name(TuningGoal(recall: 0.98, p95Milliseconds: 1)) == "precise")
        #expect(name(TuningGoal(recall: 0.9, p95Milliseconds: 1)) == "small")
        #expect(name(TuningGoal(recall: 0.98)) == "precise")
        #expect(name(TuningGoal(recall: 1)) == "exact")
    }

    @Test("stored vectors are easier than queries: what they find must be better than the goal")
    func stored() {
        let made = report(TuningGoal(recall: 0.98), points, given: false)
        #expect(made.recommendation?.configuration.name == "exact" && made.meetsGoal)
        #expect(TuningGoal.recallOfStored(1) == 1 && TuningGoal.recallOfStored(0.9) > 0.9)
    }

    @Test("a recall that chance may have brought does not meet the goal")
    func margin() {
        let made = report(
            TuningGoal(recall: 0.98), [point("a", recall: 0.982, 1, 1, error: 0.004), point("b", recall: 0.99, 2, 2)])
        #expect(made.recommendation?.configuration.name == "b")
    }

    @Test("a goal that nothing meets is said to be so, with the nearest")
    func impossible() {
        let small = report(TuningGoal(recall: 0.98, memoryBytes: 55_000_000), points)
        #expect(!small.meetsGoal)
        #expect(["small", "precise"].contains(small.recommendation?.configuration.name ?? ""))
        #expect(small.statement.contains("0.95") && small.statement.contains("not reached"))
        let tiny = report(TuningGoal(memoryBytes: 1_000_000), points)
        #expect(!tiny.meetsGoal && tiny.recommendation?.configuration.name == "small")
        #expect(tiny.statement.contains("50.0 MB"))
        let fast = report(TuningGoal(p95Milliseconds: 0.001), points)
        #expect(!fast.meetsGoal && fast.recommendation?.configuration.name == "large")
        let none = report(TuningGoal(recall: 0.9), [])
        #expect(!none.meetsGoal && none.recommendation == nil && !none.statement.isEmpty)
    }

    @Test("numbers that nothing can meet are refused")
    func validation() throws {
        for goal in [
            TuningGoal(recall: 0), TuningGoal(recall: 1.01), TuningGoal(recall: .nan), TuningGoal(memoryBytes: 0),
            TuningGoal(p95Milliseconds: 0), TuningGoal(p95Milliseconds: .infinity),
        ] {
            #expect(throws: OctantError.self) { try goal.check() }
        }
        try TuningGoal(recall: 1, memoryBytes: 1, p95Milliseconds: 0.1).check()
        var options = TuningOptions()
        try options.check()
        options.cpuBudget = 0
        #expect(throws: OctantError.self) { try options.check() }
    }

    @Test("a configuration becomes a change of the vector alone")
    func patch() throws {
        #expect(TuningConfiguration.current.patch(using: "") == nil)
        let int8 = QuantizationConfig.scalar(ScalarQuantization(quantile: 0.99))
        let wanted = TuningConfiguration(
            quantization: .set(int8), m: 32, efConstruct: 200, originalsOnDisk: true, name: "x")
        let config = CollectionConfig(
            params: CollectionParams(
                vectors: .named([
                    NamedVectorParams(name: "a", params: VectorParams(size: 4, distance: .dot)),
                    NamedVectorParams(name: "b", params: VectorParams(size: 4, distance: .dot)),
                ])))
        let changed = try config.applying(try #require(wanted.patch(using: "b")))
        let b = try #require(changed.params.vectors["b"])
        #expect(b.isOnDisk && b.quantization == int8 && b.hnsw?.m == 32 && b.hnsw?.efConstruct == 200)
        #expect(changed.params.vectors["a"] == config.params.vectors["a"] && changed.hnsw == config.hnsw)
    }
}
