import OctantModel
import OctantPayload

extension UpdateOperation {
    /// This write without the points its condition does not let through, as of `view`. Points that are to have their
    /// vectors changed and do not exist are kept: they are an error when the write is applied.
    func satisfying(_ condition: UpdateCondition, _ view: ReadView) -> UpdateOperation {
        var test = UpdateConditionTest(condition, view)
        switch self {
        case .upsert(let points): return .upsert(points.filter { test.admits($0) })
        case .updateVectors(let points):
            return .updateVectors(points.filter { test.admitsChange(of: $0.id) })
        case .delete, .setPayload, .overwritePayload, .deletePayload, .clearPayload, .deleteVectors: return self
        }
    }
}

/// Decides point by point which of a write's points are written.
private struct UpdateConditionTest {
    private let view: ReadView
    private let condition: UpdateCondition
    /// The filter, made ready for each part it was needed for.
    private var compiled: [ObjectIdentifier: CompiledFilter] = [:]
    /// Points this write has made or replaced: a second one of the same id meets the first.
    private var written: [PointID: Point] = [:]

    init(_ condition: UpdateCondition, _ view: ReadView) {
        self.view = view
        self.condition = condition
    }

    /// Whether a point of an upsert is written.
    mutating func admits(_ point: Point) -> Bool {
        let admitted: Bool
        if let earlier = written[point.id] {
            admitted = condition.mode != .insertOnly && passes(earlier)
        } else if let (source, row) = view.locate(point.id) {
            admitted = condition.mode != .insertOnly && passes(source, row)
        } else {
            admitted = condition.mode != .updateOnly
        }
        if admitted { written[point.id] = point }
        return admitted
    }

    /// Whether an existing point may be changed.
    mutating func admitsChange(of id: PointID) -> Bool {
        guard let (source, row) = view.locate(id) else { return true }
        return passes(source, row)
    }

    private mutating func passes(_ source: any RowSource, _ row: UInt32) -> Bool {
        guard let filter = condition.filter, !filter.isEmpty else { return true }
        let key = ObjectIdentifier(source)
        if let made = compiled[key] { return made.matches(row) }
        let made = CompiledFilter(filter, rows: FilterView(source, view))
        compiled[key] = made
        return made.matches(row)
    }

    private func passes(_ point: Point) -> Bool {
        guard let filter = condition.filter, !filter.isEmpty else { return true }
        return CompiledFilter(filter, rows: WrittenPoint(point, view)).matches(0)
    }
}

/// A point that is not stored yet, as the only row there is.
private final class WrittenPoint: FilterableRows {
    private let point: Point
    private let bytes: UnsafeMutableRawBufferPointer
    private let fieldIndexes: [Manifest.FieldIndexEntry]
    let rowCount = 1

    init(_ point: Point, _ view: ReadView) {
        self.point = point
        fieldIndexes = view.fieldIndexes
        bytes = .allocate(byteCount: max(1, point.payload.bytes.count), alignment: 8)
        bytes.copyBytes(from: point.payload.bytes)
    }

    deinit { bytes.deallocate() }

    func payload(_ row: UInt32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<point.payload.bytes.count])
    }

    func row(of id: PointID) -> UInt32? { id == point.id ? 0 : nil }

    func hasVector(_ row: UInt32, _ name: String) -> Bool { point.vectors[name] != nil }

    func fieldIndexes(_ key: PayloadPath) -> [FieldIndex] { [] }

    func wantedIndexes(_ key: PayloadPath) -> [FieldIndexSchema] {
        fieldIndexes.filter { $0.key == key }.map(\.schema)
    }

    func pointID(_ row: UInt32) -> PointID { point.id }
}
