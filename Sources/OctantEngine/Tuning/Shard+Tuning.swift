import COctantKernels
package import OctantModel

extension Shard {
    /// Whether the shard is closing: measuring ends.
    var isClosing: Bool { background.withLock { $0.closing } }

    /// Runs `body` on a thread of its own, which the closing shard waits for; `nil` if the shard is closing already.
    package func measuring(_ body: @escaping @Sendable () -> Void) -> Thread? {
        guard beginMeasuring() else { return nil }
        return Thread(name: "octant-job") { [self] in
            body()
            background.change { $0.measuring -= 1 }
        }
    }

    /// Keeps the shard from closing until `measuring` is counted down; `false` if it is closing.
    func beginMeasuring() -> Bool {
        background.change { background -> Bool in
            guard !background.closing else { return false }
            background.measuring += 1
            return true
        }
    }

    /// Measures and recommends, on a thread of the lowest priority that background work has, and waits for it.
    ///
    /// The shard does not close before the thread has ended, which it does soon after the shard begins to close.
    package func tune(
        _ goal: TuningGoal, _ options: TuningOptions, isCancelled: @escaping @Sendable () -> Bool,
        onProgress: @escaping @Sendable (TuningProgress) -> Void
    ) throws(OctantError) -> TuningReport {
        guard beginMeasuring() else { throw OctantError(.unavailable, "the collection is closed") }
        defer { background.change { $0.measuring -= 1 } }
        let result = Monitor<Result<TuningReport, OctantError>?>(nil)
        let thread = Thread(name: "octant-tune") { [self] in
            _ = octant_set_thread_nice(10)
            let outcome = Result { () throws(OctantError) in
                try TuningRun(self, goal, options, isCancelled: isCancelled, onProgress: onProgress).run()
            }
            result.change { $0 = outcome }
        }
        let outcome = result.wait { $0 }
        thread.join()
        return try outcome.get()
    }
}
