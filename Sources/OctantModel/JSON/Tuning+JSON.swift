/// A request to tune a collection.
public struct TuneRequest: Sendable {
    /// What is wanted.
    public var goal: TuningGoal
    /// How to measure.
    public var options: TuningOptions
    /// Whether to put a recommendation that meets the goal into force.
    public var applies: Bool

    /// A request.
    public init(goal: TuningGoal, options: TuningOptions = TuningOptions(), applies: Bool = false) {
        self.goal = goal
        self.options = options
        self.applies = applies
    }

    /// Reads the body of `POST /collections/{collection}/tune`.
    package init(json: JSONValue) throws(OctantError) {
        let fields = try JSONFields(json, path: "")
        try fields.refuseUnknown([
            "recall", "memory", "p95_ms", "using", "limit", "queries", "sample_queries", "configurations",
            "sample_rows", "verify_bytes", "cpu_budget", "seed", "apply",
        ])
        goal = TuningGoal(
            recall: try fields.double("recall"), memoryBytes: try fields.int("memory"),
            p95Milliseconds: try fields.double("p95_ms"))
        options = TuningOptions()
        options.using = try fields.string("using") ?? options.using
        options.limit = try fields.int("limit") ?? options.limit
        options.sampleQueries = try fields.int("sample_queries") ?? options.sampleQueries
        options.triesConfigurations = try fields.bool("configurations") ?? options.triesConfigurations
        options.sampleRows = try fields.int("sample_rows") ?? options.sampleRows
        options.verifyBytes = try fields.int("verify_bytes") ?? options.verifyBytes
        options.cpuBudget = try fields.double("cpu_budget") ?? options.cpuBudget
        options.seed = UInt64(try fields.int("seed") ?? Int(options.seed))
        applies = try fields.bool("apply") ?? false
        for (place, query) in (try fields.array("queries") ?? []).enumerated() {
            guard case .array(let values) = query else {
                throw JSONFields.mismatch(query, "a list of numbers", "queries[\(place)]")
            }
            var vector: [Float] = []
            vector.reserveCapacity(values.count)
            for value in values {
                guard let number = JSONFields.number(value) else {
                    throw JSONFields.mismatch(value, "a number", "queries[\(place)]")
                }
                vector.append(Float(number))
            }
            options.queries.append(vector)
        }
        try goal.check()
        try options.check()
    }
}

extension TuningReport {
    /// The report as clients see it.
    package var json: JSONObject {
        var object: JSONObject = [
            "using": .string(using), "limit": .integer(Int64(limit)), "rows": .integer(Int64(rows)),
            "queries": .integer(Int64(queries)), "queries_from": .string(queriesWereGiven ? "request" : "points"),
            "goal": .object(goal.json), "meets_goal": .bool(meetsGoal), "statement": .string(statement),
            "applied": .bool(applied),
        ]
        if let recommended { object["recommended"] = .integer(Int64(recommended)) }
        object["points"] = .array(points.map { .object($0.json) })
        return object
    }
}

extension TuningGoal {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.put("recall", recall)
        object.put("memory", memoryBytes)
        object.put("p95_ms", p95Milliseconds)
        return object
    }
}

extension TuningPoint {
    fileprivate var json: JSONObject {
        var params = JSONObject()
        params.put("hnsw_ef", search.hnswEF)
        if search.exact { params["exact"] = .bool(true) }
        if search.rescore != nil || search.oversampling != nil {
            var codes = JSONObject()
            codes.put("rescore", search.rescore)
            codes.put("oversampling", search.oversampling)
            params["quantization"] = .object(codes)
        }
        return [
            "configuration": .string(configuration.name), "params": .object(params),
            "recall": .double(recall), "recall_error": .double(recallError),
            "p50_ms": .double(p50Microseconds / 1000), "p95_ms": .double(p95Microseconds / 1000),
            "memory": .integer(Int64(memoryBytes)), "source": .string(source.rawValue),
            "pareto": .bool(isParetoOptimal),
        ]
    }
}

extension TuningProgress {
    /// The progress as clients see it.
    package var json: JSONObject {
        ["done": .integer(Int64(done)), "total": .integer(Int64(total)), "step": .string(step)]
    }
}

extension TuningReport {
    /// Reads a report as ``json`` writes it: what a command line gets of a server.
    package init(json: JSONValue) throws(OctantError) {
        let fields = try JSONFields(json, path: "report")
        var points: [TuningPoint] = []
        for value in try fields.array("points") ?? [] {
            points.append(try TuningPoint(JSONFields(value, path: "report.points")))
        }
        let wanted = try fields.fields("goal")
        self.init(
            using: try fields.string("using") ?? "", limit: try fields.int("limit") ?? 0,
            rows: try fields.int("rows") ?? 0, queries: try fields.int("queries") ?? 0,
            queriesWereGiven: try fields.string("queries_from") == "request",
            goal: TuningGoal(
                recall: try wanted?.double("recall"), memoryBytes: try wanted?.int("memory"),
                p95Milliseconds: try wanted?.double("p95_ms")), points: points)
        recommended = try fields.int("recommended").flatMap { $0 < points.count ? $0 : nil }
        meetsGoal = try fields.bool("meets_goal") ?? false
        statement = try fields.string("statement") ?? ""
        applied = try fields.bool("applied") ?? false
    }
}

extension TuningPoint {
    fileprivate init(_ fields: JSONFields) throws(OctantError) {
        let params = try fields.fields("params")
        let codes = try params?.fields("quantization")
        self.init(
            configuration: TuningConfiguration(name: try fields.string("configuration") ?? ""),
            search: TuningSearch(
                hnswEF: try params?.int("hnsw_ef"), exact: try params?.bool("exact") ?? false,
                rescore: try codes?.bool("rescore"), oversampling: try codes?.double("oversampling")),
            recall: try fields.double("recall") ?? 0, recallError: try fields.double("recall_error") ?? 0,
            p50Microseconds: (try fields.double("p50_ms") ?? 0) * 1000,
            p95Microseconds: (try fields.double("p95_ms") ?? 0) * 1000, memoryBytes: try fields.int("memory") ?? 0,
            source: try fields.string("source").flatMap { Source(rawValue: $0) } ?? .measured)
        isParetoOptimal = try fields.bool("pareto") ?? false
    }
}
