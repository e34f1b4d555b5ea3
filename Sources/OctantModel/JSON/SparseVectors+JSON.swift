extension SparseVectorParams {
    /// Reads the parameters of one sparse vector.
    package init(_ fields: JSONFields) throws(OctantError) {
        self.init()
        if let index = try fields.fields("index") { self.index = try SparseIndexConfig(index) }
        if let text = try fields.string("modifier") {
            guard let modifier = SparseModifier(rawValue: text) else {
                throw .json("\(fields.path("modifier")): unknown variant `\(text)`, expected `none` or `idf`")
            }
            self.modifier = modifier
        }
    }

    /// The set fields.
    package var json: JSONObject {
        var object = JSONObject()
        if let index { object["index"] = .object(index.json) }
        if let modifier { object["modifier"] = .string(modifier.rawValue) }
        return object
    }
}

extension SparseIndexConfig {
    init(_ fields: JSONFields) throws(OctantError) {
        self.init(
            fullScanThreshold: try fields.int("full_scan_threshold"), onDisk: try fields.bool("on_disk"),
            datatype: try fields.datatype(isSparse: true), memory: try fields.memory())
    }

    var json: JSONObject {
        var object = JSONObject()
        object.put("full_scan_threshold", fullScanThreshold)
        object.put("on_disk", onDisk)
        object.put("memory", memory)
        if let datatype { object["datatype"] = .string(datatype.rawValue) }
        return object
    }
}

extension JSONFields {
    /// `multivector_config` of a vector.
    func multivector() throws(OctantError) -> MultivectorComparator? {
        guard let config = try fields("multivector_config") else { return nil }
        guard let text = try config.string("comparator") else { throw config.missing("comparator") }
        guard let comparator = MultivectorComparator(rawValue: text) else {
            throw .json("\(config.path("comparator")): unknown variant `\(text)`, expected `max_sim`")
        }
        return comparator
    }

    /// `datatype` of a vector. Weights of sparse vectors have no turbo form.
    func datatype(isSparse: Bool = false) throws(OctantError) -> VectorDatatype? {
        guard let text = try string("datatype") else { return nil }
        let datatype = VectorDatatype(rawValue: text)
        if let datatype, !isSparse || !datatype.isTurbo { return datatype }
        if isSparse, datatype != nil || text == "turbo16" {
            throw .unsupported("`\(path("datatype"))` \"\(text)\" of sparse vectors is")
        }
        if text == "turbo16" { throw .unsupported("`\(path("datatype"))` \"\(text)\" is") }
        throw .json(
            "\(path("datatype")): unknown variant `\(text)`, expected one of `float32`, `float16`, `uint8`"
                + (isSparse ? "" : ", `turbo4`, `turbo8`"))
    }
}

extension NamedSparseVectorParams {
    /// Reads `sparse_vectors`: a map of names.
    static func list(_ fields: JSONFields) throws(OctantError) -> [NamedSparseVectorParams] {
        var list: [NamedSparseVectorParams] = []
        for (name, value) in fields.object.pairs {
            guard !name.isEmpty else { throw .invalid(fields.path, "Sparse vector name cannot be empty") }
            try VectorsConfig.check(name: name, path: fields.path)
            // `null` stands for the defaults.
            let object = value == .null ? JSONValue.object([:]) : value
            let params = try SparseVectorParams(try JSONFields(object, path: fields.path("?")))
            list.append(NamedSparseVectorParams(name: name, params: params))
        }
        return list
    }
}

extension JSONReader {
    /// Reads one vector of whatever kind: a list of numbers, a list of lists, `{indices, values}`, or a
    /// document that a model makes one of.
    ///
    /// - Parameter path: where it stands, for validation errors.
    package mutating func readVector(_ path: String) throws(OctantError) -> Vector {
        switch try peek() {
        case .array: return try readDenseOrMulti(path)
        case .object: return try readSparseOrDocument(path)
        default: throw try mismatch(expected: "a vector")
        }
    }

    private mutating func readDenseOrMulti(_ path: String) throws(OctantError) -> Vector {
        guard startsListOfLists() else {
            let vector = try readFloats()
            return try .dense(checked: vector, path)
        }
        var rows: [[Float]] = []
        var first = true
        try beginArray("a list of vectors")
        while try nextElement(&first) { rows.append(try readFloats()) }
        return .multiDense(rows)
    }

    /// Whether the value at the cursor is a list whose first element is a list.
    private mutating func startsListOfLists() -> Bool {
        skipSpace()
        guard at < end, at.pointee == UInt8(ascii: "[") else { return false }
        var ahead = at + 1
        while ahead < end, [0x20, 0x0A, 0x0D, 0x09].contains(ahead.pointee) { ahead += 1 }
        return ahead < end && ahead.pointee == UInt8(ascii: "[")
    }

    private mutating func readSparseOrDocument(_ path: String) throws(OctantError) -> Vector {
        var indices: [UInt32]?
        var values: [Float]?
        var document = DocumentMembers()
        var first = true
        try beginObject()
        while let key = try nextKey(&first) {
            switch key {
            case "indices": indices = try readIndices()
            case "values": values = try readFloats()
            default:
                guard try document.read(key, &self) else { throw error("data did not match any variant of vector") }
            }
        }
        guard document.isEmpty else {
            guard indices == nil, values == nil else { throw error("data did not match any variant of vector") }
            return .document(try document.document(self))
        }
        guard let indices, let values else { throw error("data did not match any variant of vector") }
        let vector = SparseVector(indices: indices, values: values)
        try vector.check(path)
        return .sparse(vector)
    }

    private mutating func readIndices() throws(OctantError) -> [UInt32] {
        var indices: [UInt32] = []
        var first = true
        try beginArray("a list of indices")
        while try nextElement(&first) {
            let value = try readValue()
            guard case .integer(let number) = value, let index = UInt32(exactly: number) else {
                throw error("invalid value: \(value.text.prefix(64)), expected u32")
            }
            indices.append(index)
        }
        return indices
    }
}

extension Vector {
    /// A dense vector; throws if it is empty.
    package static func dense(checked numbers: [Float], _ path: @autoclosure () -> String) throws(OctantError) -> Vector
    {
        guard !numbers.isEmpty else { throw .invalid(path(), "dense vector must not be empty") }
        return .dense(numbers)
    }
}

extension SparseVector {
    /// Throws if lengths differ or an index is there twice.
    package func check(_ path: String) throws(OctantError) {
        guard indices.count == values.count else {
            throw .invalid("\(path).values", "must be the same length as indices")
        }
        let ascending = zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 }
        guard ascending || Set(indices).count == indices.count else {
            throw .invalid("\(path).indices", "must be unique")
        }
    }
}

extension VectorDefinition {
    /// Reads the body of `PUT collections/{collection}/vectors/{name}`.
    package init(name: String, json: JSONValue) throws(OctantError) {
        let fields = try JSONFields(json, path: "")
        try VectorsConfig.check(name: name, path: "vector_name")
        if let dense = try fields.fields("dense") {
            self = .dense(try VectorParams(dense))
        } else if let sparse = try fields.fields("sparse") {
            guard !name.isEmpty else { throw .invalid("vector_name", "Sparse vector name cannot be empty") }
            var params = try SparseVectorParams(sparse)
            if let datatype = try sparse.datatype(isSparse: true) {
                var index = params.index ?? SparseIndexConfig()
                index.datatype = datatype
                params.index = index
            }
            self = .sparse(params)
        } else {
            throw .json("data did not match any variant of vector definition, expected `dense` or `sparse`")
        }
    }
}
