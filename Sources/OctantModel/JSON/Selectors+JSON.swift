extension PayloadSelector {
    /// Reads `with_payload`.
    package init(json: JSONValue, path: String) throws(OctantError) {
        switch json {
        case .bool(let all): self = all ? .all : .none
        case .array(let values): self = .include(try Self.paths(values, path))
        case .object(let object):
            let fields = JSONFields(object, path: path)
            try fields.refuseUnknown(["include", "exclude"])
            if let include = try fields.array("include"), fields["exclude"] == nil {
                self = .include(try Self.paths(include, fields.path("include")))
            } else if let exclude = try fields.array("exclude"), fields["include"] == nil {
                self = .exclude(try Self.paths(exclude, fields.path("exclude")))
            } else {
                throw .json("\(path): expected one of `include`, `exclude`")
            }
        default: throw JSONFields.mismatch(json, "a boolean, a list of keys or a selector", path)
        }
    }

    private static func paths(_ values: [JSONValue], _ path: String) throws(OctantError) -> [PayloadPath] {
        var paths: [PayloadPath] = []
        for text in try JSONFields.strings(values, path: path) { paths.append(try PayloadPath(text)) }
        return paths
    }
}

extension VectorSelector {
    /// Reads `with_vector`.
    package init(json: JSONValue, path: String) throws(OctantError) {
        switch json {
        case .bool(let all): self = all ? .all : .none
        case .array(let values): self = .names(try JSONFields.strings(values, path: path))
        default: throw JSONFields.mismatch(json, "a boolean or a list of names", path)
        }
    }
}

extension SearchParams {
    /// Reads `params`.
    package init(_ fields: JSONFields) throws(OctantError) {
        self.init(
            hnswEF: try fields.int("hnsw_ef", in: .hnswEF), exact: try fields.bool("exact") ?? false,
            indexedOnly: try fields.bool("indexed_only") ?? false)
        if let codes = try fields.fields("quantization") {
            quantization = QuantizationSearchParams(
                ignore: try codes.bool("ignore") ?? false, rescore: try codes.bool("rescore"),
                oversampling: try codes.double("oversampling", in: .oversampling))
        }
        if let walk = try fields.fields("acorn") {
            acorn = AcornParams(
                enable: try walk.bool("enable") ?? false, maxSelectivity: try walk.double("max_selectivity", in: .share)
            )
        }
        if let wanted = try fields.double("recall", in: .share) {
            guard wanted > 0 else {
                throw .invalid(fields.path("recall"), "value 0 invalid, must be above 0 and at most 1")
            }
            recall = wanted
        }
        if let idf = fields["idf"], idf != .string("global") { idfCorpus = try Self.corpus(idf, fields.path("idf")) }
    }

    private static func corpus(_ json: JSONValue, _ path: String) throws(OctantError) -> Filter {
        if case .string(let name) = json {
            throw .json("\(path): unknown variant `\(name)`, expected `global` or an object with `corpus`")
        }
        let fields = try JSONFields(json, path: path)
        try fields.refuseUnknown(["corpus"])
        return try Filter(json: try fields.required("corpus"), path: fields.path("corpus"))
    }
}

extension JSONFields {
    /// The parts of every read: `with_payload` (or the given default) and `with_vector`.
    func selectors(payload: PayloadSelector) throws(OctantError) -> (PayloadSelector, VectorSelector) {
        var selected = payload
        if let value = self["with_payload"] { selected = try PayloadSelector(json: value, path: path("with_payload")) }
        guard let (key, value) = first("with_vector", "with_vectors") else { return (selected, .none) }
        return (selected, try VectorSelector(json: value, path: path(key)))
    }

    /// `filter`, if there is one.
    func filter() throws(OctantError) -> Filter? {
        guard let value = self["filter"] else { return nil }
        return try Filter(json: value, path: path("filter"))
    }

    /// Points of a write: `points`, or `filter`; of both, `points`.
    func selection() throws(OctantError) -> PointSelection {
        try refuse("shard_key")
        if let points = try array("points") { return .ids(try PointID.list(points)) }
        if let filter = try filter() { return .filter(filter) }
        throw PointSelection.missing
    }
}
