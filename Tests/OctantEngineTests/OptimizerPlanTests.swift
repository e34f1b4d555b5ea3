import OctantEngine
import OctantModel
import OctantStorage
import Testing

@Suite("Optimizer plan")
struct OptimizerPlanTests {
    typealias Part = OptimizerPlan.Part

    private func part(
        _ rows: Int, dead: Int = 0, indexed: Bool = false, indexable: Int? = nil, current: Bool = true
    ) -> Part {
        Part(
            uuid: .random(), rowCount: rows, deadCount: dead, vectorBytes: rows * 1024,
            indexableBytes: indexable ?? (indexed ? 0 : rows * 1024), isIndexed: indexed, isCurrent: current)
    }

    private func config(_ change: (inout OptimizerConfig) -> Void = { _ in }) -> OptimizerConfig {
        var config = OptimizerConfig()
        config.indexingThreshold = 1000
        config.maxSegmentSize = 100_000
        change(&config)
        return config
    }

    private func next(_ parts: [Part], _ config: OptimizerConfig, indexable: Bool = true, idle: Bool = false)
        -> OptimizerPlan?
    {
        OptimizerPlan.next(parts, config: config, processors: 2, indexable: indexable, idle: idle)
    }

    @Test("nothing is due for few, small, current segments")
    func nothing() {
        #expect(next([], config()) == nil)
        #expect(next([part(500), part(400)], config()) == nil)
        #expect(next([part(50_000, indexed: true)], config()) == nil)
    }

    @Test("what the configuration no longer matches goes first, then what is mostly dead")
    func order() {
        let stale = part(10, current: false)
        let dying = part(2000, dead: 900)
        let big = part(2000)
        #expect(next([big, dying, stale], config())?.sources == [stale.uuid])
        #expect(next([big, dying], config())?.reason == .vacuum)
        #expect(next([big, dying], config())?.sources == [dying.uuid])
        #expect(next([big], config())?.reason == .indexing)
    }

    @Test("a segment of nothing but dead rows goes however small it is")
    func allDead() {
        let dead = part(3, dead: 3)
        #expect(next([dead], config())?.sources == [dead.uuid])
        #expect(next([part(3, dead: 2)], config()) == nil)
    }

    @Test("flat segments grow the largest graph that has room for them")
    func indexing() {
        let full = part(99_990, indexed: true)
        let large = part(50_000, indexed: true)
        let flat = [part(600), part(500)]
        let plan = next([full, large] + flat, config())
        #expect(plan?.reason == .indexing)
        #expect(plan?.growsFirst == true)
        #expect(plan?.sources.first == large.uuid)
        #expect(plan?.sources.count == 3)
        #expect(next([full] + flat, config())?.growsFirst == false)
    }

    @Test("segments whose points lack the vectors that want a graph are never indexed")
    func absentVectors() {
        let parts = [part(5000, indexable: 0), part(5000, indexable: 0)]
        #expect(next(parts, config()) == nil)
        let plan = next(parts + [part(2000)], config())
        #expect(plan?.sources.count == 1)
    }

    @Test("without graphs, flat segments are merged when they are many, the small ones first")
    func flatMerge() {
        let large = part(50_000)
        let small = (0..<4).map { _ in part(100) }
        let plan = next([large] + small, config(), indexable: false)
        #expect(plan?.reason == .merge)
        #expect(Set(plan?.sources ?? []) == Set(small.map(\.uuid)))
        #expect(next(small, config(), indexable: false) == nil)
    }

    @Test("background work that is turned off has no plan")
    func off() {
        #expect(next([part(10, dead: 10, current: false)], config { $0.maxOptimizationThreads = 0 }) == nil)
        #expect(next([part(5000)], config { $0.indexingThreshold = 0 }) == nil)
    }

    @Test("an idle collection indexes a tail that a busy one leaves")
    func idle() {
        let parts = [part(2000, indexed: true), part(1100)]
        let settings = config { $0.indexingThreshold = 10_000 }
        #expect(next(parts, settings) == nil)
        #expect(next(parts, settings, idle: true)?.reason == .indexing)
    }

