package import OctantModel
import OctantStorage

/// Measures a collection over a grid and recommends a configuration. Runs on the thread it is called on.
package final class TuningRun {
    private let shard: Shard
    private let goal: TuningGoal
    private let options: TuningOptions
    private let pacer: Pacer
    private let isCancelled: @Sendable () -> Bool
    private let onProgress: (TuningProgress) -> Void
    private let view: ReadView
    private let sample: QuerySample
    private let builder: TrialBuilder
    private var progress = TuningProgress(done: 0, total: 1, step: "")
    private var truths: [String: ExactAnswers] = [:]
    /// The exact answers among all points for the limits of curves.
    private var wholeAnswers: [ExactAnswers] = []
    private var readings: [UInt64: TuningStore.StoredReading]
    private var rows = 0

    /// A run on the collection as it is now.
    ///
    /// Throws `unknownVector` if the name is not that of a dense vector, `validation` for impossible options.
    package init(
        _ shard: Shard, _ goal: TuningGoal, _ options: TuningOptions, isCancelled: @escaping @Sendable () -> Bool,
        onProgress: @escaping (TuningProgress) -> Void
    ) throws(OctantError) {
        try goal.check()
        try options.check()
        self.shard = shard
        self.goal = goal
        self.options = options
        self.onProgress = onProgress
        let ends: @Sendable () -> Bool = { isCancelled() || shard.isClosing }
        self.isCancelled = ends
        pacer = Pacer(budget: options.cpuBudget, isCancelled: ends)
        view = shard.view
        sample =
            options.queries.isEmpty
            ? try QuerySample(stored: options.sampleQueries, using: options.using, view: view, seed: options.seed)
            : try QuerySample(given: options.queries, using: options.using, view: view)
        readings = shard.tuning.content.readings
        builder = TrialBuilder(
            directory: shard.tuning.directory + "/build", fileSystem: shard.fileSystem, using: options.using,
            isCancelled: ends)
    }

    /// Measures everything and chooses. Throws `unavailable` if cancelled, the disk's errors otherwise.
    package func run() throws(OctantError) -> TuningReport {
        do {
            let report = try measureAll()
            builder.clear()
            return report
        } catch {
            builder.clear()
            switch error {
            case let error as OctantError: throw error
            case let error as StorageError where error.code != .closed: throw OctantError(error)
            default: throw OctantError(.unavailable, "Tuning was cancelled before it was done")
            }
        }
    }

    private func measureAll() throws -> TuningReport {
        rows = view.sources.reduce(0) { sum, source in sum + presentCount(source) }
        try builder.prepare()
        let current = TuningTrial(
            .current, config: view.config, basis: "whole", isWhole: true, make: { [view] in view })
        let candidates = options.triesConfigurations ? TuningGrid.candidates(view.config, using: options.using) : []
        progress.total = 2 + (candidates.isEmpty ? 0 : candidates.count + 1)
        step("exact answers")
        _ = try truth("whole", view)
        step("the present configuration")
        let series = try measure(current)
        var points = series.flatMap(\.points) + [try exactPoint(current)]
        try keepCurves()
        if !candidates.isEmpty { points += try predictions(candidates, series) }
        return try verified(points)
    }

    private func presentCount(_ source: any RowSource) -> Int {
        var count = 0
        view.forEachMatch(nil, in: source) { if source.stored($0, options.using) != nil { count += 1 } }
        return count
    }

    private func step(_ words: String) {
        if !progress.step.isEmpty { progress.done += 1 }
        progress.step = words
        progress.total = max(progress.total, progress.done + 1)
        onProgress(progress)
    }

    private func truth(_ basis: String, _ view: ReadView) throws -> ExactAnswers {
        if let known = truths[basis] { return known }
        let limits = basis == "whole" ? [options.limit] + RecallSampler.limits : [options.limit]
        let answers = try ExactAnswers.compute(sample, limits: limits, view: view, pacer: pacer)
        if basis == "whole" { wholeAnswers = Array(answers.dropFirst()) }
        truths[basis] = answers[0]
        return answers[0]
    }

    // MARK: Series

    /// The readings of one configuration and one way to use codes, ascending by `ef`.
    struct Series {
        var mode: TuningGrid.Mode
        var points: [TuningPoint]
    }

    /// Recall above which a larger pool is not worth its time.
    private static let recallEnough = 0.9995

    private func measure(_ trial: TuningTrial) throws -> [Series] {
        var all: [Series] = []
        for mode in TuningGrid.modes(trial.config, using: options.using) {
            var series = Series(mode: mode, points: [])
            for ef in TuningGrid.ladder(limit: options.limit) {
                let search = TuningSearch(hnswEF: ef, rescore: mode.rescore, oversampling: mode.oversampling)
                series.points.append(try point(trial, search))
                if isLevel(series.points) { break }
            }
            all.append(series)
        }
        saveReadings()
        return all
    }

    /// Whether larger pools find no more: two steps brought nothing, or everything is found.
    private func isLevel(_ points: [TuningPoint]) -> Bool {
        guard let last = points.last else { return false }
        if last.recall >= Self.recallEnough { return true }
        guard points.count > 4 else { return false }
        return last.recall - points[points.count - 3].recall < 0.0005
    }

    private func point(_ trial: TuningTrial, _ search: TuningSearch) throws -> TuningPoint {
        let key = key(trial, search)
        if readings[key] == nil {
            let view = try trial.view()
            let meter = RecallMeter(view: view, sample: sample)
            let reading = try meter.measure(
                search.params, limit: options.limit, truth: try truth(trial.isWhole ? "whole" : trial.basis, view),
                pacer: pacer)
            readings[key] = .init(reading: reading, memoryBytes: try trial.memoryBytes(using: options.using))
        }
        guard let stored = readings[key] else { throw TuningCancelled() }
        return TuningPoint(
            configuration: trial.configuration, search: search, recall: stored.reading.recall,
            recallError: stored.reading.recallError, p50Microseconds: stored.reading.p50Microseconds,
            p95Microseconds: stored.reading.p95Microseconds, memoryBytes: stored.memoryBytes,
            source: trial.isWhole ? .measured : .predicted)
    }

    /// Exact searches find everything; some of them are enough to know their time.
    private func exactPoint(_ trial: TuningTrial) throws -> TuningPoint {
        var few = sample
        few.entries = Array(sample.entries.prefix(24))
        let view = try trial.view()
        let reading = try RecallMeter(view: view, sample: few).measure(
            SearchParams(exact: true), limit: options.limit, truth: try truth("whole", view), pacer: pacer)
        return TuningPoint(
            configuration: trial.configuration, search: TuningSearch(exact: true), recall: 1, recallError: 0,
            p50Microseconds: reading.p50Microseconds, p95Microseconds: reading.p95Microseconds,
            memoryBytes: try trial.memoryBytes(using: options.using), source: .measured)
    }

    // MARK: Kept results

    /// Identifies a measurement: the points, the configuration, the search and the queries.
    private func key(_ trial: TuningTrial, _ search: TuningSearch) -> UInt64 {
        var hash = FNV()
        hash.add(
            "\(trial.basis)|\(view.lsn)|\(view.segments.map { $0.entry.uuid.description })|\(options.limit)|"
                + "\(trial.config.json.text)|\(search)|\(options.seed)")
        for entry in sample.entries { for value in entry.vector { hash.add(value.bitPattern) } }
        return hash.value
    }

    private func saveReadings() {
        let readings = readings
        do throws(StorageError) { try shard.tuning.update { $0.readings.merge(readings) { $1 } } } catch {
            // Costs the time to measure again after an interruption.
            shard.log("\(shard.path): measurements were not kept: \(error)")
        }
    }

    /// Keeps the curves of the present configuration for searches that name a recall.
    private func keepCurves() throws {
        let curves = try RecallSampler(view: view, sample: sample, pacer: pacer).curves(among: wholeAnswers)
        guard let basis = view.recallBasis(options.using, queriesWereGiven: sample.areGiven) else { return }
        let using = options.using
        do throws(StorageError) {
            try shard.tuning.keep(.init(using: using, basis: basis, curves: curves))
        } catch {
            // Searches go on with what was known before.
            shard.log("\(shard.path): the measured curve was not kept: \(error)")
        }
    }

    // MARK: Other configurations

    /// Trials of some of the points, their figures corrected for the number of all by what the present configuration
    /// does on both.
    private func predictions(
        _ candidates: [TuningConfiguration], _ whole: [Series]
    ) throws -> [TuningPoint] {
        step("the present configuration, on a sample")
        guard let sampled = SampledRows(view, using: options.using, count: options.sampleRows, seed: options.seed)
        else { throw OctantError(.insufficientStorage, "No memory for a sample of the points") }
        let basis = "sample of \(sampled.rowCount) of \(rows)"
        let isWhole = sampled.rowCount == rows && view.segments.count <= 1
        let baseline = TuningTrial(.current, config: view.config, basis: basis, isWhole: isWhole) { [self] in
            let segment = try build(sampled, view.config, grows: false)
            return builder.view(of: segment, view.config, lsn: view.lsn)
        }
        let correction = SizeCorrection(
            whole: whole.last?.points ?? [], sample: isWhole ? [] : try measure(baseline).last?.points ?? [],
            rowRatio: Double(rows) / Double(max(sampled.rowCount, 1)))
        var points: [TuningPoint] = []
        var graphs: [String: Segment] = [:]
        for candidate in candidates {
            step(candidate.name)
            let config = try changed(candidate)
            let trial = TuningTrial(candidate, config: config, basis: basis, isWhole: isWhole) { [self] in
                // Graphs of the same parameters are the same, whatever the codes.
                let key = "\(candidate.m ?? 0) \(candidate.efConstruct ?? 0)"
                if graphs.isEmpty { graphs["0 0"] = try baseline.view().segments.first }
                let known = graphs[key].flatMap { $0.field(options.using)?.hasGraph == true ? $0 : nil }
                let rows: any RowSource = known ?? sampled
                let segment = try build(rows, config, grows: known != nil)
                if known == nil { graphs[key] = segment }
                return builder.view(of: segment, config, lsn: view.lsn)
            }
            let measured = try measure(trial).flatMap(\.points)
            points += isWhole ? measured : measured.map(correction.corrected)
        }
        return points
    }

    private func changed(_ candidate: TuningConfiguration) throws -> CollectionConfig {
        guard let patch = candidate.patch(using: options.using) else { return view.config }
        return try view.config.applying(patch)
    }

    private func build(_ rows: any RowSource, _ config: CollectionConfig, grows: Bool) throws -> Segment {
        // A sample of what is walked is walked, too.
        let walks = view.segments.contains { $0.field(options.using)?.hasGraph == true }
        guard
            let segment = try builder.segment(
                of: rows, config, indexed: true, grows: grows, alwaysWalks: walks, lsn: view.lsn)
        else {
            throw OctantError(.badRequest, "The collection has no points with vector '\(options.using)' to measure")
        }
        return segment
    }

    // MARK: Verification

    /// Configurations that are built whole before one is recommended.
    private static let verificationsMax = 6

    /// Chooses; what is chosen by prediction is built whole, measured, and chosen again among.
    private func verified(_ predicted: [TuningPoint]) throws -> TuningReport {
        var points = predicted
        var verifications = 0
        while true {
            let report = TuningReport(
                using: options.using, limit: options.limit, rows: rows, queries: sample.entries.count,
                queriesWereGiven: sample.areGiven, goal: goal, points: points)
            let dimension = view.config.params.vectors[options.using]?.size ?? 0
            guard let choice = report.recommendation, choice.source == .predicted,
                verifications < Self.verificationsMax, rows * dimension * 4 <= options.verifyBytes
            else { return report }
            verifications += 1
            let configuration = choice.configuration
            progress.total += 1
            step("verifying: \(configuration.name)")
            let config = try changed(configuration)
            let trial = TuningTrial(configuration, config: config, basis: "rebuilt", isWhole: true) { [self] in
                try rebuilt(config, grows: configuration.m == nil && configuration.efConstruct == nil)
            }
            let measured = try measure(trial).flatMap(\.points)
            points.removeAll { $0.configuration == configuration }
            points += measured
        }
    }

    /// The whole collection with another configuration: each segment rewritten, memtables as they are.
    private func rebuilt(_ config: CollectionConfig, grows: Bool) throws -> ReadView {
        var view = view
        view.config = config
        view.segments = try view.segments.compactMap { segment in
            let grows = grows && segment.field(options.using)?.hasGraph == true
            return try builder.segment(
                of: segment, config, indexed: segment.isIndexed, grows: grows, lsn: view.lsn)
        }
        return view
    }
}

/// FNV-1a of 64 bits (Fowler, Noll and Vo, draft-eastlake-fnv).
struct FNV {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ text: String) {
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    mutating func add(_ word: UInt32) {
        for shift: UInt32 in [0, 8, 16, 24] { value = (value ^ UInt64(word >> shift & 255)) &* 0x100_0000_01b3 }
    }
}
