import OctantModel

/// A step of a key path with its name as bytes.
struct PathStep {
    enum Kind: UInt8 {
        case key, all, index
    }

    var kind: Kind
    /// The place of an `index` step.
    var index: Int
    /// The UTF-8 of a `key` step.
    var name: UnsafeRawBufferPointer
}

/// The member of an object by the UTF-8 of its name.
@inline(__always)
func member(_ view: PayloadView, _ name: UnsafeRawBufferPointer) -> PayloadView? {
    guard view.kind == .object else { return nil }
    var members = view.members
    while let (key, value) = members.next() {
        if equalBytes(key, name) { return value }
    }
    return nil
}

/// The element of an array at a place.
func element(_ view: PayloadView, _ place: Int) -> PayloadView? {
    guard view.kind == .array, place >= 0, place < view.count else { return nil }
    var elements = view.elements
    var at = 0
    while let value = elements.next() {
        if at == place { return value }
        at += 1
    }
    return nil
}

/// Calls `visit` with every value at a path.
func forEachValue(
    _ view: PayloadView, _ steps: UnsafePointer<PathStep>, _ count: Int, _ visit: (PayloadView) -> Void
) {
    var view = view
    var at = 0
    while at < count {
        let step = steps[at]
        at += 1
        switch step.kind {
        case .key:
            guard let value = member(view, step.name) else { return }
            view = value
        case .index:
            guard let value = element(view, step.index) else { return }
            view = value
        case .all:
            var elements = view.elements
            while let value = elements.next() { forEachValue(value, steps + at, count - at, visit) }
            return
        }
    }
    visit(view)
}

/// Memory for what a filter is compiled to: plain values that refer to each other by address. All of it is freed at
/// once.
final class Arena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    /// Memory for `count` plain values (without references: nothing is deinitialised), not initialised.
    func allocate<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<T>.stride, alignment: max(MemoryLayout<T>.alignment, 8))
        blocks.append(block)
        return block.bindMemory(to: T.self, capacity: max(count, 1))
    }

    /// A copy of plain values.
    func copy<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
        let out = allocate(T.self, values.count)
        for (place, value) in values.enumerated() { (out + place).initialize(to: value) }
        return out
    }

    /// A copy of the UTF-8 of a string.
    func utf8(_ text: String) -> UnsafeRawBufferPointer {
        let bytes = Array(text.utf8)
        return UnsafeRawBufferPointer(start: copy(bytes), count: bytes.count)
    }

    /// The steps of a path.
    func steps(_ path: PayloadPath) -> UnsafePointer<PathStep> {
        UnsafePointer(
            copy(
                path.steps.map { step in
                    switch step {
                    case .key(let name): PathStep(kind: .key, index: 0, name: utf8(name))
                    case .all: PathStep(kind: .all, index: 0, name: UnsafeRawBufferPointer(start: nil, count: 0))
                    case .index(let index):
                        PathStep(kind: .index, index: index, name: UnsafeRawBufferPointer(start: nil, count: 0))
                    }
                }))
    }
}
