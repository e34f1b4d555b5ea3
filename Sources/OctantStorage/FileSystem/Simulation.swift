/// What takes the place of time, chance and threads in a test that must go the same way each time.
///
/// A database that is opened while ``current`` is set starts no threads of its own that touch files: the log is written
/// and operations are applied by the caller who waits for them, or by `Shard.runDue`, and background work is done by who
/// calls for it. Names and salts come from the seed, and the clock stands still until it is advanced. So the calls of the
/// file layer, and what is acknowledged between them, depend on the seed alone. All calls must come from one thread.
package final class Simulation: Sendable {
    /// The simulation this task or thread runs in; `nil` outside of tests.
    @TaskLocal package static var current: Simulation?

    private struct State {
        var milliseconds: UInt64 = 1_000_000
        var random: UInt64
    }

    private let state: Locked<State>

    /// A simulation whose names and salts follow from `seed`.
    package init(seed: UInt64) { state = Locked(State(random: seed)) }

    /// What the clock shows.
    package var milliseconds: UInt64 { state.withLock { $0.milliseconds } }

    /// Lets time pass.
    package func advance(milliseconds: UInt64) { state.withLock { $0.milliseconds &+= milliseconds } }

    /// A random number: of the simulation, or of the system where there is none.
    static func random() -> UInt64 { current?.next() ?? .random(in: .min ... .max) }

    private func next() -> UInt64 {
        state.withLock { state in
            state.random &+= 0x9E37_79B9_7F4A_7C15
            return mixed(state.random)
        }
    }
}

/// The output function of SplitMix64.
func mixed(_ state: UInt64) -> UInt64 {
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
}
