/// What the OpenAPI document says of an operation beyond its row in the operation table.
struct OperationDescription {
    /// The parameters of the query it takes.
    enum Parameters {
        case none, timeout, write, read, query, telemetry, metrics, optimizations, wait, later, create, upload
        /// Nothing of the query, but an answer of its own: 304; of a recovery, 503 while another runs.
        case unlessSame, exclusive, partialUpload
    }

    /// What it answers.
    enum Answer {
        /// A result in the envelope: the JSON Schema of the result.
        case result(String)
        /// The same, and how it was found if that was asked for.
        case explained(String)
        /// JSON without an envelope: its JSON Schema.
        case bare(String)
        /// Plain text.
        case text
        /// A file.
        case file
        /// Always 405: a single server is no cluster.
        case clusterOnly
    }

    /// The group it belongs to.
    var tag: String
    /// What it does.
    var summary: String
    /// The parameters of its query.
    var parameters = Parameters.none
    /// The JSON Schema of its body; `nil`: it takes none.
    var body: String?
    /// A body that works on a collection of the document's examples.
    var example: String?
    /// What it answers.
    var answer: Answer

    init(
        _ tag: String, _ summary: String, _ parameters: Parameters = .none, body: String? = nil,
        example: String? = nil, answer: Answer
    ) {
        self.tag = tag
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.example = example
        self.answer = answer
    }

    /// A schema of the document's components.
    static func ref(_ name: String) -> String { "{\"$ref\":\"#/components/schemas/\(name)\"}" }

