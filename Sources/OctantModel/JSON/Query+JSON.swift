/// The forms a ranked read has in the protocol: the present one, and three from before it.
package enum QueryFamily: Sendable {
    /// `points/query`
    case query
    /// `points/search`
    case search
    /// `points/recommend`
    case recommend
    /// `points/discover`
    case discover
}

/// The examples of the older forms, which stand among the other members.
struct LegacyExamples {
    var recommendation = Recommendation()
    private var target: VectorInput?
    private var context: [ContextPair] = []

    init() {}

    /// Reads a member; `false` if it is none of the examples.
    mutating func read(_ key: String, _ reader: inout JSONReader) throws(OctantError) -> Bool {
        switch key {
        case "positive": recommendation.positive = try ReadsJSON.inputs(&reader)
        case "negative": recommendation.negative = try ReadsJSON.inputs(&reader)
        case "strategy" where try reader.readNull(): break
        case "strategy": recommendation.strategy = try Recommendation.Strategy(name: try reader.readString())
        case "target" where try reader.readNull(): break
        case "target": target = try ReadsJSON.vectorInput(&reader)
        case "context": context = try ReadsJSON.contextPairs(&reader)
        default: return false
        }
        return true
    }

    /// The query of `points/discover`: with a target, with pairs, or with both.
    func discovery() throws(OctantError) -> Query { try .discovery(target: target, context: context) }
}

extension ReadsJSON {
    /// `prefetch`: an object or a list of them.
    static func prefetches(
        _ reader: inout JSONReader, path: String, depth: Int
    ) throws(OctantError) -> [Prefetch] {
        if try reader.readNull() { return [] }
        try Prefetch.checkDepth(depth)
        guard try reader.peek() == .array else { return [try prefetch(&reader, path: path, depth: depth)] }
        try reader.beginArray()
        var list: [Prefetch] = []
        var first = true
        while try reader.nextElement(&first) {
            try Prefetch.checkCount(list.count + 1)
            list.append(try prefetch(&reader, path: "\(path)[\(list.count)]", depth: depth))
        }
        return list
    }

