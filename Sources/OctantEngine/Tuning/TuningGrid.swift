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
        var modes = [Mode(rescore: false)]
        // Of rows on disk, no more than so many times the limit are read.
        if params.isOnDisk { modes += [2, 4].map { Mode(rescore: true, oversampling: $0) } }
        return modes + [Mode(rescore: true)]
    }

    /// Configurations to try beside the present one: every compression with the present graph, and other graphs with the
    /// present compression and with int8, each with the originals in memory and on disk.
    static func candidates(_ config: CollectionConfig, using: String) -> [TuningConfiguration] {
        guard let params = config.params.vectors[using] else { return [] }
        let hnsw = config.hnsw.applying(params.hnsw)
        let present = params.quantization ?? config.quantization
        var compressions: [(patch: QuantizationPatch?, name: String)] = [(nil, "")]
        if present != nil { compressions.append((.disabled, "no quantization")) }
        for (quantization, name) in quantizations where quantization != present {
            compressions.append((.set(quantization), name))
        }
        let others = [(m: 16, ef: 100), (m: 32, ef: 200), (m: 64, ef: 512)].filter { $0 != (hnsw.m, hnsw.efConstruct) }
        var candidates: [TuningConfiguration] = []
        for (place, compression) in compressions.enumerated() {
            var graphs: [(m: Int, ef: Int)?] = [nil]
            if hnsw.m > 0, place == 0 || compression.name == int8Name { graphs += others }
            for graph in graphs {
                for onDisk in [false, true] {
                    let candidate = candidate(
                        compression, graph, onDisk: onDisk == params.isOnDisk ? nil : onDisk)
                    if !candidate.isCurrent, isAvailable(candidate, config, using) { candidates.append(candidate) }
                }
            }
        }
        return candidates
    }

    private static func candidate(
        _ compression: (patch: QuantizationPatch?, name: String), _ graph: (m: Int, ef: Int)?, onDisk: Bool?
    ) -> TuningConfiguration {
        var words: [String] = compression.name.isEmpty ? [] : [compression.name]
        if let graph { words.append("m \(graph.m) ef_construct \(graph.ef)") }
        if let onDisk { words.append(onDisk ? "originals on disk" : "originals in memory") }
        return TuningConfiguration(
            quantization: compression.patch, m: graph?.m, efConstruct: graph?.ef, originalsOnDisk: onDisk,
            name: words.joined(separator: ", "))
    }

    /// Whether a collection may have the configuration: it could be read back.
    private static func isAvailable(
        _ candidate: TuningConfiguration, _ config: CollectionConfig, _ using: String
    ) -> Bool {
        guard let patch = candidate.patch(using: using) else { return true }
        do throws(OctantError) {
            let changed = try config.applying(patch)
            _ = try CollectionConfig(json: try JSONParser.parse(Array(changed.json.text.utf8)))
            return true
        } catch { return false }
    }

    private static let int8Name = "int8"

    /// The compressions that are tried. Codes are kept in memory: they are what is walked on.
    private static let quantizations: [(QuantizationConfig, String)] = [
        (.scalar(ScalarQuantization(quantile: 0.99, alwaysRAM: true)), int8Name),
        (.turbo(TurboQuantization(bits: .bits4, alwaysRAM: true)), "turbo 4 bits"),
        (.turbo(TurboQuantization(bits: .bits2, alwaysRAM: true)), "turbo 2 bits"),
        (.turbo(TurboQuantization(bits: .bits1, alwaysRAM: true)), "turbo 1 bit"),
        (.binary(BinaryQuantization(encoding: .oneBit, alwaysRAM: true)), "binary 1 bit"),
        (.product(ProductQuantization(compression: .x8, alwaysRAM: true)), "product x8"),
    ]
}