    private func outcome(_ plan: OptimizerPlan, _ parts: [Part]) -> [Part] {
        plan.outcome(of: parts.filter { plan.sources.contains($0.uuid) })
            + parts.filter { !plan.sources.contains($0.uuid) }
    }

    @Test("segments that need rewriting are rewritten side by side")
    func sideBySide() throws {
        var parts = [part(10, current: false), part(2000, dead: 900), part(20, current: false)]
        parts.append(part(50_000, indexed: true))
        var taken: [UUIDBytes] = []
        while let plan = next(parts, config()) {
            taken += plan.sources
            parts = outcome(plan, parts)
        }
        #expect(taken.count == 3 && Set(taken).count == 3 && parts.filter(\.isComing).count == 3)
    }

    @Test("points wait for the graph that is to take them, and are not merged meanwhile")
    func waiting() throws {
        let base = part(50_000, indexed: true)
        let growing = try #require(next([base, part(1200)], config()))
        #expect(growing.sources.first == base.uuid)
        let parts = growing.outcome(of: [base, part(1200)])
        #expect(next(parts + (0..<9).map { _ in part(200) }, config()) == nil)
        // A job that ends with nothing leaves nothing.
        let dead = part(5, dead: 5)
        #expect(next([dead], config())?.outcome(of: [dead]).isEmpty == true)
        // Another graph with room is as good, where several are wanted, though it is larger.
        let other = part(52_000, indexed: true)
        let several = config {
            $0.defaultSegmentNumber = 2
            $0.maxSegmentSize = 1_000_000
        }
        #expect(next(parts + [other, part(1200)], several)?.sources.first == other.uuid)
    }

    @Test("what is being made counts among the segments there are")
    func counted() throws {
        let settings = config {
            $0.defaultSegmentNumber = 4
            $0.maxSegmentSize = 1_000_000
        }
        let large = part(40_000, indexed: true)
        let splitting = try #require(next([large], settings))
        #expect(splitting.pieces == 4)
        let parts = splitting.outcome(of: [large])
        #expect(parts.map(\.rowCount) == [10_000, 10_000, 10_000, 10_000])
        #expect(next(parts, settings) == nil)
        #expect(next(parts + [part(10_000, indexed: true)], settings) == nil)
        #expect(OptimizerPlan.revealing([part(100)], shown: parts, config: settings, processors: 2) == nil)
    }

