package import OctantModel

/// Changes of payloads and choices from them. Everything returns a new payload.
package enum PayloadEditing {
    /// Merges members into a payload: a member replaces the one of its name, and a null removes it.
    ///
    /// With `key`, they are merged into the object there. Objects that are missing on the way are made, and other
    /// values in the way of a name are replaced by one; a step into an array leads to the elements that exist, and leaves
    /// an empty array where there was none.
    package static func setting(_ payload: Payload, merge: JSONObject, at key: PayloadPath? = nil) -> Payload {
        guard let key else { return Payload(merging(payload.object, merge)) }
        guard case .object(let object) = set(.object(payload.object), key.steps[...], merge) else { return payload }
        return Payload(object)
    }

    /// Removes the values at paths. `a[]` empties the array `a`; an element named by its place cannot be removed, and
    /// such a path changes nothing.
    package static func deleting(_ payload: Payload, paths: [PayloadPath]) -> Payload {
        var value = JSONValue.object(payload.object)
        for path in paths { value = delete(value, path.steps[...]) }
        guard case .object(let object) = value else { return payload }
        return Payload(object)
    }

    /// The part of a payload an answer carries.
    ///
    /// - `include` keeps the values at the paths, and what encloses them: objects and arrays on the way keep only what
    ///   a path leads to, and other values on the way are kept.
    /// - `exclude` keeps all but the values at the paths; an element of an array goes with its place.
    package static func selecting(_ payload: Payload, _ selector: PayloadSelector) -> Payload {
        switch selector {
        case .none: return .empty
        case .all: return payload
        case .include(let paths):
            return payload.withView { select($0, paths.map { $0.steps[...] }, include: true) }
        case .exclude(let paths):
            return payload.withView { select($0, paths.map { $0.steps[...] }, include: false) }
        }
    }

    // MARK: Setting

    private static func merging(_ object: JSONObject, _ merge: JSONObject) -> JSONObject {
        var removed: Set<String> = []
        for (name, value) in merge.pairs where value == .null { removed.insert(name) }
        // One pass with a table instead of one search per member: both may be long.
        return JSONObject(
            object.pairs.filter { !removed.contains($0.key) } + merge.pairs.filter { $0.value != .null })
    }

    /// The value with `merge` at a path inside it. What is of another kind than the path says becomes an empty object or
    /// array on the way; elements are never added.
    private static func set(_ value: JSONValue, _ steps: ArraySlice<PayloadPath.Step>, _ merge: JSONObject) -> JSONValue {
        guard let step = steps.first else {
            if case .object(let object) = value { return .object(merging(object, merge)) }
            return .object(merging(JSONObject(), merge))
        }
        let rest = steps.dropFirst()
        switch step {
        case .key(let name):
            var object = JSONObject()
            if case .object(let present) = value { object = present }
            object[name] = set(object[name] ?? .null, rest, merge)
            return .object(object)
        case .index(let place):
            var elements: [JSONValue] = []
            if case .array(let present) = value { elements = present }
            if elements.indices.contains(place) { elements[place] = set(elements[place], rest, merge) }
            return .array(elements)
        case .all:
            guard case .array(let elements) = value else { return .array([]) }
            return .array(elements.map { set($0, rest, merge) })
        }
    }

    // MARK: Deleting

    private static func delete(_ value: JSONValue, _ steps: Steps) -> JSONValue {
        guard let step = steps.first else { return value }
        let rest = steps.dropFirst()
        switch (step, value) {
        case (.key(let name), .object(var object)):
            if rest.isEmpty {
                object[name] = nil
            } else if let present = object[name] {
                object[name] = delete(present, rest)
            }
            return .object(object)
        case (.all, .array(let elements)):
            return .array(rest.isEmpty ? [] : elements.map { delete($0, rest) })
        case (.index(let place), .array(var elements)):
            guard !rest.isEmpty, elements.indices.contains(place) else { return value }
            elements[place] = delete(elements[place], rest)
            return .array(elements)
        default:
            return value
        }
    }

    // MARK: Selecting

    private typealias Steps = ArraySlice<PayloadPath.Step>

    private static func select(_ payload: PayloadView, _ paths: [Steps], include: Bool) -> Payload {
        var builder = PayloadBuilder()
        copy(payload, paths, include, &builder)
        let selected = Payload(bytes: builder.bytes)
        return selected.isEmpty ? .empty : selected
    }

    /// Copies a value of which `paths`, none of them at its end, name parts.
    private static func copy(_ value: PayloadView, _ paths: [Steps], _ include: Bool, _ out: inout PayloadBuilder) {
        switch value.kind {
        case .object:
            out.beginObject()
            var members = value.members
            while let (name, member) = members.next() {
                let inner = paths.compactMap { $0.matching(name) }
                guard keeps(inner, include) else { continue }
                out.key(utf8: name)
                copyKept(member, inner, include, &out)
            }
            out.end()
        case .array:
            out.beginArray()
            var elements = value.elements
            var place = 0
            while let element = elements.next() {
                let inner = paths.compactMap { $0.matching(place) }
                place += 1
                if keeps(inner, include) { copyKept(element, inner, include, &out) }
            }
            out.end()
        default:
            out.append(value)
        }
    }

    private static func keeps(_ paths: [Steps], _ include: Bool) -> Bool {
        include ? !paths.isEmpty : !paths.contains { $0.isEmpty }
    }

    private static func copyKept(
        _ value: PayloadView, _ paths: [Steps], _ include: Bool, _ out: inout PayloadBuilder
    ) {
        let isWhole = include ? paths.contains { $0.isEmpty } : paths.isEmpty
        if isWhole { out.append(value) } else { copy(value, paths, include, &out) }
    }
}

extension ArraySlice<PayloadPath.Step> {
    /// What is left of a path inside the member of this name; `nil` if it leads elsewhere.
    fileprivate func matching(_ name: UnsafeRawBufferPointer) -> Self? {
        guard case .key(var wanted)? = first, wanted.withUTF8({ equalBytes(UnsafeRawBufferPointer($0), name) }) else {
            return nil
        }
        return dropFirst()
    }

    /// What is left of a path inside the element at this place; `nil` if it leads elsewhere.
    fileprivate func matching(_ place: Int) -> Self? {
        switch first {
        case .all: dropFirst()
        case .index(place): dropFirst()
        default: nil
        }
    }
}
