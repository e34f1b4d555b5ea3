import OctantModel
import OctantStorage
import OctantVectors

extension SegmentWriter {
    /// Writes the codes of each node's neighbours beside its links, out of the graph and the codes just written.
    ///
    /// - Parameters:
    ///   - held: the codes, if they are in memory already.
    ///   - originals: the original vectors, if the records are to hold them.
    mutating func writeInlineGraph(
        _ vector: NamedVectorParams, _ number: Int, _ parameters: String, _ held: VectorCodes?, _ originals: DenseRows?
    ) throws(StorageError) {
        func file(_ role: SegmentEntry.Role) -> SegmentEntry.FileEntry? {
            files.last { $0.role == role && $0.subject == vector.name }
        }
        // Too few rows for codes: a search looks at all of them.
        guard let codesFile = file(.codes), let graphFile = file(.graph) else { return }
        begin("inline graph", vector.name)
        var codes = held
        var allocated = InlineGraph.writingBytes
        if codes == nil {
            let (bytes, owner) = try folder.load(codesFile, "CODE", .copied)
            codes = try folder.decode(codesFile) { try VectorCodes(bytes: bytes, owner: owner) }
            allocated += (owner as? HugeRegion)?.byteCount ?? 0
        }
        guard let codes else { return }
        let (bytes, owner) = try folder.load(graphFile, "HNSW", .cached)
        let graph = try folder.decode(graphFile) { try HNSWGraph(bytes: bytes, owner: owner) }
        let (meter, isCancelled, bytesHeld) = (recipe.meter, isCancelled, allocated)
        try holding(bytesHeld) { () throws(StorageError) in
            try write(.inlineGraph, vector.name, "INLN", name: "inline-\(number)", parameters: parameters) {
                (file) throws(StorageError) in
                try Self.storing {
                    try InlineGraph.write(
                        graph, codes, originals: originals, progress: { meter?.advance(to: $0) },
                        write: {
                            if isCancelled() { throw StorageError(.closed, "cancelled") }
                            try file.append($0)
                        })
                }
            }
        }
        (owner as? BlockFile)?.unload()
    }

    /// Whether the rows are those of one segment in their order, and its graph is of the wanted parameters: it is then
    /// taken over as it is. So a change of what lies beside a graph does not build it anew.
    func keepsRows(of name: String, _ parameters: HNSWParameters) -> Bool {
        guard recipe.sources.count == 1, recipe.piece.of == 1,
            let segment = recipe.sources.first?.rows as? Segment, segment.rowCount == places.count,
            let codes = files.last(where: { $0.role == .codes && $0.subject == name })
        else { return false }
        return segment.entry.file(.graph, name)?.parameters == IndexPolicy.describe(parameters)
            && segment.entry.file(.codes, name)?.parameters == codes.parameters
    }
}
