import OctantEngine
import OctantModel
import OctantStorage
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A number from the environment.
func environmentNumber(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

/// A database through random operations, crashes and failing calls. `OCTANT_SIM_SEEDS` and `OCTANT_SIM_STEPS` change how
/// many lives of how many steps are simulated, `OCTANT_SIM_FIRST` the first seed; `OCTANT_SIM_SEED` runs one alone.
@Suite("Simulated lives of a database")
struct SimulationTests {
    private static let lanes = 2
    private static let steps = environmentNumber("OCTANT_SIM_STEPS") ?? 300

    private static func life(_ seed: UInt64) -> SimulatedLife { SimulatedLife(.init(seed: seed, steps: steps)) }

    /// Runs one life; records what must not be, with what it takes to run it again.
    private static func run(_ seed: UInt64) -> SimulatedLife {
        let life = life(seed)
        do { try life.run() } catch {
            let lines = life.trace.suffix(environmentNumber("OCTANT_SIM_SEED") == nil ? 40 : 100_000)
            Issue.record(
                """
                seed \(seed): \(error)
                again: SWIFT_DETERMINISTIC_HASHING=1 OCTANT_SIM_SEED=\(seed) OCTANT_SIM_STEPS=\(steps) \
                swift test --disable-default-traits --filter SimulationTests
                \(lines.joined(separator: "\n"))
                """)
        }
        return life
    }

    @Test("keep what was acknowledged, in order and whole, and nothing else", arguments: 0..<lanes)
    func lives(lane: Int) {
        if let seed = environmentNumber("OCTANT_SIM_SEED") {
            if lane == 0 { print("seed \(seed): digest of all calls \(Self.run(UInt64(seed)).digest)") }
            return
        }
        let first = environmentNumber("OCTANT_SIM_FIRST") ?? 1
        let count = environmentNumber("OCTANT_SIM_SEEDS") ?? 60
        var totals: [String: Int] = [:]
        var failed = 0
        for seed in first..<(first + count) where seed % Self.lanes == lane {
            let life = Self.run(UInt64(seed))
            totals.merge(life.counts) { $0 + $1 }
            if life.violation != nil { failed += 1 }
            if failed > 5 { break }
        }
        if getenv("OCTANT_SIM_VERBOSE") != nil {
            for (what, count) in totals.sorted(by: { $0.key < $1.key }) { print("lane \(lane) \(what): \(count)") }
        }
        guard count >= 50 else { return }
        for what in [
            "crash nothing", "crash random", "crash everything", "crash in recovery", "failed opening", "drop",
        ] {
            #expect(totals[what, default: 0] > 0, "no life had one: \(what)")
        }
    }

    @Test("one seed makes the same calls each time")
    func reproducible() throws {
        for seed in [3, 4, 5, 6] as [UInt64] {
            let lives = (0..<2).map { _ in
                let life = Self.life(seed)
                try? life.run()
                return life
            }
            #expect(lives[0].trace == lives[1].trace, "seed \(seed)")
            #expect(lives[0].digest == lives[1].digest, "seed \(seed)")
            #expect(lives[0].trace.count > 100)
        }
    }
}