    /// A list of such.
    static func list(_ name: String) -> String { #"{"type":"array","items":\#(ref(name))}"# }
}

extension OperationDescription {
    private static let written = Answer.result(ref("UpdateResult"))
    private static let truth = Answer.result(#"{"type":"boolean"}"#)

    /// Descriptions by verb and path of the operation table.
    static let all: [String: OperationDescription] =
        service.merging(collections) { first, _ in first }.merging(points) { first, _ in first }
        .merging(search) { first, _ in first }.merging(snapshots) { first, _ in first }

    private static let service: [String: OperationDescription] = [
        "GET /": .init("Service", "Name and version of the server", answer: .bare(ref("VersionInfo"))),
        "GET /healthz": .init("Service", "Whether the process answers", answer: .text),
        "GET /livez": .init("Service", "Whether the process answers", answer: .text),
        "GET /readyz": .init("Service", "Whether the server takes requests", answer: .text),
        "GET /openapi.json": .init("Service", "This document", answer: .bare(#"{"type":"object"}"#)),
        "GET /telemetry": .init("Service", "A report about the server", .telemetry, answer: .result(ref("Telemetry"))),
        "GET /metrics": .init("Service", "Counters for Prometheus", .metrics, answer: .text),
        "GET /issues": .init(
            "Service", "Findings of the server that a user could act on", answer: .result(ref("Issues"))),
        "DELETE /issues": .init("Service", "Forgets the findings", answer: truth),
        "GET /quotas": .init("Service", "The quota in force, and what is used", answer: .result(ref("QuotaStatus"))),
        "PUT /quotas": .init(
            "Service", "Changes the quota; none can be enabled yet", .wait, body: ref("QuotaConfig"),
            example: #"{"enabled":false}"#, answer: truth),
        "GET /cluster": .init("Cluster", "State of the cluster: disabled", answer: .result(ref("ClusterStatus"))),
    ]

    private static let collections: [String: OperationDescription] = [
        "GET /collections": .init("Collections", "Names of all collections", answer: .result(ref("CollectionList"))),
        "GET /collections/{collection}": .init(
            "Collections", "State and configuration of a collection", answer: .result(ref("CollectionInfo"))),
        "PUT /collections/{collection}": .init(
            "Collections", "Makes a collection", .timeout, body: ref("CreateCollection"),
            example: #"{"vectors":{"size":4,"distance":"Cosine"}}"#, answer: truth),
        "PATCH /collections/{collection}": .init(
            "Collections", "Changes settings of a collection", .timeout, body: ref("UpdateCollection"),
            example: #"{"optimizers_config":{"indexing_threshold":20000},"metadata":{"owner":"docs"}}"#, answer: truth),
        "DELETE /collections/{collection}": .init(
            "Collections", "Drops a collection; whether there was one", .timeout, answer: truth),
        "GET /collections/{collection}/exists": .init(
            "Collections", "Whether there is a collection or alias of this name",
            answer: .result(#"{"type":"object","required":["exists"],"properties":{"exists":{"type":"boolean"}}}"#)),
        "GET /collections/{collection}/cluster": .init(
            "Collections", "Where the shards of a collection are", answer: .result(ref("CollectionClusterInfo"))),
        "GET /collections/{collection}/shards": .init(
            "Collections", "Keys of shards: none in a single server",
            answer: .result(#"{"type":"object","required":["shard_keys"]}"#)),
        "GET /collections/{collection}/optimizations": .init(
            "Collections", "What background work does", .optimizations, answer: .result(ref("Optimizations"))),
        "GET /collections/{collection}/memory": .init(
            "Collections", "Where the bytes of a collection are, and the memory of the process",
            answer: .result(ref("MemoryReport"))),
        "POST /collections/{collection}/tune": .init(
            "Collections", "Begins to measure searches and to choose a configuration for a goal", .timeout,
            body: ref("TuneRequest"), example: #"{"recall":0.95,"configurations":false,"cpu_budget":1}"#,
            answer: .result(ref("Tuning"))),
        "GET /collections/{collection}/tune": .init(
            "Collections", "How far tuning is, and its report", .timeout, answer: .result(ref("Tuning"))),
        "DELETE /collections/{collection}/tune": .init(
            "Collections", "Ends tuning and forgets the parameters of searches that it left", .timeout, answer: truth),
        "PUT /collections/{collection}/vectors/{name}": .init(
            "Collections", "Adds a vector name", .write, body: ref("AddVector"),
            example: #"{"sparse":{"modifier":"idf"}}"#, answer: written),
        "DELETE /collections/{collection}/vectors/{name}": .init(
            "Collections", "Removes a vector name", .write, answer: written),
        "POST /collections/aliases": .init(
            "Aliases", "Changes aliases, all or none", .timeout, body: ref("AliasActions"),
            example: #"{"actions":[]}"#, answer: truth),
        "GET /aliases": .init("Aliases", "All aliases", answer: .result(ref("Aliases"))),
        "GET /collections/{collection}/aliases": .init(
            "Aliases", "Aliases of a collection", answer: .result(ref("Aliases"))),
        "PUT /collections/{collection}/index": .init(
            "Indexes", "Indexes the values at a key of the payload", .write, body: ref("CreateFieldIndex"),
            example: #"{"field_name":"city","field_schema":"keyword"}"#, answer: written),
        "DELETE /collections/{collection}/index/{field}": .init(
            "Indexes", "Drops the index of a key", .write, answer: written),
    ]

    private static let points: [String: OperationDescription] = [
        "GET /collections/{collection}/points/{id}": .init("Points", "A point", .read, answer: .result(ref("Record"))),
        "POST /collections/{collection}/points": .init(
            "Points", "Points by id", .read, body: ref("RetrieveRequest"),
            example: #"{"ids":[1,2],"with_payload":true,"with_vector":true}"#, answer: .result(list("Record"))),
        "PUT /collections/{collection}/points": .init(
            "Points", "Writes whole points", .write, body: ref("UpsertRequest"),
            example: #"{"points":[{"id":1,"vector":[0.1,0.2,0.3,0.4],"payload":{"city":"Berlin"}},"#
                + #"{"id":2,"vector":[0.4,0.3,0.2,0.1]}]}"#, answer: written),
        "POST /collections/{collection}/points/delete": .init(
            "Points", "Deletes points", .write, body: ref("PointsSelector"), example: #"{"points":[3]}"#,
            answer: written),
        "PUT /collections/{collection}/points/vectors": .init(
            "Points", "Replaces vectors of points", .write, body: ref("UpdateVectorsRequest"),
            example: #"{"points":[{"id":1,"vector":[0.2,0.2,0.3,0.4]}]}"#, answer: written),
        "POST /collections/{collection}/points/vectors/delete": .init(
            "Points", "Removes vectors of points", .write, body: ref("DeleteVectorsRequest"),
            example: #"{"points":[2],"vector":[""]}"#, answer: written),
        "POST /collections/{collection}/points/payload": .init(
            "Points", "Sets keys of the payload", .write, body: ref("SetPayloadRequest"),
            example: #"{"payload":{"city":"Paris"},"points":[1]}"#, answer: written),
        "PUT /collections/{collection}/points/payload": .init(
            "Points", "Replaces the payload", .write, body: ref("SetPayloadRequest"),
            example: #"{"payload":{"city":"Paris"},"points":[1]}"#, answer: written),
        "POST /collections/{collection}/points/payload/delete": .init(
            "Points", "Removes keys of the payload", .write, body: ref("DeletePayloadRequest"),
            example: #"{"keys":["note"],"points":[1]}"#, answer: written),
        "POST /collections/{collection}/points/payload/clear": .init(
            "Points", "Removes the payload", .write, body: ref("PointsSelector"), example: #"{"points":[2]}"#,
            answer: written),
        "POST /collections/{collection}/points/batch": .init(
            "Points", "Makes writes in order", .write, body: ref("BatchRequest"),
            example: #"{"operations":[{"delete":{"points":[7]}},{"set_payload":{"payload":{"a":1},"points":[1]}}]}"#,
            answer: .result(list("UpdateResult"))),
        "POST /collections/{collection}/points/scroll": .init(
            "Points", "A page of points", .read, body: ref("ScrollRequest"),
            example: #"{"limit":2,"with_vector":true,"filter":{"must":[{"key":"city","match":{"value":"Paris"}}]}}"#,
            answer: .result(ref("ScrollResult"))),
        "POST /collections/{collection}/points/count": .init(
            "Points", "How many points pass a filter", .read, body: ref("CountRequest"), example: #"{"exact":true}"#,
            answer: .result(
                #"{"type":"object","required":["count"],"properties":{"count":{"type":"integer","minimum":0}}}"#)
        ),
        "POST /collections/{collection}/facet": .init(
            "Points", "How often values of a key occur", .read, body: ref("FacetRequest"),
            example: #"{"key":"city"}"#, answer: .result(ref("FacetResult"))),
    ]

    private static let search: [String: OperationDescription] = {
        var all: [String: OperationDescription] = [:]
        func add(
            _ path: String, _ summary: String, _ body: String, _ example: String, _ result: String,
            tag: String = "Search"
        ) {
            let isExplained = ["query", "search", "recommend", "discover"].contains(path)
            all["POST /collections/{collection}/points/" + path] = .init(
                tag, summary, isExplained ? .query : .read, body: body, example: example,
                answer: isExplained ? .explained(result) : .result(result))
        }
        add(
            "query", "Points ranked by a query", ref("QueryRequest"),
            #"{"query":[0.1,0.2,0.3,0.4],"limit":3,"with_payload":true}"#, ref("QueryResult"))
        add(
            "query/batch", "Several queries",
            #"{"type":"object","required":["searches"],"properties":{"searches":\#(list("QueryRequest"))}}"#,
            #"{"searches":[{"query":1,"limit":1},{"limit":2}]}"#, list("QueryResult"))
        add(
            "query/groups", "Points ranked by a query, in groups", ref("QueryGroupsRequest"),
            #"{"query":[0.1,0.2,0.3,0.4],"group_by":"city"}"#, ref("GroupsResult"))
        add(
            "search/matrix/pairs", "Distances between points, as pairs", ref("MatrixRequest"), #"{"sample":2}"#,
            #"{"type":"object","required":["pairs"]}"#)
        add(
            "search/matrix/offsets", "Distances between points, as columns", ref("MatrixRequest"), #"{"sample":2}"#,
            #"{"type":"object","required":["offsets_row","offsets_col","scores","ids"]}"#)
        let legacy = "Legacy search"
        let plain =
            #"{"type":"object","properties":{"filter":\#(ref("Filter")),"limit":{"type":"integer","minimum":1}}}"#
        let batch =
            #"{"type":"object","required":["searches"],"#
            + #""properties":{"searches":{"type":"array","items":{"type":"object"}}}}"#
        let found = list("ScoredPoint")
        add(
            "search", "Points near a vector", ref("SearchRequest"), #"{"vector":[0.1,0.2,0.3,0.4],"limit":2}"#, found,
            tag: legacy)
        add(
            "search/batch", "Several searches", batch, #"{"searches":[{"vector":[0.1,0.2,0.3,0.4],"limit":2}]}"#,
            #"{"type":"array","items":\#(found)}"#, tag: legacy)
        add(
            "search/groups", "Points near a vector, in groups", plain,
            #"{"vector":[0.1,0.2,0.3,0.4],"group_by":"city","limit":2,"group_size":1}"#, ref("GroupsResult"),
            tag: legacy)
        for (name, example) in [
            ("recommend", #"{"positive":[1],"limit":2}"#), ("discover", #"{"target":1,"context":[],"limit":2}"#),
        ] {
            add(name, "Points like examples", plain, example, found, tag: legacy)
            add(
                name + "/batch", "Several such reads", batch, #"{"searches":[\#(example)]}"#,
                #"{"type":"array","items":\#(found)}"#, tag: legacy)
        }
        add(
            "recommend/groups", "Points like examples, in groups", plain,
            #"{"positive":[1],"limit":2,"group_by":"city","group_size":1}"#, ref("GroupsResult"), tag: legacy)
        return all
    }()
}
