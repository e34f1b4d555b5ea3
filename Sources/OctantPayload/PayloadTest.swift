import OctantModel

/// Evaluates a test of the payload against an object: the payload itself or, inside `nested`, an element.
///
/// The same walk serves all tests: is there a value at the path that passes? What a missing key means is up to the
/// caller, which negates `notEmpty`, `null` and `nullInside` as needed; only a count treats it as zero.
func testPayload(_ node: UnsafePointer<FilterNode>, _ object: PayloadView) -> Bool {
    guard let steps = node.pointee.steps else { return false }
    if node.pointee.operation == .text {
        // Its tokens may be spread over several values.
        return node.pointee.query?._withUnsafeGuaranteedRef { $0.matches(object, steps, node.pointee.stepCount) }
            ?? false
    }
    var found = false
    if anyValue(node, object, steps, node.pointee.stepCount, &found) { return true }
    return node.pointee.operation == .count && !found && node.pointee.counts.contains(0)
}

/// Evaluates a compiled filter against an object of its own, as `nested` does. It has no indexed conditions.
func testObject(_ node: UnsafePointer<FilterNode>, _ object: PayloadView) -> Bool {
    let childCount = node.pointee.childCount
    switch node.pointee.operation {
    case .always: return true
    case .and:
        for place in 0..<childCount where !testObject(child(node, place), object) { return false }
        return true
    case .or:
        for place in 0..<childCount where testObject(child(node, place), object) { return true }
        return false
    case .not: return !testObject(child(node, 0), object)
    case .atLeast:
        var held = 0
        for place in 0..<childCount where held < node.pointee.needed {
            if testObject(child(node, place), object) { held += 1 }
        }
        return held >= node.pointee.needed
    case .match, .except, .range, .dates, .prefix, .substring, .inShape, .text, .count, .notEmpty, .null, .nullInside,
        .nested:
        return testPayload(node, object)
    default: return false
    }
}

@inline(__always)
func child(_ node: UnsafePointer<FilterNode>, _ place: Int) -> UnsafePointer<FilterNode> {
    // Nodes with children are made with them; the node itself stands in for none.
    node.pointee.children.map { $0[place] } ?? node
}

private func anyValue(
    _ node: UnsafePointer<FilterNode>, _ view: PayloadView, _ steps: UnsafePointer<PathStep>, _ count: Int,
    _ found: inout Bool
) -> Bool {
    var view = view
    var at = 0
    while at < count {
        let step = steps[at]
        at += 1
        switch step.kind {
        case .key:
            guard let value = member(view, step.name) else { return false }
            view = value
        case .index:
            guard let value = element(view, step.index) else { return false }
            view = value
        case .all:
            var elements = view.elements
            while let value = elements.next() {
                if anyValue(node, value, steps + at, count - at, &found) { return true }
            }
            return false
        }
    }
    found = true
    return passes(node, view)
}

private func passes(_ node: UnsafePointer<FilterNode>, _ value: PayloadView) -> Bool {
    switch node.pointee.operation {
    case .match, .except, .range, .dates, .prefix, .substring, .inShape:
        guard value.kind == .array else { return elementPasses(node, value) }
        var elements = value.elements
        while let element = elements.next() {
            if elementPasses(node, element) { return true }
        }
        return false
    case .count:
        let count = value.kind == .array ? value.count : value.kind == .null ? 0 : 1
        return node.pointee.counts.contains(count)
    case .notEmpty:
        return value.kind == .array ? value.count > 0 : value.kind != .null
    case .null:
        return value.kind == .null
    case .nullInside:
        guard value.kind == .array else { return value.kind == .null }
        var elements = value.elements
        while let element = elements.next() {
            if element.kind == .null { return true }
        }
        return false
    case .nested:
        return value.kind == .object && testObject(child(node, 0), value)
    default:
        return false
    }
}

@inline(__always)
private func elementPasses(_ node: UnsafePointer<FilterNode>, _ element: PayloadView) -> Bool {
    switch node.pointee.operation {
    case .range:
        guard let number = element.number else { return false }
        return node.pointee.numbers.contains(number)
    case .dates:
        guard let utf8 = element.utf8, let date = DateTime.microseconds(utf8: utf8) else { return false }
        return date >= node.pointee.low && date <= node.pointee.high
    case .prefix: return element.utf8.map { startsWithBytes($0, node.pointee.text) } ?? false
    case .substring: return element.utf8.map { containsBytes($0, node.pointee.text) } ?? false
    case .inShape:
        guard let point = geoPoint(element), let shape = node.pointee.shape else { return false }
        return shape._withUnsafeGuaranteedRef { $0.contains(point) }
    default: break
    }
    guard let set = node.pointee.set else { return false }
    if node.pointee.operation == .match { return contains(set, element) }
    return element.kind != .null && !contains(set, element)
}

/// Whether a value is in a set.
private func contains(_ set: UnsafePointer<ValueSet>, _ element: PayloadView) -> Bool {
    switch element.kind {
    case .true: return set.pointee.hasTrue
    case .false: return set.pointee.hasFalse
    case .string:
        guard let utf8 = element.utf8 else { return false }
        if set.pointee.stringCount > 0, contains(set.pointee.strings, set.pointee.stringCount, utf8) { return true }
        guard set.pointee.uuidCount > 0, let uuid = UUIDValue(utf8: utf8) else { return false }
        return contains(set.pointee.uuids, set.pointee.uuidCount, uuid)
    case .integer:
        guard set.pointee.integerCount > 0, let integer = element.integer else { return false }
        return contains(set.pointee.integers, set.pointee.integerCount, integer)
    case .double:
        guard set.pointee.integralDoubles, set.pointee.integerCount > 0,
            let integer = element.double.flatMap({ Int64(exactly: $0) })
        else { return false }
        return contains(set.pointee.integers, set.pointee.integerCount, integer)
    default: return false
    }
}

/// Whether a string is among `list`. A binary search by length and bytes: no hash a client could aim at.
private func contains(
    _ list: UnsafePointer<UnsafeRawBufferPointer>, _ count: Int, _ text: UnsafeRawBufferPointer
) -> Bool {
    var low = 0
    var high = count
    while low < high {
        let middle = (low + high) / 2
        let order = compareByLength(list[middle], text)
        if order == 0 { return true }
        if order < 0 { low = middle + 1 } else { high = middle }
    }
    return false
}

/// Order by length, then by bytes.
func compareByLength(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    a.count == b.count ? compareBytes(a, b) : a.count - b.count
}

/// Whether a value is among `list`, which ascends.
@inline(__always)
func contains<T: Comparable>(_ list: UnsafePointer<T>, _ count: Int, _ value: T) -> Bool {
    if count <= 8 {
        for place in 0..<count where list[place] == value { return true }
        return false
    }
    var low = 0
    var high = count
    while low < high {
        let middle = (low + high) / 2
        if list[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low < count && list[low] == value
}