    private static func prefetch(
        _ reader: inout JSONReader, path: String, depth: Int
    ) throws(OctantError) -> Prefetch {
        var prefetch = Prefetch()
        var members: [(key: String, value: JSONValue)] = []
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch key {
            case "query": prefetch.query = try query(&reader)
            case "prefetch":
                prefetch.prefetch = try prefetches(&reader, path: "\(path).prefetch", depth: depth + 1)
            default: members.append((key, try reader.readValue()))
            }
        }
        let fields = JSONFields(JSONObject(members), path: path)
        try fields.refuse("shard_key")
        prefetch.using = try fields.string("using") ?? ""
        prefetch.filter = try fields.filter()
        if let params = try fields.fields("params") { prefetch.params = try SearchParams(params) }
        prefetch.scoreThreshold = try fields.double("score_threshold").map { Float($0) }
        if let limit = try fields.int("limit", in: .limit) { prefetch.limit = limit }
        prefetch.lookupFrom = try LookupLocation(fields)
        return prefetch
    }

    /// The kinds of query that are more than a vector; `nil` for an unknown name.
    static func otherQuery(_ key: String, _ reader: inout JSONReader) throws(OctantError) -> Query? {
        switch key {
        case "recommend": return .recommend(try recommendation(&reader))
        case "discover": return try discovery(&reader)
        case "context": return .context(try contextPairs(&reader))
        case "relevance_feedback": return .feedback(try feedback(&reader))
        case "order_by": return .orderBy(try OrderBy(json: try reader.readValue(), path: "order_by"))
        case "sample":
            let name = try reader.readString()
            guard name == "random" else { throw .json("unknown variant `\(name)`, expected `random`") }
            return .sample
        case "fusion":
            switch try reader.readString() {
            case "rrf": return .fusion(.rrf())
            case "dbsf": return .fusion(.dbsf)
            case let name: throw .json("unknown variant `\(name)`, expected one of `rrf`, `dbsf`")
            }
        case "rrf": return .fusion(try Fusion(rrf: try reader.readValue()))
        case "formula": return .formula(Formula(try Expression(json: try reader.readValue())))
        default: return nil
        }
    }

    /// A list of vectors or ids, or one of them.
    static func inputs(_ reader: inout JSONReader) throws(OctantError) -> [VectorInput] {
        if try reader.readNull() { return [] }
        try reader.beginArray("a list of examples")
        var inputs: [VectorInput] = []
        var first = true
        while try reader.nextElement(&first) { inputs.append(try vectorInput(&reader)) }
        return inputs
    }

    private static func recommendation(_ reader: inout JSONReader) throws(OctantError) -> Recommendation {
        var examples = Recommendation()
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch key {
            case "positive": examples.positive = try inputs(&reader)
            case "negative": examples.negative = try inputs(&reader)
            case "strategy" where try reader.readNull(): break
            case "strategy": examples.strategy = try Recommendation.Strategy(name: try reader.readString())
            default: try reader.skipValue()
            }
        }
        return examples
    }

    private static func discovery(_ reader: inout JSONReader) throws(OctantError) -> Query {
        var target: VectorInput?
        var context: [ContextPair]?
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch key {
            case "target": target = try vectorInput(&reader)
            case "context": context = try contextPairs(&reader)
            default: try reader.skipValue()
            }
        }
        guard let target else { throw reader.error("missing field `target`") }
        guard let context else { throw reader.error("missing field `context`") }
        return .discover(target: target, context: context)
    }

    /// A pair, a list of pairs, or null for none.
    static func contextPairs(_ reader: inout JSONReader) throws(OctantError) -> [ContextPair] {
        if try reader.readNull() { return [] }
        guard try reader.peek() == .array else { return [try contextPair(&reader)] }
        try reader.beginArray()
        var pairs: [ContextPair] = []
        var first = true
        while try reader.nextElement(&first) { pairs.append(try contextPair(&reader)) }
        return pairs
    }

    private static func contextPair(_ reader: inout JSONReader) throws(OctantError) -> ContextPair {
        var positive: VectorInput?
        var negative: VectorInput?
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch key {
            case "positive": positive = try vectorInput(&reader)
            case "negative": negative = try vectorInput(&reader)
            default: try reader.skipValue()
            }
        }
        guard let positive else { throw reader.error("missing field `positive`") }
        guard let negative else { throw reader.error("missing field `negative`") }
        return ContextPair(positive: positive, negative: negative)
    }

    private static func feedback(_ reader: inout JSONReader) throws(OctantError) -> RelevanceFeedback {
        var target: VectorInput?
        var items: [RelevanceFeedback.Item]?
        var strategy: JSONValue?
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch key {
            case "target": target = try vectorInput(&reader)
            case "feedback":
                try reader.beginArray()
                var list: [RelevanceFeedback.Item] = []
                var firstItem = true
                while try reader.nextElement(&firstItem) { list.append(try feedbackItem(&reader)) }
                items = list
            case "strategy": strategy = try reader.readValue()
            default: try reader.skipValue()
            }
        }
        guard let target else { throw reader.error("missing field `target`") }
        guard let items else { throw reader.error("missing field `feedback`") }
        guard let strategy else { throw reader.error("missing field `strategy`") }
        let fields = try JSONFields(strategy, path: "strategy")
        guard let naive = try fields.fields("naive") else { throw fields.missing("naive") }
        func coefficient(_ key: String) throws(OctantError) -> Float {
            guard let value = try naive.double(key, in: key == "b" ? .feedbackExponent : .any) else {
                throw naive.missing(key)
            }
            return Float(value)
        }
        return RelevanceFeedback(
            target: target, feedback: items, a: try coefficient("a"), b: try coefficient("b"),
            c: try coefficient("c"))
    }

    private static func feedbackItem(_ reader: inout JSONReader) throws(OctantError) -> RelevanceFeedback.Item {
        var example: VectorInput?
        var score: Float?
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch key {
            case "example": example = try vectorInput(&reader)
            case "score": score = try reader.readFloat()
            default: try reader.skipValue()
            }
        }
        guard let example else { throw reader.error("missing field `example`") }
        guard let score else { throw reader.error("missing field `score`") }
        return RelevanceFeedback.Item(example: example, score: score)
    }
}
