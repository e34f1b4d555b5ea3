import OctantModel

/// Which configurations and ways to search are measured. Pure.
struct TuningGrid {
    /// A way to use codes.
    struct Mode: Hashable {
        var rescore: Bool?
        var oversampling: Double?
    }

    /// Pool sizes, ascending, from the limit on.
    static func ladder(limit: Int) -> [Int] {
        let steps = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048]
        return [limit] + steps.filter { $0 > limit }
    }

    /// The ways to use the codes of a configuration: without compression of the user's, the engine's own way alone.
    static func modes(_ config: CollectionConfig, using: String) -> [Mode] {
        guard let params = config.params.vectors[using], (params.quantization ?? config.quantization) != nil else {
            return [Mode()]
        }
        var modes = [Mode(rescore: false), Mode(rescore: true)]
        // Of rows on disk, only so many times the limit are read; rows in memory are scored again as needed.
        if params.isOnDisk { modes += [2, 4, 8].map { Mode(rescore: true, oversampling: $0) } }
        return modes
    }

    /// Configurations to try beside the present one.
    static func candidates(_ config: CollectionConfig, using: String) -> [TuningConfiguration] {
        guard let params = config.params.vectors[using] else { return [] }
        let hnsw = config.hnsw.applying(params.hnsw)
        let present = params.quantization ?? config.quantization
        var compressions: [(patch: QuantizationPatch?, name: String)] = [(nil, "")]
        if present != nil { compressions.append((.disabled, "no quantization")) }
        for (quantization, name) in quantizations where quantization != present {
            compressions.append((.set(quantization), name))
        }
        let graphs: [(m: Int, ef: Int)?] =
            [nil] + [(16, 100), (32, 200), (64, 400)].filter { $0 != (hnsw.m, hnsw.efConstruct) }
        var candidates: [TuningConfiguration] = []
        for compression in compressions {
            for graph in graphs where hnsw.m > 0 || graph == nil {
                for onDisk in [false, true] {
                    let isSame = onDisk == params.isOnDisk
                    var words: [String] = compression.name.isEmpty ? [] : [compression.name]
                    if let graph { words.append("m \(graph.m) ef_construct \(graph.ef)") }
                    if !isSame { words.append(onDisk ? "originals on disk" : "originals in memory") }
                    let candidate = TuningConfiguration(
                        quantization: compression.patch, m: graph?.m, efConstruct: graph?.ef,
                        originalsOnDisk: isSame ? nil : onDisk, name: words.joined(separator: ", "))
                    if !candidate.isCurrent { candidates.append(candidate) }
                }
            }
        }
        return candidates
    }

    /// The compressions that are tried.
    private static var quantizations: [(QuantizationConfig, String)] {
        [(.scalar(ScalarQuantization(quantile: 0.99, alwaysRAM: true)), "int8")]
    }
}
