import OctantModel

/// Bytes that one vector of a collection takes, by its files.
struct VectorMemory {
    /// Original vectors, with what says which points have one.
    var originals = 0
    var codes = 0
    var graph = 0

    /// The same outside of segments, where nothing is on disk.
    var unwritten = 0

    /// The bytes of the vector `using` in a view.
    init(_ view: ReadView, using: String) {
        for slot in view.memtables {
            guard let field = slot.table.fields.first(where: { $0.name == using }) else { continue }
            unwritten += field.rows(slot.table.rowCount).byteCount + field.codes.byteCount
        }
        for segment in view.segments {
            for file in segment.entry.files where file.subject == using {
                let bytes = Int(clamping: file.summary.size)
                switch file.role {
                case .vectors, .presence, .lengths: originals += bytes
                case .codes: codes += bytes
                case .graph: graph += bytes
                // Nothing of an inline graph is ever to be in memory.
                case .ids, .payload, .fieldIndex, .sparse, .multivectors, .inlineGraph: break
                }
            }
        }
    }

    /// Bytes that are to be in memory with a configuration.
    func resident(_ config: CollectionConfig, using: String) -> Int {
        guard let params = config.params.vectors[using] else { return 0 }
        let onDisk = params.isOnDisk
        var bytes = unwritten + (onDisk ? 0 : originals)
        if config.hnsw.applying(params.hnsw).residence != .cold { bytes += graph }
        let scheme = params.quantization ?? config.quantization
        let codesAreOnDisk = scheme.map { $0.residence(originalsOnDisk: onDisk) == .cold } ?? onDisk
        return bytes + (codesAreOnDisk ? 0 : codes)
    }
}
