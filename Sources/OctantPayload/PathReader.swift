package import OctantModel

/// The values at one key of many payloads.
package final class PathReader {
    private let arena = Arena()
    private let steps: UnsafePointer<PathStep>
    private let count: Int

    /// A reader of the values at `path`.
    package init(_ path: PayloadPath) {
        steps = arena.steps(path)
        count = path.steps.count
    }

    /// Calls `visit` with every value at the path; of an array there, with each element.
    package func forEachElement(of payload: UnsafeRawBufferPointer, _ visit: (PayloadView) -> Void) {
        forEachValue(of: payload) { value in
            guard value.kind == .array else { return visit(value) }
            var elements = value.elements
            while let element = elements.next() { visit(element) }
        }
    }

    /// Calls `visit` with every value at the path, arrays as they are.
    package func forEachValue(of payload: UnsafeRawBufferPointer, _ visit: (PayloadView) -> Void) {
        OctantPayload.forEachValue(PayloadView(payload), steps, count, visit)
    }
}
