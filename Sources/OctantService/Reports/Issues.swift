import Octant
import OctantModel
import Synchronization

/// What the server found while it worked that a user could make better.
package final class Issues: Sendable {
    private struct Key: Hashable, Sendable {
        var collection: String
        var key: PayloadPath
    }

    private struct Finding: Sendable {
        var types: [String]
        var at: Int64
    }

    /// From so many points on, a filter on a key without an index is worth a word.
    static let pointsMin = 10_000
    /// Findings that are kept.
    private static let countMax = 1000

    private let found = Mutex<[Key: Finding]>([:])

    init() {}

    /// Looks at the filter of a read.
    func note(_ filter: Filter?, _ collection: Octant.Collection) {
        guard let filter, !filter.isEmpty, collection.pointsCount >= Self.pointsMin else { return }
        let indexed = Set(collection.indexedKeys)
        for (key, types) in filter.testedKeys where !indexed.contains(key) {
            found.withLock { found in
                let place = Key(collection: collection.name, key: key)
                guard found[place] == nil, found.count < Self.countMax else { return }
                found[place] = Finding(types: types, at: SystemStatus.unixMilliseconds)
            }
        }
    }

    /// Forgets everything.
    package func clear() { found.withLock { $0 = [:] } }

    /// What is still so, as clients see it.
    func report(_ database: Database) -> JSONObject {
        var list: [JSONValue] = []
        let all = found.withLock { $0 }.sorted { ($0.value.at, $0.key.collection) < ($1.value.at, $1.key.collection) }
        for (key, finding) in all {
            guard let collection = try? database.collection(key.collection), !collection.indexedKeys.contains(key.key)
            else {
                found.withLock { _ = $0.removeValue(forKey: key) }
                continue
            }
            list.append(.object(Self.describe(key, finding)))
        }
        return ["issues": .array(list)]
    }

    private static func describe(_ key: Key, _ finding: Finding) -> JSONObject {
        let name = key.key.description
        let actions = finding.types.map { type -> JSONValue in
            .object([
                "message": .string("Create an index of type `\(type)` on the field `\(name)`"),
                "action": .object([
                    "method": .string("PUT"), "uri": .string("/collections/\(key.collection)/index"),
                    "headers": .object(["content-type": .string("application/json")]),
                    "body": .object(["field_name": .string(name), "field_schema": .string(type)]),
                ]),
            ])
        }
        let solution: JSONObject
        if actions.count == 1, let action = actions.first {
            solution = ["immediate": action]
        } else {
            solution = ["immediate_choice": .array(actions)]
        }
        return [
            "id": .string("UNINDEXED_FIELD/\(key.collection):\(name)"),
            "description": .string(
                "The field `\(name)` of collection `\(key.collection)` is used in filters and has no index: every "
                    + "point a filter could pass is read"),
            "solution": .object(solution), "timestamp": .string(Timestamp.text(milliseconds: finding.at)),
            "related_collection": .string(key.collection),
        ]
    }
}

extension Filter {
    /// The keys whose values are tested, and the types of index that would help.
    var testedKeys: [(key: PayloadPath, types: [String])] {
        var keys: [(key: PayloadPath, types: [String])] = []
        for conditions in [must, should, mustNot, minShould?.conditions ?? []] {
            for condition in conditions {
                switch condition {
                case .field(let field): keys.append((field.key, field.indexTypes))
                case .filter(let filter): keys += filter.testedKeys
                default: continue
                }
            }
        }
        return keys
    }
}

extension FieldCondition {
    fileprivate var indexTypes: [String] {
        switch match {
        case .value(let value): return [value.indexType]
        case .any(let values), .except(let values):
            return values.first.map { [$0.indexType] } ?? ["keyword", "integer"]
        case .text, .textAny, .phrase, .substring: return ["text"]
        case .prefix: return ["keyword"]
        case nil: break
        }
        if dates != nil { return ["datetime"] }
        if !geo.isEmpty { return ["geo"] }
        return range == nil ? ["keyword", "integer", "float"] : ["integer", "float"]
    }
}

extension MatchValue {
    fileprivate var indexType: String {
        switch self {
        case .string: "keyword"
        case .integer: "integer"
        case .bool: "bool"
        }
    }
}
