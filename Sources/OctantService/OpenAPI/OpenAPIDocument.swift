package import OctantModel

/// The OpenAPI document of the server: the operation table, its descriptions and the schemas of bodies and answers.
package enum OpenAPIDocument {
    /// The document as text.
    package static let text = JSONValue.object(document).text

    /// The document. Paths are in the order of the operation table.
    package static let document: JSONObject = {
        var paths = JSONObject()
        for operation in Operation.allCases {
            if let row = operation.row { add(row, .present, to: &paths) }
        }
        for row in Operation.clusterRows { add(row, .clusterOnly, to: &paths) }
        for row in Operation.absentRows { add(row, .absent, to: &paths) }
        return [
            "openapi": .string("3.1.0"),
            "info": .object([
                "title": .string("Octant"), "version": .string(Service.version),
                "description": .string("A vector database that speaks Qdrant's REST interface."),
                "license": .object(["name": .string("Apache-2.0")]),
            ]), "servers": .array([.object(["url": .string("http://localhost:6333")])]),
            "security": .array([.object([:]), .object(["api-key": .array([])])]), "paths": .object(paths),
            "components": .object([
                "securitySchemes": .object([
                    "api-key": .object([
                        "type": .string("apiKey"), "in": .string("header"), "name": .string("api-key"),
                    ])
                ]),
                "schemas": .object(
                    JSONObject(OpenAPISchemas.all.sorted { $0.name < $1.name }.map { ($0.name, parsed($0.schema)) })),
            ]),
        ]
    }()

    private enum Presence { case present, clusterOnly, absent }

    /// Operations of the table without a description.
    package static var undescribed: [String] {
        Operation.allCases.compactMap(\.row).map(key).filter {
            OperationDescription.all[$0] == nil
        }
    }

    /// Schemas, answers and examples that are no JSON.
    package static var malformed: [String] {
        var texts = OpenAPISchemas.all.map { ($0.name, $0.schema) }
        for (key, description) in OperationDescription.all {
            texts += [description.body, description.example].compactMap { $0 }.map { (key, $0) }
            if case .result(let text) = description.answer { texts.append((key, text)) }
            if case .bare(let text) = description.answer { texts.append((key, text)) }
        }
        return texts.filter { (try? JSONParser.parse(Array($0.1.utf8))) == nil }.map(\.0)
    }

    private static func key(_ row: Operation.Row) -> String { "\(row.verb.rawValue) \(row.path)" }

    /// A JSON text of this file's neighbours; ``malformed`` names those that are none.
    private static func parsed(_ text: String) -> JSONValue { (try? JSONParser.parse(Array(text.utf8))) ?? .null }

    /// Names of path parameters as clients know them, and their schemas.
    private static let pathParameters: [String: (name: String, schema: String, example: JSONValue)] = [
        "collection": ("collection_name", #"{"type":"string","minLength":1,"maxLength":255}"#, .string("example")),
        "field": ("field_name", #"{"type":"string","minLength":1}"#, .string("city")),
        "name": ("vector_name", #"{"type":"string","minLength":1}"#, .string("image")),
        "id": ("id", OperationDescription.ref("PointId"), .integer(1)),
        "shard": ("shard_id", #"{"type":"integer","minimum":0}"#, .integer(0)),
        "snapshot": ("snapshot_name", #"{"type":"string","minLength":1}"#, .string("example.snapshot")),
        "peer_id": ("peer_id", #"{"type":"integer","minimum":0}"#, .integer(0)),
        "key": ("key", #"{"type":"string","minLength":1}"#, .string("key")),
    ]

    private static func add(_ row: Operation.Row, _ presence: Presence, to paths: inout JSONObject) {
        var parameters: [JSONValue] = []
        let path = row.path.split(separator: "/", omittingEmptySubsequences: false).map { part -> String in
            guard part.first == "{", let known = pathParameters[String(part.dropFirst().dropLast())] else {
                return String(part)
            }
            parameters.append(
                .object([
                    "name": .string(known.name), "in": .string("path"), "required": .bool(true),
                    "schema": parsed(known.schema), "example": known.example,
                ]))
            return "{\(known.name)}"
        }.joined(separator: "/")
        var members = JSONObject()
        if case .object(let seen)? = paths[path] { members = seen }
        members[row.verb.rawValue.lowercased()] = .object(operation(row, path, presence, parameters))
        paths[path] = .object(members)
    }

    private static func operation(
        _ row: Operation.Row, _ path: String, _ presence: Presence, _ pathParameters: [JSONValue]
    ) -> JSONObject {
        let description = OperationDescription.all[key(row)]
        var object: JSONObject = [
            "operationId": .string(identifier(row, path)),
            "tags": .array([.string(tag(description, presence))]),
        ]
        if let description { object["summary"] = .string(description.summary) }
        let query = description.map { queryParameters($0.parameters) } ?? []
        if !pathParameters.isEmpty || !query.isEmpty { object["parameters"] = .array(pathParameters + query) }
        if let body = description?.body {
            var content: JSONObject = ["schema": parsed(body)]
            if let example = description?.example { content["example"] = parsed(example) }
            object["requestBody"] = .object([
                "required": .bool(true), "content": .object(["application/json": .object(content)]),
            ])
        }
        if let parameters = description?.parameters, [.upload, .partialUpload].contains(parameters) {
            object["requestBody"] = .object([
                "required": .bool(true),
                "content": .object([
                    "multipart/form-data": .object([
                        "schema": parsed(
                            #"{"type":"object","required":["snapshot"],"#
                                + #""properties":{"snapshot":{"type":"string","format":"binary"}}}"#)
                    ])
                ]),
            ])
        }
        var responses = JSONObject()
        switch presence {
        case .present: responses["200"] = .object(success(description?.answer ?? .result("{}")))
        case .clusterOnly: responses["405"] = .object(failure("A single server is no cluster"))
        case .absent: responses["501"] = .object(failure("Not supported yet"))
        }
        switch description?.parameters {
        case .later?, .create?, .upload?: responses["202"] = .object(accepted)
        case .exclusive?, .partialUpload?:
            responses["202"] = .object(accepted)
            responses["503"] = .object(busy)
        case .unlessSame?: responses["304"] = .object(["description": .string("Nothing differs")])
        default: break
        }
        if presence == .present {
            responses["4XX"] = .object(failure("The request is wrong, or names what is not there"))
            if key(row) == "PUT /quotas" { responses["501"] = .object(failure("Not supported yet")) }
        }
        if row.access != .open { responses["401"] = .object(refusal) }
        object["responses"] = .object(responses)
        return object
    }

    private static func tag(_ description: OperationDescription?, _ presence: Presence) -> String {
        switch presence {
        case .present: description?.tag ?? "Other"
        case .clusterOnly: "Cluster"
        case .absent: "Not supported yet"
        }
    }

    /// Such as `get_collections_collection_name_points_id`.
    private static func identifier(_ row: Operation.Row, _ path: String) -> String {
        let words = path.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        return ([row.verb.rawValue.lowercased()] + words.map(String.init)).joined(separator: "_")
    }

    private static func success(_ answer: OperationDescription.Answer) -> JSONObject {
        let schema: String
        switch answer {
        case .file:
            return content(
                "The file", "application/octet-stream", #"{"type":"string","format":"binary"}"#)
        case .text, .clusterOnly:
            return content("Plain text", "text/plain", #"{"type":"string"}"#)
        case .bare(let bare): schema = bare
        case .result(let result): schema = envelope(result)
        case .explained(let result):
            schema = envelope(result, more: #","explain":"# + OperationDescription.ref("QueryExplanation"))
        }
        return content("It is done", "application/json", schema)
    }

    private static let accepted = status("It will be done", "accepted")
    private static let busy = status("Another request is at it", "already_in_progress")

    private static func status(_ what: String, _ text: String) -> JSONObject {
        content(
            what, "application/json",
            #"{"type":"object","required":["status","time"],"#
                + #""properties":{"status":{"const":"\#(text)"},"time":{"type":"number","minimum":0}}}"#)
    }

    private static func envelope(_ result: String, more: String = "") -> String {
        #"{"type":"object","required":["result","status","time"],"properties":{"result":"# + result
            + #","status":{"const":"ok"},"time":{"type":"number","minimum":0}"# + more + "}}"
    }

    private static func failure(_ what: String) -> JSONObject {
        content(what, "application/json", OperationDescription.ref("Error"))
    }

    /// Answers about keys are plain text.
    private static let refusal = content("No key, or a wrong one", "text/plain", #"{"type":"string"}"#)

    private static func content(_ what: String, _ type: String, _ schema: String) -> JSONObject {
        [
            "description": .string(what),
            "content": .object([type: .object(["schema": parsed(schema)])]),
        ]
    }

    private static func queryParameters(_ kind: OperationDescription.Parameters) -> [JSONValue] {
        func parameter(_ name: String, _ schema: String) -> JSONValue {
            .object(["name": .string(name), "in": .string("query"), "schema": parsed(schema)])
        }
        let flag = #"{"type":"boolean"}"#
        let timeout = parameter("timeout", #"{"type":"integer","minimum":1}"#)
        switch kind {
        case .none, .unlessSame: return []
        case .timeout: return [timeout]
        case .wait, .later, .exclusive: return [parameter("wait", flag)]
        case .create: return [parameter("wait", flag), parameter("incremental", flag)]
        case .upload, .partialUpload:
            return [
                parameter("wait", flag), parameter("priority", #"{"enum":["no_sync","snapshot","replica"]}"#),
                parameter("checksum", OpenAPISchemas.hash),
            ]
        case .write:
            return [
                parameter("wait", flag), parameter("ordering", #"{"enum":["weak","medium","strong"]}"#), timeout,
            ]
        case .read:
            let levels = #"{"anyOf":[{"type":"integer","minimum":1},{"enum":["majority","quorum","all"]}]}"#
            return [parameter("consistency", levels), timeout]
        case .query: return queryParameters(.read) + [parameter("explain", flag)]
        case .telemetry:
            return [
                parameter("anonymize", flag), parameter("details_level", #"{"type":"integer","minimum":0}"#),
                parameter("per_collection", flag), timeout,
            ]
        case .metrics: return [parameter("anonymize", flag), parameter("per_collection", flag), timeout]
        case .optimizations:
            return [
                parameter(
                    "with",
                    #"{"type":"string","pattern":"^(queued|completed|idle_segments)"#
                        + #"(,(queued|completed|idle_segments))*$"}"#
                ),
                parameter("completed_limit", #"{"type":"integer","minimum":0}"#),
            ]
        }
    }
}
