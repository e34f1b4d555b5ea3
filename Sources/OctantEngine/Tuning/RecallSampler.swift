import OctantModel

/// Measures which `ef` reaches which recall.
struct RecallSampler {
    /// Limits of the curves that are kept.
    static let limits = [10, 100]
    /// Recall above which larger pools are not measured.
    private static let recallEnough = 0.9995

    let view: ReadView
    let sample: QuerySample
    let pacer: Pacer

    /// The curves of ``limits``, `truths` being the exact answers for each.
    func curves(among truths: [ExactAnswers]) throws(TuningCancelled) -> RecallCurves {
        let meter = RecallMeter(view: view, sample: sample)
        var curves: [RecallCurve] = []
        for (limit, truth) in zip(Self.limits, truths) {
            var entries: [RecallCurve.Entry] = []
            for ef in TuningGrid.ladder(limit: limit) {
                let params = view.config.searchParams(using: sample.using, ef: ef)
                let reading = try meter.measure(params, limit: limit, truth: truth, pacer: pacer)
                entries.append(.init(ef: ef, recall: reading.recall, error: reading.recallError))
                if reading.recall >= Self.recallEnough { break }
            }
            curves.append(RecallCurve(limit: limit, entries: entries))
        }
        return RecallCurves(curves)
    }
}

extension CollectionConfig {
    /// The parameters of a search whose `ef` the engine chooses: where the codes are the user's, candidates are scored
    /// again by the originals, without which no `ef` brings the recall near 1.
    func searchParams(using: String, ef: Int) -> SearchParams {
        var search = SearchParams(hnswEF: ef)
        guard let params = params.vectors[using], (params.quantization ?? quantization) != nil else { return search }
        search.quantization = QuantizationSearchParams(rescore: true)
        return search
    }
}

extension ReadView {
    /// What curves of a vector measured on this view are of; `nil` if it has no such dense vector.
    func recallBasis(_ using: String, queriesWereGiven: Bool) -> TuningStore.Basis? {
        guard let params = config.params.vectors[using], params.multivector == nil else { return nil }
        let hnsw = config.hnsw.applying(params.hnsw)
        let quantization = (params.quantization ?? config.quantization).map { "\($0)" } ?? "none"
        return TuningStore.Basis(
            configuration: "\(params.size) \(params.distance) on_disk=\(params.isOnDisk) m=\(hnsw.m) "
                + "ef_construct=\(hnsw.efConstruct) codes=\(quantization)",
            rows: liveCount, parts: segments.count, queriesWereGiven: queriesWereGiven)
    }
}
