import OctantModel
import OctantStorage
import OctantVectors

/// Graphs of a new segment: built on codes, grown from those of a source or from what an earlier process had built.
extension SegmentWriter {
    /// What a graph is built on: the segment's codes if they are fine enough, else 8-bit codes that live as long as the
    /// build, so that a graph is no worse for rough codes. Small segments are compared by their originals.
    private func graphSource(
        _ vector: NamedVectorParams, _ rows: DenseRows, _ codes: VectorCodes?
    ) throws -> HNSWBuilder.Source {
        if case .int8(let codes)? = codes { return .codes(codes) }
        guard rows.count >= Self.codedRowsMin else { return .rows(rows, vector.params.distance) }
        let made = try Int8Codes.make(
            rows: rows, distance: vector.params.distance, threads: min(recipe.threads, recipe.share?.threads ?? .max),
            measuresError: false)
        return .codes(made)
    }

    /// Bytes of the codes that a graph is built on, where they are not the segment's own.
    private func ownBytes(_ source: HNSWBuilder.Source, _ codes: VectorCodes?) -> Int {
        guard case .codes(let made) = source else { return 0 }
        if case .int8? = codes { return 0 }
        return Int8Codes.byteCount(parameters: made.parameters, count: made.count)
    }

    mutating func writeGraph(
        _ vector: NamedVectorParams, _ number: Int, _ parameters: HNSWParameters, _ rows: DenseRows,
        _ codes: VectorCodes?, _ presence: [UInt64]?
    ) throws(StorageError) {
        begin("graph", vector.name)
        let isCancelled = isCancelled
        let (threads, meter, share) = (recipe.threads, recipe.meter, recipe.share)
        let saving = saving(vector, number, parameters)
        var held = 0
        defer { meter?.free(held) }
        let builder: HNSWBuilder
        var isPresent: (@Sendable (UInt32) -> Bool)?
        if let presence { isPresent = { row in presence[Int(row >> 6)] >> UInt64(row & 63) & 1 != 0 } }
        do {
            let source = try graphSource(vector, rows, codes)
            builder = try HNSWBuilder(parameters: parameters, count: rows.count)
            let workers = max(1, min(threads, (rows.count - beginning(of: builder, vector, saving)) / 64))
            share?.begin(workers: workers)
            held = builder.heldBytes(threads: workers, dimension: rows.dimension) + ownBytes(source, codes)
            meter?.allocate(held)
            do {
                try builder.build(
                    source: source, threads: threads, isPresent: isPresent, observer: saving,
                    isCancelled: {
                        share?.pass()
                        return isCancelled()
                    }, progress: { meter?.advance(to: $0) })
            } catch {
                if error == .cancelled { saving?.saveLast(builder, isClosing: true) }
                throw error
            }
        } catch {
            throw StorageError(isCancelled() ? .closed : .io(12), "\(folder.path): building the graph: \(error)")
        }
        // Else it would be built again, should a later one not be finished.
        if hasMoreGraphs(after: vector) { saving?.saveLast(builder, isClosing: false) }
        let description = IndexPolicy.describe(parameters)
        try write(.graph, vector.name, "HNSW", name: "graph-\(number)", parameters: description) {
            (file) throws(StorageError) in
            try Self.storing { try builder.serialize { try file.append($0) } }
        }
    }

    /// Gives a new builder the rows that are in a graph already: in one that was saved, or in the one that grows. Returns
    /// how many.
    private func beginning(of builder: HNSWBuilder, _ vector: NamedVectorParams, _ saving: GraphSaving?) -> Int {
        let saved = saving?.resume(builder)
        var rows = saved ?? 0
        if saved == nil, recipe.growsFirst || keepsRows(of: vector.name, builder.parameters),
            let first = recipe.sources.first?.rows as? Segment, let graph = first.field(vector.name)?.index.graph
        {
            rows = builder.adopt(graph)
        }
        saving?.start(rows: rows, isSaved: saved != nil)
        return rows
    }

    /// What saves the graph of a vector while it is built, if the job is to be resumed.
    private func saving(_ vector: NamedVectorParams, _ number: Int, _ parameters: HNSWParameters) -> GraphSaving? {
        guard let builds = recipe.builds else { return nil }
        var sources: [SavedBuild.Source] = []
        for (source, taken) in zip(recipe.sources, taken) {
            guard let entry = (source.rows as? Segment)?.entry, let ids = entry.file(.ids) else { return nil }
            sources.append(
                .init(uuid: entry.uuid, rowCount: entry.rowCount, idsCRC: ids.summary.crc, taken: taken))
        }
        let build = SavedBuild(
            plan: builds.plan, settings: builds.settings, sources: sources, piece: recipe.piece, vector: vector.name,
            graph: parameters, rowCount: places.count)
        return GraphSaving(builds, build, vectorNumber: number, meter: recipe.meter)
    }

    /// Whether the job builds other graphs after this vector's.
    private func hasMoreGraphs(after vector: NamedVectorParams) -> Bool {
        let later = recipe.config.params.denseVectors.drop { $0.name != vector.name }.dropFirst()
        return recipe.piece.number + 1 < recipe.piece.of
            || later.contains { IndexPolicy($0, config: recipe.config).graph != nil }
    }
}
