/// A JSON value. Integers stay integers: 64-bit numbers survive exactly.
public enum JSONValue: Sendable, Equatable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number that fits 64 bits with sign.
    case integer(Int64)
    /// A whole number above `Int64.max`.
    case unsigned(UInt64)
    /// Any other number; always finite.
    case double(Double)
    /// Text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// Names with values.
    case object(JSONObject)
}

/// The members of a JSON object in the order they were written, each key once.
///
/// Pairs instead of a dictionary: payload objects are small, and hashing costs more than it saves.
public struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    /// The members.
    public private(set) var pairs: [(key: String, value: JSONValue)]

    /// An empty object.
    public init() { pairs = [] }

    /// An object of these members; of equal keys the last wins.
    public init(_ members: [(key: String, value: JSONValue)]) {
        pairs = []
        pairs.reserveCapacity(members.count)
        if members.count > 16 {
            var places: [String: Int] = [:]
            for member in members {
                if let place = places[member.key] {
                    pairs[place].value = member.value
                } else {
                    places[member.key] = pairs.count
                    pairs.append(member)
                }
            }
        } else {
            for member in members { self[member.key] = member.value }
        }
    }

    /// An object literal.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.map { (key: $0.0, value: $0.1) })
    }

    /// The member named `key`; setting `nil` removes it.
    public subscript(key: String) -> JSONValue? {
        get { pairs.first { $0.key == key }?.value }
        set {
            let place = pairs.firstIndex { $0.key == key }
            switch (place, newValue) {
            case (let place?, let value?): pairs[place].value = value
            case (let place?, nil): pairs.remove(at: place)
            case (nil, let value?): pairs.append((key, value))
            case (nil, nil): break
            }
        }
    }

    /// Whether there are no members.
    public var isEmpty: Bool { pairs.isEmpty }
    /// How many members there are.
    public var count: Int { pairs.count }

    /// Equal members, in any order.
    public static func == (a: Self, b: Self) -> Bool {
        a.count == b.count && a.pairs.allSatisfy { b[$0.key] == $0.value }
    }
}
