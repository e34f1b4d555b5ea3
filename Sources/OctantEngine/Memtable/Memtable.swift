package import OctantModel
import OctantPayload
package import OctantVectors
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The newest points, in memory until a checkpoint writes them as a segment.
///
/// Rows are only ever appended, by the applying thread; a newer version of a point is a new row and the older one gets a
/// tombstone. Readers need no lock: a row is visible in the view of `lsn` if its version is at most `lsn` and it had not
/// died by then. Versions ascend with rows, so a view sees a prefix of them.
///
/// ```
/// id → slot table (newest row of the id) → row → previous row of the same id → …
/// ```
package final class Memtable: RowSource, @unchecked Sendable {
    // SAFETY: one thread appends; readers see rows below `count`, which is stored with release order after the row is
    // complete, and the slot table through atomics. All memory lives as long as self.

    /// Rows it can hold.
    package let capacity: Int
    package let tombstones: Tombstones
    package let fields: [MemtableVectors]
    package let multi: [MemtableMulti]
    package let sparse: [MemtableSparse]
    private let published = Atomic<Int>(0)
    private let ids: UnsafeMutablePointer<PointID>
    private let versions: UnsafeMutablePointer<UInt64>
    private let previous: UnsafeMutablePointer<UInt32>
    private let payloads: UnsafeMutablePointer<UnsafeRawBufferPointer>
    private let slots: UnsafeMutablePointer<Atomic<UInt32>>
    private let slotCount: Int
    private var chunks: [UnsafeMutableRawPointer] = []
    private var chunkFree = 0
    private let bytes = Atomic<Int>(0)

    private static let chunkBytes = 1 << 20

    /// An empty memtable for `capacity` rows with the vectors of `params`; `nil` if memory is used up.
    package init?(capacity: Int, params: CollectionParams) {
        guard capacity > 0, capacity < 1 << 30, let tombstones = Tombstones(rowCount: capacity) else { return nil }
        self.capacity = capacity
        self.tombstones = tombstones
        var fields: [MemtableVectors] = []
        for vector in params.denseVectors {
            guard let field = MemtableVectors(vector, capacity: capacity) else { return nil }
            fields.append(field)
        }
        self.fields = fields
        multi = params.multivectors.map { MemtableMulti($0, capacity: capacity) }
        sparse = params.sparseVectors.map { MemtableSparse($0.name, capacity: capacity) }
        ids = .allocate(capacity: capacity)
        versions = .allocate(capacity: capacity)
        previous = .allocate(capacity: capacity)
        payloads = .allocate(capacity: capacity)
        var slotCount = 16
        while slotCount < capacity * 2 { slotCount *= 2 }
        self.slotCount = slotCount
        slots = .allocate(capacity: slotCount)
        for slot in 0..<slotCount { (slots + slot).initialize(to: Atomic(0)) }
    }

    deinit {
        ids.deallocate()
        versions.deallocate()
        previous.deallocate()
        payloads.deallocate()
        slots.deallocate()
        for chunk in chunks { chunk.deallocate() }
    }

    /// The tables that have a place for each row.
    var tableMemory: [UnsafeRawBufferPointer] {
        [
            UnsafeRawBufferPointer(start: ids, count: capacity * MemoryLayout<PointID>.stride),
            UnsafeRawBufferPointer(start: versions, count: capacity * 8),
            UnsafeRawBufferPointer(start: previous, count: capacity * 4),
            UnsafeRawBufferPointer(start: payloads, count: capacity * MemoryLayout<UnsafeRawBufferPointer>.stride),
            UnsafeRawBufferPointer(start: slots, count: slotCount * 4), tombstones.memory,
        ]
    }

    package var rowCount: Int { published.load(ordering: .acquiring) }

    /// Bytes of vectors and payload.
    var storedBytes: Int { bytes.load(ordering: .relaxed) }

    /// Bytes of vectors, their codes, and payload.
    package var byteCount: Int { fields.reduce(storedBytes) { $0 + $1.codes.byteCount } }

    /// Bytes of its vectors that want a graph.
    package func indexableBytes(_ config: CollectionConfig) -> Int {
        let rows = rowCount
        return fields.reduce(0) { sum, field in
            guard let params = config.params.vectors[field.name] else { return sum }
            let wanted = config.hnsw.applying(params.hnsw).m != 0
            return sum + (wanted ? max(0, rows - field.absentCount) * params.rowBytes : 0)
        }
    }

    /// The first LSN and the last one of its rows.
    package var lastVersion: UInt64 { rowCount == 0 ? 0 : versions[rowCount - 1] }

    /// Rows that existed at `lsn`: a prefix.
    package func rowCount(at lsn: UInt64) -> Int {
        var count = rowCount
        while count > 0, versions[count - 1] > lsn { count -= 1 }
        return count
    }

    package func id(_ row: UInt32) -> PointID { ids[Int(row)] }
    package func version(_ row: UInt32) -> UInt64 { versions[Int(row)] }
    package func payload(_ row: UInt32) -> UnsafeRawBufferPointer { payloads[Int(row)] }

    package func stored(_ row: UInt32, _ name: String) -> StoredVector? {
        if let field = fields.first(where: { $0.name == name }) { return field.stored(row) }
        if let field = multi.first(where: { $0.name == name }) { return field.stored(row) }
        return sparse.first { $0.name == name }?.vector(row).map { .sparse($0) }
    }

    /// The names of its vectors, in the order in which ``append(id:version:payload:vectors:)`` takes them.
    package var vectorNames: [String] { fields.map(\.name) + multi.map(\.name) + sparse.map(\.name) }

    package func row(of id: PointID, at lsn: UInt64) -> UInt32? {
        var row = newestRow(of: id)
        while let candidate = row {
            if versions[Int(candidate)] <= lsn { return tombstones.isLive(candidate, at: lsn) ? candidate : nil }
            let older = previous[Int(candidate)]
            row = older == 0 ? nil : older - 1
        }
        return nil
    }

    private func newestRow(of id: PointID) -> UInt32? {
        let mask = slotCount - 1
        var slot = Int(truncatingIfNeeded: id.stableHash) & mask
        while true {
            let entry = slots[slot].load(ordering: .acquiring)
            if entry == 0 { return nil }
            if ids[Int(entry - 1)] == id { return entry - 1 }
            slot = (slot + 1) & mask
        }
    }

    /// The living row of `id`, for the applying thread.
    package func liveRow(of id: PointID) -> UInt32? {
        guard let row = newestRow(of: id), tombstones.deathLSN(row) == 0 else { return nil }
        return row
    }

    /// Appends a row; the caller has made sure there is room and kills the older version itself.
    ///
    /// - Parameter vectors: for each of ``vectorNames``, where the vector comes from.
    package func append(
        id: PointID, version: UInt64, payload: UnsafeRawBufferPointer, vectors: [VectorSource]
    ) {
        let row = published.load(ordering: .relaxed)
        guard row < capacity else { return }
        var added = payload.count + 40
        guard vectors.count == fields.count + multi.count + sparse.count else { return }
        for (field, vector) in zip(fields, vectors) where field.set(UInt32(row), vector) {
            added += field.rowBytes
        }
        let others = vectors.dropFirst(fields.count)
        for (field, vector) in zip(multi, others) { added += field.set(UInt32(row), vector) }
        for (field, vector) in zip(sparse, others.dropFirst(multi.count)) { added += field.set(UInt32(row), vector) }
        (ids + row).initialize(to: id)
        versions[row] = version
        payloads[row] = keep(payload)
        link(id, UInt32(row))
        bytes.add(added, ordering: .relaxed)
        published.store(row + 1, ordering: .releasing)
    }

    private func link(_ id: PointID, _ row: UInt32) {
        let mask = slotCount - 1
        var slot = Int(truncatingIfNeeded: id.stableHash) & mask
        while true {
            let entry = slots[slot].load(ordering: .relaxed)
            if entry == 0 || ids[Int(entry - 1)] == id {
                previous[Int(row)] = entry
                slots[slot].store(row + 1, ordering: .releasing)
                return
            }
            slot = (slot + 1) & mask
        }
    }

    private func keep(_ payload: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard payload.count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let place: UnsafeMutableRawPointer
        if payload.count > Self.chunkBytes / 4 {
            place = .allocate(byteCount: payload.count, alignment: 8)
            chunks.insert(place, at: 0)
        } else {
            if chunks.isEmpty || chunkFree < payload.count {
                chunks.append(.allocate(byteCount: Self.chunkBytes, alignment: 8))
                chunkFree = Self.chunkBytes
            }
            place = chunks[chunks.count - 1] + (Self.chunkBytes - chunkFree)
            chunkFree -= payload.count
        }
        UnsafeMutableRawBufferPointer(start: place, count: payload.count).copyMemory(from: payload)
        return UnsafeRawBufferPointer(start: place, count: payload.count)
    }
}

