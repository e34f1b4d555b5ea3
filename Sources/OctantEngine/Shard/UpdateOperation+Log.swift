package import OctantModel
package import OctantStorage

/// How an operation stands in the log: resolved (ids, never filters) and validated, so that replay needs nothing but the
/// state before it. The bytes are specified in `docs/format/operations.md`.
extension UpdateOperation {
    /// The frame type of the operation.
    package var logType: UInt8 {
        switch self {
        case .upsert: 1
        case .delete: 2
        case .setPayload: 3
        case .overwritePayload: 4
        case .deletePayload: 5
        case .clearPayload: 6
        case .updateVectors: 7
        case .deleteVectors: 8
        }
    }

    /// The frame's payload. A selection by filter has been resolved before; what is left of one encodes as no ids.
    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 256)
        switch self {
        case .upsert(let points):
            out.varint(UInt64(points.count))
            for point in points {
                out.id(point.id)
                out.bytes(point.payload.bytes)
                out.vectors(point.vectors)
            }
        case .delete(let selection), .clearPayload(let selection):
            out.ids(selection)
        case .setPayload(let object, let selection, let key):
            out.bytes(Payload(object).bytes)
            out.string(key?.description ?? "")
            out.ids(selection)
        case .overwritePayload(let payload, let selection):
            out.bytes(payload.bytes)
            out.ids(selection)
        case .deletePayload(let paths, let selection):
            out.varint(UInt64(paths.count))
            for path in paths { out.string(path.description) }
            out.ids(selection)
        case .updateVectors(let points):
            out.varint(UInt64(points.count))
            for point in points {
                out.id(point.id)
                out.vectors(point.vectors)
            }
        case .deleteVectors(let names, let selection):
            out.varint(UInt64(names.count))
            for name in names { out.string(name) }
            out.ids(selection)
        }
        return out.bytes
    }

    /// Reads an operation back; throws `corrupt` if the bytes are not one.
    package init(logType: UInt8, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
        var reader = ByteReader(bytes, name: "operation of type \(logType)")
        switch logType {
        case 1:
            var points: [Point] = []
            for _ in 0..<(try reader.count()) {
                let id = try reader.id()
                let payload = Payload(bytes: Array(try reader.bytes()))
                points.append(Point(id: id, vectors: try reader.vectors(), payload: payload))
            }
            self = .upsert(points)
        case 2: self = .delete(try reader.ids())
        case 3:
            let object = Payload(bytes: Array(try reader.bytes())).object
            let key = try reader.path()
            self = .setPayload(object, try reader.ids(), key: key)
        case 4:
            let payload = Payload(bytes: Array(try reader.bytes()))
            self = .overwritePayload(payload, try reader.ids())
        case 5:
            var paths: [PayloadPath] = []
            for _ in 0..<(try reader.count()) {
                if let path = try reader.path() { paths.append(path) }
            }
            self = .deletePayload(paths, try reader.ids())
        case 6: self = .clearPayload(try reader.ids())
        case 7:
            var points: [(id: PointID, vectors: NamedVectors)] = []
            for _ in 0..<(try reader.count()) {
                let id = try reader.id()
                points.append((id, try reader.vectors()))
            }
            self = .updateVectors(points)
        case 8:
            var names: [String] = []
            for _ in 0..<(try reader.count()) { names.append(try reader.string()) }
            self = .deleteVectors(names, try reader.ids())
        default: throw reader.damaged("unknown operation type \(logType)")
        }
        try reader.finish()
    }
}

extension ByteWriter {
    mutating func id(_ id: PointID) {
        switch id {
        case .number(let number):
            u8(0)
            u64(number)
        case .uuid(let uuid):
            u8(1)
            u64(uuid.high)
            u64(uuid.low)
        }
    }

    mutating func ids(_ selection: PointSelection) {
        guard case .ids(let ids) = selection else {
            varint(0)
            return
        }
        varint(UInt64(ids.count))
        for id in ids { self.id(id) }
    }

    mutating func vectors(_ vectors: NamedVectors) {
        varint(UInt64(vectors.entries.count))
        for entry in vectors.entries {
            string(entry.name)
            switch entry.vector {
            case .dense(let components):
                u8(0)
                varint(UInt64(components.count))
                components.withUnsafeBytes { raw($0) }
            case .sparse(let vector):
                let count = min(vector.indices.count, vector.values.count)
                u8(1)
                varint(UInt64(count))
                vector.indices[..<count].withUnsafeBytes { raw($0) }
                vector.values[..<count].withUnsafeBytes { raw($0) }
            case .multiDense(let rows):
                u8(2)
                varint(UInt64(rows.count))
                varint(UInt64(rows.first?.count ?? 0))
                for row in rows { row.withUnsafeBytes { raw($0) } }
            case .document:
                // Has become a vector before a write gets here; it stands for no numbers.
                u8(1)
                varint(0)
            }
        }
    }
}

extension ByteReader {
    mutating func id() throws(StorageError) -> PointID {
        switch try u8() {
        case 0: return .number(try u64())
        case 1: return .uuid(UUIDValue(high: try u64(), low: try u64()))
        case let tag: throw damaged("unknown kind of id \(tag)")
        }
    }

    mutating func ids() throws(StorageError) -> PointSelection {
        let count = try count(unit: 9)
        var ids: [PointID] = []
        ids.reserveCapacity(count)
        for _ in 0..<count { ids.append(try id()) }
        return .ids(ids)
    }

    mutating func path() throws(StorageError) -> PayloadPath? {
        let text = try string()
        guard !text.isEmpty else { return nil }
        do throws(OctantError) { return try PayloadPath(text) } catch { throw damaged(error.message) }
    }

    mutating func vectors() throws(StorageError) -> NamedVectors {
        var entries: [NamedVectors.Entry] = []
        for _ in 0..<(try count()) {
            let name = try string()
            entries.append(NamedVectors.Entry(name: name, vector: try vector()))
        }
        return NamedVectors(entries)
    }

    private mutating func vector() throws(StorageError) -> Vector {
        switch try u8() {
        case 0: return .dense(try numbers(try count(unit: 4), Float(0)))
        case 1:
            let count = try count(unit: 8)
            let indices = try numbers(count, 0 as UInt32)
            guard zip(indices, indices.dropFirst()).allSatisfy({ $0 < $1 }) else {
                throw damaged("indices of a sparse vector do not ascend")
            }
            return .sparse(SparseVector(indices: indices, values: try numbers(count, Float(0))))
        case 2:
            let rows = try count()
            let width = try count(unit: 4)
            let (bytes, overflow) = rows.multipliedReportingOverflow(by: width * 4)
            guard !overflow, bytes <= remaining, width > 0 else { throw damaged("impossible multivector") }
            var vector: [[Float]] = []
            for _ in 0..<rows { vector.append(try numbers(width, Float(0))) }
            return .multiDense(vector)
        default: throw damaged("unknown kind of vector")
        }
    }

    /// `count` numbers of four bytes.
    private mutating func numbers<T: BitwiseCopyable>(_ count: Int, _ zero: T) throws(StorageError) -> [T] {
        let bytes = try raw(count * 4)
        return [T](unsafeUninitializedCapacity: count) { out, filled in
            UnsafeMutableRawBufferPointer(out).copyMemory(from: bytes)
            filled = count
        }
    }
}
