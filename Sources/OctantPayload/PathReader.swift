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

extension PayloadView {
    /// The value as a date in microseconds since 1970, if it is text that says one.
    package var date: Int64? { utf8.flatMap { DateTime.microseconds(utf8: $0) } }
    /// The value as a point on the Earth, if it is an object with `lon` and `lat`.
    package var point: GeoPoint? { geoPoint(self) }
}