    @Test("carrying out plans ends, for any segments and settings", arguments: 0..<40 as Range<UInt64>)
    func terminates(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            var parts = (0..<Int.random(in: 0...30, using: &generator)).map { _ in randomPart(&generator) }
            let settings = config {
                $0.indexingThreshold = [nil, 0, 1, 1000, 100_000].randomElement(using: &generator) ?? 1
                $0.maxSegmentSize = [nil, 1, 5000, 1 << 40].randomElement(using: &generator) ?? nil
                $0.defaultSegmentNumber = Int.random(in: 0...4, using: &generator)
                $0.deletedThreshold = [0, 0.2, 1].randomElement(using: &generator) ?? 0
                $0.vacuumMinVectorNumber = [0, 100].randomElement(using: &generator) ?? 0
            }
            let indexable = Bool.random(using: &generator)
            let idle = Bool.random(using: &generator)
            var steps = 0
            while let plan = next(parts, settings, indexable: indexable, idle: idle) {
                apply(plan, to: &parts, indexable)
                steps += 1
                guard steps < 300 else {
                    Issue.record("seed \(seed): still \(plan.reason) after \(steps) steps")
                    return
                }
            }
        }
    }

    private func randomPart(_ generator: inout SeededGenerator) -> Part {
        let rows = Int.random(in: 1...20_000, using: &generator)
        let indexed = Bool.random(using: &generator)
        return part(
            rows, dead: Bool.random(using: &generator) ? Int.random(in: 0...rows, using: &generator) : 0,
            indexed: indexed, indexable: indexed || Bool.random(using: &generator) ? nil : 0,
            current: Int.random(in: 0..<5, using: &generator) > 0)
    }

    /// What the writer makes of a plan: dead rows go, except those a graph is grown over.
    private func apply(_ plan: OptimizerPlan, to parts: inout [Part], _ indexable: Bool) {
        let sources = plan.sources.compactMap { uuid in parts.first { $0.uuid == uuid } }
        #expect(sources.count == plan.sources.count)
        parts.removeAll { plan.sources.contains($0.uuid) }
        var rows = 0
        var dead = 0
        var wantsGraph = false
        for (place, source) in sources.enumerated() {
            let keeps = plan.growsFirst && place == 0
            rows += keeps ? source.rowCount : source.rowCount - source.deadCount
            dead += keeps ? source.deadCount : 0
            if source.indexableBytes > 0 || source.isIndexed { wantsGraph = true }
        }
        guard rows > 0 else { return }
        let indexed = plan.indexed && wantsGraph && indexable
        for number in 0..<plan.pieces {
            let share = (rows - number + plan.pieces - 1) / plan.pieces
            guard share > 0 else { continue }
            parts.append(
                part(
                    share, dead: dead, indexed: indexed,
                    indexable: wantsGraph && indexable && !indexed ? share * 1024 : 0))
        }
    }

    @Test("a collection that is filled, grown and given another number of segments ends with that many")
    func segmentNumbers() {
        func settle(_ parts: inout [Part], _ number: Int) {
            let settings = config {
                $0.defaultSegmentNumber = number
                $0.maxSegmentSize = 10_000_000
            }
            var steps = 0
            while let plan = next(parts, settings, idle: true), steps < 300 {
                apply(plan, to: &parts, true)
                steps += 1
            }
            #expect(steps < 300)
        }
        for number in [2, 4, 16] {
            var parts: [Part] = []
            for _ in 0..<6 {
                parts.append(part(16_384))
                settle(&parts, number)
            }
            parts.append(part(1696))
            settle(&parts, number)
            let sizes = parts.map(\.rowCount).sorted()
            #expect(sizes.count == number && sizes.reduce(0, +) == 100_000)
            // What the first memtable was divided into stays small where there are to be more segments than memtables.
            if number < 6 { #expect((sizes.last ?? 0) < 4 * (sizes.first ?? 0), "\(number): \(sizes)") }
        }
        var parts = [part(100_000, indexed: true)]
        for number in [16, 2, 8, 1, 3] {
            settle(&parts, number)
            #expect(parts.count == number && parts.allSatisfy(\.isIndexed), "\(number): \(parts.map(\.rowCount))")
        }
    }

    @Test("hidden segments go into one graph that has room for all, or, if none has, into one of their own")
    func revealing() {
        func plan(_ hidden: [Part], _ shown: [Part], _ change: (inout OptimizerConfig) -> Void = { _ in })
            -> OptimizerPlan?
        {
            OptimizerPlan.revealing(hidden, shown: shown, config: config(change), processors: 2)
        }
        let (small, large) = (part(10), part(2000))
        let (flat, graph, full) = (part(100), part(5000, indexed: true), part(99_000, indexed: true))
        #expect(plan([], [flat, graph]) == nil)
        #expect(plan([part(10, indexed: true)], [flat, graph]) == nil)
        #expect(plan([small], [graph]) { $0.maxOptimizationThreads = 0 } == nil)
        let grown = plan([large, small], [flat, graph, full])
        #expect(grown?.sources == [graph, flat, small, large].map(\.uuid))
        #expect(grown?.growsFirst == true && grown?.indexed == true)
        let stale = part(5000, indexed: true, current: false)
        let made = plan([large, small], [flat, stale, full])
        #expect(made?.sources == [flat, small, large].map(\.uuid))
        #expect(made?.growsFirst == false && made?.indexed == true)
        // Only hidden ones, as many as have room, and one at least.
        let some = plan([large, small, part(99_000)], [flat, graph])
        #expect(some?.sources == [small, large].map(\.uuid))
        let huge = part(200_000)
        #expect(plan([huge], [flat, graph])?.sources == [huge.uuid])
    }
}
