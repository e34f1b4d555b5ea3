import OctantModel
import OctantPayload
package import OctantStorage
import OctantVectors

/// A written segment, and where each source row went.
package struct WrittenSegment: Sendable {
    package var entry: SegmentEntry
    package var folder: SegmentFolder
    /// Per source, per row: the new row, or `UInt32.max` if it was left out.
    package var newRows: [[UInt32]]
}

/// Writes the files of a new segment, each synced before the manifest may name it.
package struct SegmentWriter {
    let recipe: SegmentRecipe
    let folder: SegmentFolder
    let isCancelled: @Sendable () -> Bool
    var files: [SegmentEntry.FileEntry] = []
    var places: [Place] = []
    /// By source, a bit for each row that was taken, if graphs are saved.
    var taken: [[UInt64]] = []

    struct Place {
        var source: Int
        var row: UInt32
        var isDead: Bool
    }

    /// Codes are worth their file from so many rows on; below, a scan of the originals is as fast.
    static let codedRowsMin = 256
    /// Bytes for each row while its segment is written.
    static let placeBytes = MemoryLayout<Place>.stride
    /// Bytes of a file that is being written.
    static let fileBytes = BlockFileWriter.bufferSize

    /// Writes a segment into a new folder under `directory`. Returns `nil` if no row is left to write.
    ///
    /// Throws the file layer's errors, and `closed` if cancelled.
    package static func write(
        _ recipe: SegmentRecipe, directory: String, fileSystem: any FileSystem,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws(StorageError) -> WrittenSegment? {
        let uuid = UUIDBytes.random()
        let folder = SegmentFolder(
            path: directory + "/" + uuid.description, uuid: uuid, fileSystem: fileSystem, lowMemory: recipe.lowMemory)
        var writer = SegmentWriter(recipe, folder, isCancelled)
        let newRows = writer.placeRows()
        let placed = writer.places.capacity * placeBytes
        recipe.meter?.allocate(placed + newRows.reduce(0) { $0 + $1.capacity * MemoryLayout<UInt32>.stride })
        // Where rows went is kept until the segments are swapped.
        defer { recipe.meter?.free(placed) }
        guard !writer.places.isEmpty else { return nil }
        do throws(StorageError) {
            try fileSystem.makeDirectory(folder.path)
            let entry = try writer.writeFiles()
            try fileSystem.syncDirectory(folder.path)
            try fileSystem.syncDirectory(directory)
            return WrittenSegment(entry: entry, folder: folder, newRows: newRows)
        } catch {
            try? fileSystem.removeTree(folder.path)  // no manifest names it; the first error is the one to report
            throw error
        }
    }

    private init(_ recipe: SegmentRecipe, _ folder: SegmentFolder, _ isCancelled: @escaping @Sendable () -> Bool) {
        self.recipe = recipe
        self.folder = folder
        self.isCancelled = isCancelled
    }

    private mutating func placeRows() -> [[UInt32]] {
        var newRows: [[UInt32]] = []
        places.reserveCapacity(recipe.sources.reduce(0) { $0 + $1.rowCount } / recipe.piece.of + 1)
        var kept = 0
        for (number, source) in recipe.sources.enumerated() {
            var mapping = [UInt32](repeating: .max, count: source.rowCount)
            let before = recipe.builds?.taken?[number]
            var bits = [UInt64](repeating: 0, count: recipe.builds == nil ? 0 : (source.rowCount + 63) / 64)
            defer { taken.append(bits) }
            for row in 0..<UInt32(source.rowCount) {
                let isDead = !source.rows.tombstones.isLive(row, at: recipe.checkpoint)
                if let before {
                    // Rows that died since the job was begun are in its graph.
                    if before[Int(row >> 6)] >> UInt64(row & 63) & 1 == 0 { continue }
                } else if isDead, !source.keepsDead {
                    continue
                }
                if !bits.isEmpty { bits[Int(row >> 6)] |= 1 << UInt64(row & 63) }
                defer { kept += 1 }
                guard kept % recipe.piece.of == recipe.piece.number else { continue }
                mapping[Int(row)] = UInt32(places.count)
                places.append(Place(source: number, row: row, isDead: isDead))
            }
            newRows.append(mapping)
        }
        return newRows
    }

    func begin(_ stage: String, _ subject: String = "") {
        recipe.meter?.begin(subject.isEmpty ? stage : stage + " " + subject, total: places.count)
    }

    /// Counts bytes that are allocated while `body` runs.
    func holding<Result>(
        _ bytes: Int, _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        recipe.meter?.allocate(bytes)
        defer { recipe.meter?.free(bytes) }
        return try body()
    }

    private mutating func writeFiles() throws(StorageError) -> SegmentEntry {
        begin("ids")
        let lastLSN = try writeIDs()
        begin("payload")
        try writePayload()
        for vector in recipe.config.params.denseVectors {
            begin("vectors", vector.name)
            try writeVector(vector)
        }
        for vector in recipe.config.params.multivectors {
            begin("multivectors", vector.name)
            try writeMulti(vector)
        }
        for (number, vector) in recipe.config.params.sparseVectors.enumerated() {
            begin("sparse vectors", vector.name)
            try writeSparse(vector.name, number)
        }
        for index in recipe.fieldIndexes where index.schema.isAvailable {
            begin("field index", index.key.description)
            let sources = recipe.sources.map(\.rows)
            let rows = places.lazy.map { place in
                place.isDead
                    ? UnsafeRawBufferPointer(start: nil, count: 0) : sources[place.source].payload(place.row)
            }
            files.append(
                try Self.writeIndex(
                    index, folder: folder, rowCount: places.count, payloads: rows, meter: recipe.meter))
        }
        recipe.meter?.end()
        return SegmentEntry(uuid: folder.uuid, rowCount: places.count, files: files, lastLSN: lastLSN)
    }

    mutating func write(
        _ role: SegmentEntry.Role, _ subject: String, _ type: BlockFileType, name: String, parameters: String = "",
        _ body: (BlockFileWriter) throws(StorageError) -> Void
    ) throws(StorageError) {
        if isCancelled() { throw StorageError(.closed, "cancelled") }
        let path = folder.path + "/" + name
        let writer = try BlockFileWriter(
            path: path, type: type, uuid: folder.uuid, rows: UInt64(places.count), fileSystem: folder.fileSystem)
        let summary = try holding(Self.fileBytes) { () throws(StorageError) in
            try body(writer)
            return try writer.finish()
        }
        recipe.meter?.wrote(summary.size)
        files.append(.init(role: role, subject: subject, parameters: parameters, summary: summary))
    }

    private mutating func writeIDs() throws(StorageError) -> LSN {
        let places = places
        let sources = recipe.sources.map(\.rows)
        let ids = places.map { sources[$0.source].id($0.row) }
        let versions = places.map { sources[$0.source].version($0.row) }
        let held =
            ids.capacity * MemoryLayout<PointID>.stride + versions.capacity * 8 + IDMap.encodingBytes(ids.count)
        recipe.meter?.allocate(held)
        defer { recipe.meter?.free(held) }
        try write(.ids, "", "IDMP", name: "ids") { (file) throws(StorageError) in
            try IDMap.encode(ids: ids, versions: versions, listed: { !places[$0].isDead }) {
                (bytes) throws(StorageError) in
                try file.append(bytes)
            }
        }
        return versions.max() ?? 0
    }

    private mutating func writePayload() throws(StorageError) {
        let places = places
        let sources = recipe.sources.map(\.rows)
        var ends: [UInt64] = []
        ends.reserveCapacity(places.count)
        var total: UInt64 = 0
        for place in places {
            if !place.isDead { total += UInt64(sources[place.source].payload(place.row).count) }
            ends.append(total.littleEndian)
        }
        let table = ends.withUnsafeBytes { Array($0) }
        let held = ends.capacity * 8 + table.capacity
        recipe.meter?.allocate(held)
        defer { recipe.meter?.free(held) }
        try write(.payload, "", "PAYL", name: "payload") { (file) throws(StorageError) in
            try file.append(table)
            for place in places where !place.isDead { try file.append(sources[place.source].payload(place.row)) }
        }
    }

    private mutating func writeVector(_ vector: NamedVectorParams) throws(StorageError) {
        let number = recipe.config.params.vectors.all.firstIndex { $0.name == vector.name } ?? 0
        let places = places
        let sources = recipe.sources.map(\.rows)
        let encoder = RowEncoder(vector.params, packing(of: vector))
        let zeros = [UInt8](repeating: 0, count: encoder.rowBytes)
        var presence = [UInt64](repeating: 0, count: (places.count + 63) / 64)
        var absent = 0
        let form = encoder.element.recipe
        try write(.vectors, vector.name, "VECS", name: "vectors-\(number)", parameters: form) {
            (file) throws(StorageError) in
            var whole: [Place] = []
            for (row, place) in places.enumerated() {
                if let stored = sources[place.source].stored(place.row, vector.name),
                    let bytes = encoder.encode(stored)
                {
                    presence[row >> 6] |= 1 << UInt64(row & 63)
                    try file.append(bytes)
                    if encoder.wholeCount > whole.count { whole.append(place) }
                } else {
                    absent += 1
                    try file.append(zeros)
                }
            }
            try file.append([UInt8](repeating: 0, count: encoder.element.tailBytes))
            for place in whole {
                try file.append(try Self.wholeRow(sources[place.source], place.row, vector.name, encoder))
            }
        }
        if absent > 0 {
            let bytes = presence.map(\.littleEndian).withUnsafeBytes { Array($0) }
            try write(.presence, vector.name, "PRES", name: "presence-\(number)") { (file) throws(StorageError) in
                try file.append(bytes)
            }
        }
        if vector.params.isUnnormalizedCosine { try writeLengths(vector, number) }
        guard absent < places.count else { return }
        // From here on the new file is read, and the sources by searches alone, which find them in the page cache.
        for case let segment as Segment in sources { segment.releasePages() }
        try writeCodesAndGraph(vector, number, presence: absent > 0 ? presence : nil)
    }

    private mutating func writeLengths(_ vector: NamedVectorParams, _ number: Int) throws(StorageError) {
        let sources = recipe.sources.map(\.rows)
        let lengths = places.map { place -> UInt32 in
            let length = sources[place.source].stored(place.row, vector.name)?.length
            return (length ?? 0).bitPattern.littleEndian
        }
        let bytes = lengths.withUnsafeBytes { Array($0) }
        try write(.lengths, vector.name, "LENS", name: "lengths-\(number)") { (file) throws(StorageError) in
            try file.append(bytes)
        }
    }

    /// Writes the multivectors of one name; no file if no row has one.
    private mutating func writeMulti(_ vector: NamedVectorParams) throws(StorageError) {
        let number = recipe.config.params.vectors.all.firstIndex { $0.name == vector.name } ?? 0
        let places = places
        let sources = recipe.sources.map(\.rows)
        func rows(_ place: Place) -> MultiRow? {
            guard !place.isDead,
                case .multi(let rows, let width)? = sources[place.source].stored(place.row, vector.name),
                width == vector.params.size
            else { return nil }
            return rows
        }
        var ends: [UInt64] = []
        ends.reserveCapacity(places.count)
        var total = 0
        for place in places {
            total += rows(place)?.count ?? 0
            ends.append(UInt64(total).littleEndian)
        }
        guard total > 0 else { return }
        let table = ends.withUnsafeBytes { Array($0) }
        let held = ends.capacity * 8 + table.capacity
        recipe.meter?.allocate(held)
        defer { recipe.meter?.free(held) }
        let encoder = RowEncoder(vector.params)
        let form = vector.params.element.recipe
        try write(.multivectors, vector.name, "MVEC", name: "multi-\(number)", parameters: form) {
            (file) throws(StorageError) in
            try file.append(table)
            for place in places {
                guard let rows = rows(place)?.dense(vector.params.size) else { continue }
                for row in 0..<UInt32(rows.count) {
                    if let bytes = encoder.encode(rows, row) { try file.append(bytes) }
                }
            }
        }
    }

    /// Writes the sparse vectors of one name; no file if no row has one.
    private mutating func writeSparse(_ name: String, _ number: Int) throws(StorageError) {
        let places = places
        let sources = recipe.sources.map(\.rows)
        func vector(_ row: UInt32) -> SparseRow? {
            let place = places[Int(row)]
            guard !place.isDead, case .sparse(let row)? = sources[place.source].stored(place.row, name) else {
                return nil
            }
            return row
        }
        var entries = 0
        for row in 0..<UInt32(places.count) { entries += vector(row)?.count ?? 0 }
        guard entries > 0 || (0..<UInt32(places.count)).contains(where: { vector($0) != nil }) else { return }
        let held = SparseIndex.encodingBytes(count: places.count, entries: entries)
        recipe.meter?.allocate(held)
        defer { recipe.meter?.free(held) }
        try write(.sparse, name, "SPRS", name: "sparse-\(number)") { (file) throws(StorageError) in
            try Self.storing {
                try SparseIndex.encode(count: places.count, vector: vector) { try file.append($0) }
            }
        }
    }

    private mutating func writeCodesAndGraph(
        _ vector: NamedVectorParams, _ number: Int, presence: [UInt64]?
    ) throws(StorageError) {
        guard let file = files.last(where: { $0.role == .vectors && $0.subject == vector.name }) else { return }
        let mapped = try folder.open(file, "VECS")
        var lengths: BlockFile?
        if let file = files.last(where: { $0.role == .lengths && $0.subject == vector.name }) {
            lengths = try folder.open(file, "LENS")
        }
        let rows = try DenseRows(
            mapped, recipe: file.parameters, count: places.count, vector.params,
            lengths: lengths?.data.baseAddress?.assumingMemoryBound(to: Float.self))
        let policy = IndexPolicy(vector, config: recipe.config)
        let index = recipe.indexed ? index(policy) : nil
        var graph: HNSWParameters?
        if case .graph(let parameters)? = index { graph = parameters }
        var codes: VectorCodes?
        var keeper: BlockFile?
        var held = 0
        defer { recipe.meter?.free(held) }
        let wanted = policy.codes(index)
        if let wanted, places.count >= Self.codedRowsMin, recipe.indexed || !wanted.isTrained {
            begin("codes", vector.name)
            try writeCodes(vector, number, wanted, rows)
            // All were read; what is read again comes from the page cache.
            mapped.unload()
            // Of these alone a graph is built; see ``graphSource(_:_:_:)``.
            if case .int8 = wanted, graph != nil, let entry = files.last {
                let (bytes, owner) = try folder.load(entry, "CODE", .copied)
                codes = try folder.decode(entry) { try VectorCodes(bytes: bytes, owner: owner) }
                keeper = owner as? BlockFile
                held = (owner as? HugeRegion)?.byteCount ?? 0
                recipe.meter?.allocate(held)
            }
        }
        if let graph { try writeGraph(vector, number, graph, rows, codes, presence) }
        if let inline = policy.inlineGraph, graph != nil {
            try writeInlineGraph(vector, number, inline, codes, policy.inlinesOriginals ? rows : nil)
        }
        withExtendedLifetime((mapped, lengths, keeper)) {}
    }

    /// How the segment is indexed.
    private func index(_ policy: IndexPolicy) -> IndexPolicy.Index? {
        guard recipe.alwaysWalks, let graph = policy.graph else { return policy.index(rows: places.count) }
        return .graph(graph)
    }

    private mutating func writeCodes(
        _ vector: NamedVectorParams, _ number: Int, _ wanted: CodeRecipe, _ rows: DenseRows
    ) throws(StorageError) {
        let (threads, isIndexed) = (min(recipe.threads, recipe.share?.threads ?? .max), recipe.indexed)
        let held = wanted.encodingBytes(rows: places.count, vector.params, threads: threads)
        recipe.meter?.allocate(held)
        defer { recipe.meter?.free(held) }
        try write(.codes, vector.name, "CODE", name: "codes-\(number)", parameters: wanted.description) {
            (file) throws(StorageError) in
            try Self.storing {
                switch wanted {
                case .int8(let quantile):
                    let trained = Int8Codes.train(rows: rows, distance: vector.params.distance, quantile: quantile)
                    // Their likely error says how far to read on disk; a flat segment in memory is not asked.
                    try Int8Codes.encode(
                        rows: rows, parameters: trained, threads: threads,
                        measuresError: isIndexed || vector.params.isOnDisk
                    ) { try file.append($0) }
                case .product(let width):
                    guard
                        let shape = ProductShape(
                            distance: vector.params.distance, dimension: rows.dimension, width: width)
                    else { throw StorageError(.corrupt, "\(vector.name): no product codes of width \(width)") }
                    let trained = ProductParameters.train(rows: rows, shape: shape, threads: threads)
                    try ProductCodes.encode(rows: rows, parameters: trained, threads: threads) { try file.append($0) }
                case .scan:
                    let trained = ScanParameters.train(rows: rows, distance: vector.params.distance)
                    try ScanCodes.encode(rows: rows, parameters: trained, threads: threads) { try file.append($0) }
                case .packed(let width):
                    let trained = PackedParameters.train(rows: rows, distance: vector.params.distance, width: width)
                    try PackedCodes.encode(rows: rows, parameters: trained, threads: threads) { try file.append($0) }
                }
            }
        }
    }

    /// Builds the file of a field index over `payloads`, which come in row order.
    package static func writeIndex(
        _ index: Manifest.FieldIndexEntry, folder: SegmentFolder, rowCount: Int,
        payloads: some Sequence<UnsafeRawBufferPointer>, meter: JobMeter? = nil
    ) throws(StorageError) -> SegmentEntry.FileEntry {
        var builder = FieldIndexBuilder(key: index.key, schema: index.schema, rowCount: rowCount)
        var row: UInt32 = 0
        for payload in payloads {
            if payload.count > 0 { builder.add(row: row, payload: PayloadView(payload)) }
            row += 1
        }
        let name = "index-" + UUIDBytes.random().description
        let writer = try BlockFileWriter(
            path: folder.path + "/" + name, type: "FIDX", uuid: folder.uuid, rows: UInt64(rowCount),
            fileSystem: folder.fileSystem)
        let held = builder.encodingBytes + fileBytes
        meter?.allocate(held)
        defer { meter?.free(held) }
        try builder.finish { (bytes) throws(StorageError) in try writer.append(bytes) }
        let summary = try writer.finish()
        meter?.wrote(summary.size)
        return .init(
            role: .fieldIndex, subject: index.key.description, parameters: index.schema.recipe, summary: summary)
    }

    /// Runs a writer of another module, whose closure may throw anything, and gives back this layer's error.
    static func storing(_ body: () throws -> Void) throws(StorageError) {
        do { try body() } catch let error as StorageError { throw error } catch {
            throw StorageError(.io(12), "\(error)")
        }
    }
}
