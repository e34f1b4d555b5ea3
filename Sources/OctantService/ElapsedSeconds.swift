extension ContinuousClock.Instant {
    /// Seconds from here to now: `time` of answers.
    package var elapsedSeconds: Double {
        let parts = (ContinuousClock.now - self).components
        return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    }
}
