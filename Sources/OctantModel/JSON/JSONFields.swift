/// The members of one JSON object of a request, read with their types; errors name the path of the member.
///
/// `null` counts as absent, as everywhere in the protocol.
package struct JSONFields: Sendable {
    /// The object.
    package let object: JSONObject
    /// Where the object is, such as `vectors`; empty at the top.
    package let path: String

    /// The members of `object`.
    package init(_ object: JSONObject, path: String) {
        self.object = object
        self.path = path
    }

    /// The members of `value`, which must be an object.
    package init(_ value: JSONValue, path: String) throws(OctantError) {
        guard case .object(let object) = value else { throw Self.mismatch(value, "an object", path) }
        self.init(object, path: path)
    }

    /// The path of a member.
    package func path(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// A member that is neither absent nor null.
    package subscript(key: String) -> JSONValue? {
        let value = object[key]
        return value == .null ? nil : value
    }

    /// The first of several names of one member that is present, with the name it has.
    package func first(_ keys: String...) -> (key: String, value: JSONValue)? {
        for key in keys {
            if let value = self[key] { return (key, value) }
        }
        return nil
    }

    /// The error for a value of a wrong type.
    package static func mismatch(_ value: JSONValue, _ expected: String, _ path: String) -> OctantError {
        let found: String
        switch value {
        case .null: found = "null"
        case .bool(let value): found = "boolean `\(value)`"
        case .integer(let value): found = "integer `\(value)`"
        case .unsigned(let value): found = "integer `\(value)`"
        case .double(let value): found = "floating point `\(value)`"
        case .string(let value): found = "string \(JSONValue.string(String(value.prefix(64))).text)"
        case .array: found = "sequence"
        case .object: found = "map"
        }
        return .json((path.isEmpty ? "" : path + ": ") + "invalid type: \(found), expected \(expected)")
    }

    /// The error for a required member that is not there.
    package func missing(_ key: String) -> OctantError {
        .missing(key, in: path)
    }

    /// A member that must be there.
    package func required(_ key: String) throws(OctantError) -> JSONValue {
        guard let value = self[key] else { throw missing(key) }
        return value
    }

    /// A whole number; one outside the bounds is a validation error.
    package func int(_ key: String, or alias: String? = nil, in bounds: CountBounds) throws(OctantError) -> Int? {
        try int(key, or: alias, from: bounds.from, to: bounds.to)
    }

    /// A number; one outside the bounds is a validation error.
    package func double(_ key: String, in bounds: NumberBounds) throws(OctantError) -> Double? {
        try double(key, from: bounds.from, to: bounds.to)
    }

    /// A whole number; below `from` or above `to` is a validation error.
    package func int(
        _ key: String, or alias: String? = nil, from: Int = 0, to: Int = .max
    ) throws(OctantError) -> Int? {
        guard let value = self[key] ?? alias.flatMap({ self[$0] }) else { return nil }
        return try Self.int(value, from: from, to: to, path: path(key))
    }

    /// A whole number within bounds.
    package static func int(
        _ value: JSONValue, from: Int = 0, to: Int = .max, path: String
    ) throws(OctantError) -> Int {
        let number: Int
        switch value {
        case .integer(let integer):
            guard integer >= 0 else { throw mismatch(value, "an unsigned integer", path) }
            number = Int(clamping: integer)
        case .unsigned(let unsigned): number = Int(clamping: unsigned)
        default: throw mismatch(value, "an unsigned integer", path)
        }
        return try CountBounds(from: from, to: to).check(number, path)
    }

    /// A number; outside the bounds is a validation error.
    package func double(
        _ key: String, from: Double = -.infinity, to: Double = .infinity
    ) throws(OctantError) -> Double? {
        guard let value = self[key] else { return nil }
        guard let number = Self.number(value) else { throw Self.mismatch(value, "a number", path(key)) }
        return try NumberBounds(from: from, to: to).check(number, path(key))
    }

    /// Any number as a double.
    package static func number(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// A bool.
    package func bool(_ key: String) throws(OctantError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard case .bool(let bool) = value else { throw Self.mismatch(value, "a boolean", path(key)) }
        return bool
    }

    /// `memory`: where data is kept. `what` it is, if it cannot be pinned.
    package func memory(unpinned what: String? = nil) throws(OctantError) -> MemoryPlacement? {
        guard let memory = try variant("memory", MemoryPlacement.self) else { return nil }
        if let what, memory == .pinned {
            throw .invalid(path("memory"), "`pinned` memory placement is not supported for \(what)")
        }
        return memory
    }

    /// One of an enumeration's names.
    func variant<Value: RawRepresentable<String> & CaseIterable>(
        _ key: String, _: Value.Type
    ) throws(OctantError) -> Value? {
        guard let name = try string(key) else { return nil }
        guard let value = Value(rawValue: name) else {
            let names = Value.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            throw .json("\(path(key)): unknown variant `\(name)`, expected one of \(names)")
        }
        return value
    }

    /// Text.
    package func string(_ key: String) throws(OctantError) -> String? {
        guard let value = self[key] else { return nil }
        guard case .string(let string) = value else { throw Self.mismatch(value, "a string", path(key)) }
        return string
    }

    /// An object.
    package func fields(_ key: String) throws(OctantError) -> JSONFields? {
        guard let value = self[key] else { return nil }
        return try JSONFields(value, path: path(key))
    }

    /// An object as it is.
    package func object(_ key: String) throws(OctantError) -> JSONObject? { try fields(key)?.object }

    /// A list.
    package func array(_ key: String) throws(OctantError) -> [JSONValue]? {
        guard let value = self[key] else { return nil }
        guard case .array(let values) = value else { throw Self.mismatch(value, "a list", path(key)) }
        return values
    }

    /// A list of texts.
    package func strings(_ key: String) throws(OctantError) -> [String]? {
        guard let values = try array(key) else { return nil }
        return try Self.strings(values, path: path(key))
    }

    /// The texts of a list.
    package static func strings(_ values: [JSONValue], path: String) throws(OctantError) -> [String] {
        var strings: [String] = []
        strings.reserveCapacity(values.count)
        for (place, value) in values.enumerated() {
            guard case .string(let string) = value else { throw mismatch(value, "a string", "\(path)[\(place)]") }
            strings.append(string)
        }
        return strings
    }

    /// Refuses members this version does not have; they would change the meaning if they were ignored.
    package func refuse(_ keys: String..., also: (String, JSONValue) -> Bool = { _, _ in false }) throws(OctantError) {
        for key in keys {
            guard let value = self[key], !also(key, value) else { continue }
            throw .unsupported("`\(path(key))` is")
        }
    }

    /// Refuses members with other names.
    package func refuseUnknown(_ known: Set<String>) throws(OctantError) {
        for (key, _) in object.pairs where !known.contains(key) {
            let names = known.sorted().map { "`\($0)`" }.joined(separator: ", ")
            throw .json((path.isEmpty ? "" : path + ": ") + "unknown field `\(key)`, expected one of \(names)")
        }
    }
}

extension JSONObject {
    /// Adds a member if there is a value.
    mutating func put(_ key: String, _ value: Int?) { if let value { self[key] = .integer(Int64(value)) } }
    /// Adds a member if there is a value.
    mutating func put(_ key: String, _ value: Bool?) { if let value { self[key] = .bool(value) } }
    /// Adds a member if there is a value.
    mutating func put(_ key: String, _ value: Double?) { if let value { self[key] = .double(value) } }
    /// Adds a member if there is a value.
    mutating func put(_ key: String, _ value: MemoryPlacement?) { if let value { self[key] = .string(value.rawValue) } }
    /// Adds a member if there is a value.
    mutating func put(_ key: String, _ value: JSONValue?) { if let value { self[key] = value } }
}
