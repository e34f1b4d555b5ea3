#if Server
import OctantModel
import OctantProtocol
import OctantService

extension OctantError {
    /// The error for a number that is no value of an enum. `path` is where it stands in the request.
    static func unknown(_ value: Int, _ path: String) -> OctantError { .json("\(path): unknown variant `\(value)`") }
}

extension PayloadSelector {
    /// Reads `with_payload`.
    init(_ message: Qdrant_WithPayloadSelector) throws(OctantError) {
        switch message.selectorOptions {
        case .enable(let all): self = all ? .all : .none
        case .include(let keys): self = .include(try Self.paths(keys.fields))
        case .exclude(let keys): self = .exclude(try Self.paths(keys.fields))
        case nil: throw .json("with_payload: expected one of `enable`, `include`, `exclude`")
        }
    }

    private static func paths(_ keys: [String]) throws(OctantError) -> [PayloadPath] {
        var paths: [PayloadPath] = []
        for key in keys { paths.append(try PayloadPath(key)) }
        return paths
    }
}

extension VectorSelector {
    /// Reads `with_vectors`.
    init(_ message: Qdrant_WithVectorsSelector) throws(OctantError) {
        switch message.selectorOptions {
        case .enable(let all): self = all ? .all : .none
        case .include(let names): self = .names(names.names)
        case nil: throw .json("with_vectors: expected one of `enable`, `include`")
        }
    }
}

extension PointSelection {
    /// Reads the points a write is about.
    init(_ message: Qdrant_PointsSelector) throws(OctantError) {
        switch message.pointsSelectorOneOf {
        case .points(let list): self = .ids(try PointID.list(list.ids, "points"))
        case .filter(let filter): self = .filter(try Filter(filter))
        case nil: throw PointSelection.missing
        }
    }
}

extension SearchParams {
    /// Reads `params`. `path` is where it stands in the request.
    init(_ message: Qdrant_SearchParams, _ path: String) throws(OctantError) {
        self.init(exact: message.exact, indexedOnly: message.indexedOnly)
        if message.hasAcorn {
            let share = message.acorn.maxSelectivity
            acorn = AcornParams(
                enable: message.acorn.enable,
                maxSelectivity: message.acorn.hasMaxSelectivity
                    ? try NumberBounds.share.check(share, "\(path).acorn.max_selectivity") : nil)
        }
        if message.hasIdf, message.idf.hasCorpus {
            idfCorpus = try Filter(message.idf.corpus, "\(path).idf.corpus")
        }
        if message.hasHnswEf { hnswEF = try CountBounds.hnswEF.check(Int(clamping: message.hnswEf), "\(path).hnsw_ef") }
        guard message.hasQuantization else { return }
        let codes = message.quantization
        var params = QuantizationSearchParams(ignore: codes.ignore, rescore: codes.hasRescore ? codes.rescore : nil)
        if codes.hasOversampling {
            params.oversampling = try NumberBounds.oversampling.check(
                codes.oversampling, "\(path).quantization.oversampling")
        }
        quantization = params
    }
}

extension LookupLocation {
    /// Reads `lookup_from`. `path` is where it stands in the request.
    init(_ message: Qdrant_LookupLocation, _ path: String) throws(OctantError) {
        if message.hasShardKeySelector { throw .unsupported("`\(path).shard_key` is") }
        self.init(collection: message.collectionName, vector: message.hasVectorName ? message.vectorName : nil)
    }
}

extension OrderBy {
    /// Reads `order_by`.
    init(_ message: Qdrant_OrderBy) throws(OctantError) {
        self.init(key: try PayloadPath(message.key))
        switch message.direction {
        case .asc: direction = .ascending
        case .desc: direction = .descending
        case .UNRECOGNIZED(let value): throw .unknown(value, "order_by.direction")
        }
        guard message.hasStartFrom else { return }
        let path = "order_by.start_from"
        switch message.startFrom.value {
        case .float(let value): startFrom = .double(try NumberBounds.any.check(value, path))
        case .integer(let value): startFrom = .integer(value)
        case .timestamp(let value): startFrom = .integer(try value.microseconds(path))
        case .datetime(let text): startFrom = try OrderValue(date: text, path: path)
        case nil: throw .json("\(path): expected one of `float`, `integer`, `timestamp`, `datetime`")
        }
    }
}

extension UpdateCondition {
    /// Reads what decides which points are written.
    init(filter: Qdrant_Filter?, mode: Qdrant_UpdateMode = .upsert) throws(OctantError) {
        self.init()
        if let filter { self.filter = try Filter(filter, "update_filter") }
        switch mode {
        case .upsert: self.mode = .upsert
        case .insertOnly: self.mode = .insertOnly
        case .updateOnly: self.mode = .updateOnly
        case .UNRECOGNIZED(let value): throw .unknown(value, "update_mode")
        }
    }
}
#endif