/// The vectors of one name in a memtable: a run of rows in lazily backed memory, ready for batch kernels.
package final class MemtableVectors: @unchecked Sendable {
    // SAFETY: one thread writes a row before it is published; nobody writes it again.
    package let name: String
    package let dimension: Int
    package let distance: Distance
    /// Bytes of a row.
    let rowBytes: Int
    private let element: RowElement
    private let base: UnsafeMutableRawPointer
    private let present: UnsafeMutablePointer<Bool>
    /// The lengths of vectors that are kept normalised though clients get them as they were; see ``StoredVector``.
    private let lengths: UnsafeMutablePointer<Float>?
    private let byteCount: Int
    private let capacity: Int
    /// What searches have encoded.
    package let codes = MemtableCodes()
    private let absent = Atomic<Int>(0)

    init?(_ vector: NamedVectorParams, capacity: Int) {
        name = vector.name
        dimension = vector.params.size
        distance = vector.params.distance
        self.capacity = capacity
        // What was rounded before is kept in floats, whose kernels are the fastest; what is rounded by being written is
        // written once.
        if case .turbo = vector.params.element { element = vector.params.element } else { element = .float32 }
        rowBytes = element.rowBytes(dimension)
        byteCount = capacity * rowBytes + element.tailBytes
        #if canImport(Darwin)
        let flags = MAP_PRIVATE | MAP_ANON
        #else
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        #endif
        let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let memory, memory != MAP_FAILED else { return nil }
        base = memory
        present = .allocate(capacity: capacity)
        lengths = vector.params.isUnnormalizedCosine ? .allocate(capacity: capacity) : nil
    }

    deinit {
        munmap(base, byteCount)
        present.deallocate()
        lengths?.deallocate()
    }

    /// Its tables.
    var memory: [UnsafeRawBufferPointer] {
        [
            UnsafeRawBufferPointer(start: base, count: byteCount),
            UnsafeRawBufferPointer(start: present, count: capacity),
            UnsafeRawBufferPointer(start: lengths, count: lengths == nil ? 0 : capacity * 4),
        ]
    }

    /// Stores a row; returns whether there was a vector.
    func set(_ row: UInt32, _ vector: VectorSource) -> Bool {
        switch vector {
        case .given(.dense(let values)) where values.count == dimension:
            values.withUnsafeBufferPointer { write($0, row) }
            if let lengths {
                lengths[Int(row)] = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
                DenseKernels.normalize(floats(row), dimension)
            }
        case .stored(.dense(let source)) where source.count == dimension: write(source, row)
        case .stored(.scaled(let source, let length)) where source.count == dimension:
            write(source, row)
            lengths?[Int(row)] = length
        case .stored(.compact(let source, let number)) where source.dimension == dimension:
            copy(source, number, row)
            if let length = source.lengths?[Int(number)] { lengths?[Int(row)] = length }
        case .none, .given, .stored:
            present[Int(row)] = false
            absent.add(1, ordering: .relaxed)
            return false
        }
        present[Int(row)] = true
        return true
    }

    private func place(_ row: UInt32) -> UnsafeMutableRawPointer { base + Int(row) * rowBytes }

    /// The components of a row, of floats.
    private func floats(_ row: UInt32) -> UnsafeMutablePointer<Float> { place(row).assumingMemoryBound(to: Float.self) }

    private func write(_ components: UnsafeBufferPointer<Float>, _ row: UInt32) {
        if let source = components.baseAddress { element.encode(source, dimension, into: place(row)) }
    }

    /// A row of the same form keeps its bytes.
    private func copy(_ source: DenseRows, _ number: UInt32, _ row: UInt32) {
        if source.element == element {
            place(row).copyMemory(from: source.address(number), byteCount: rowBytes)
        } else if element == .float32 {
            source.decode(number, into: floats(row))
        } else {
            let components = source.copy(number)
            components.withUnsafeBufferPointer { write($0, row) }
        }
    }

    /// Whether some row has no such vector.
    package var hasAbsent: Bool { absent.load(ordering: .relaxed) > 0 }

    /// Rows that have no such vector.
    package var absentCount: Int { absent.load(ordering: .relaxed) }

    /// Whether `row` has the vector.
    package func isPresent(_ row: UInt32) -> Bool { present[Int(row)] }

    /// The vector of a row.
    package func stored(_ row: UInt32) -> StoredVector? {
        guard present[Int(row)] else { return nil }
        guard element == .float32 else { return .compact(rows(Int(row) + 1), row) }
        let buffer = UnsafeBufferPointer(start: UnsafePointer(floats(row)), count: dimension)
        return lengths.map { .scaled(buffer, by: $0[Int(row)]) } ?? .dense(buffer)
    }

    /// Codes of the first rows, up to `count`, that there are to be by `recipe`; `nil` if there are none.
    package func codes(_ recipe: CodeRecipe?, _ count: Int) -> PackedCodes? {
        guard case .packed(let width)? = recipe, element == .float32 else { return nil }
        return codes.codes(width, rowCount: count) {
            GrowingCodes(
                distance: distance, width: width, dimension: dimension, capacity: capacity,
                vectors: UnsafePointer(base.assumingMemoryBound(to: Float.self)),
                rowCount: count, isPresent: isPresent)
        }
    }

    /// The first `count` rows.
    package func rows(_ count: Int) -> DenseRows {
        DenseRows(base: base, element: element, count: count, dimension: dimension)
    }
}
