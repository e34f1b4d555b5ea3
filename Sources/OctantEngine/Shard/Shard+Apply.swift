import OctantModel
import OctantPayload
import OctantStorage

/// Applying operations to memory: on one thread, in the order of the log.
extension Shard {
    /// Applies `operation`. Returns the error its client gets; the state is then as if it had not been sent.
    func apply(_ operation: UpdateOperation, at lsn: LSN) -> OctantError? {
        let deferral = deferralIfDue(operation)
        var change = Change(view: newest, lsn: lsn)
        change.deferral = deferral
        if let error = change.missingPoint(of: operation) { return finish(change, error) }
        guard reserve(rows: operation.pointCount, &change) else {
            return finish(change, OctantError(.insufficientStorage, "out of memory for new points"))
        }
        switch operation {
        case .upsert(let points):
            for point in points { change.upsert(point) }
        case .delete(.ids(let ids)):
            for id in ids { change.delete(id) }
        case .setPayload(let object, .ids(let ids), let key):
            for id in ids { change.edit(id) { PayloadEditing.setting($0, merge: object, at: key) } }
        case .overwritePayload(let payload, .ids(let ids)):
            for id in ids { change.edit(id) { _ in payload } }
        case .deletePayload(let paths, .ids(let ids)):
            for id in ids { change.edit(id) { PayloadEditing.deleting($0, paths: paths) } }
        case .clearPayload(.ids(let ids)):
            for id in ids { change.edit(id) { _ in .empty } }
        case .updateVectors(let points):
            for point in points { change.updateVectors(point.id, point.vectors) }
        case .deleteVectors(let names, .ids(let ids)):
            for id in ids { change.deleteVectors(id, names) }
        case .delete(.filter), .setPayload(_, .filter, _), .overwritePayload(_, .filter), .deletePayload(_, .filter),
            .clearPayload(.filter), .deleteVectors(_, .filter):
            break  // filters are resolved to ids before the log
        }
        return finish(change, nil)
    }

    /// Makes the operation visible, all of it at once.
    private func finish(_ change: Change, _ error: OctantError?) -> OctantError? {
        state.withLock {
            $0.lsn = change.lsn
            $0.liveCount += change.liveDelta
            if error == nil, let deferral = change.deferral { $0.deferral = deferral }
        }
        return error
    }

    /// Makes sure the open memtable has room for `rows` more.
    private func reserve(rows: Int, _ change: inout Change) -> Bool {
        guard rows > 0 else { return true }
        let open = change.memtable
        if open.rowCount + rows <= open.capacity, open.rowCount == 0 || open.byteCount < limits.memtableBytes {
            return true
        }
        return freezeMemtable(roomFor: rows, through: change.lsn - 1, view: &change.view)
    }

    /// Freezes the open memtable, if it has rows, and opens another. `applying` is held.
    func freezeMemtable(
        roomFor rows: Int, through lsn: LSN, view: inout ReadView, keepingEmpty: Bool = false
    ) -> Bool {
        let capacity = max(limits.memtableRows, rows)
        guard let fresh = Memtable(capacity: capacity, params: view.config.params) else { return false }
        state.withLock { state in
            if !keepingEmpty, state.memtables[state.memtables.count - 1].table.rowCount == 0 {
                state.memtables.removeLast()
            } else {
                state.memtables[state.memtables.count - 1].through = lsn
                state.memtables[state.memtables.count - 1].liveCount = state.liveCount
            }
            state.memtables.append(MemtableSlot(table: fresh, through: nil))
            view = state
        }
        background.change { $0.loggedBytes = 0 }
        requestFlush()
        return true
    }
}

extension UpdateOperation {
    /// Rows it may append.
    fileprivate var pointCount: Int {
        switch self {
        case .upsert(let points): points.count
        case .updateVectors(let points): points.count
        case .delete: 0
        case .setPayload(_, let selection, _), .overwritePayload(_, let selection), .deletePayload(_, let selection),
            .clearPayload(let selection), .deleteVectors(_, let selection):
            if case .ids(let ids) = selection { ids.count } else { 0 }
        }
    }
}

/// The application of one operation.
private struct Change {
    var view: ReadView
    let lsn: LSN
    var liveDelta = 0
    /// What is kept from reads from this operation on.
    var deferral: Deferral?

    var memtable: Memtable { view.memtables[view.memtables.count - 1].table }

    /// For operations that need their points: the error naming the first that is missing.
    func missingPoint(of operation: UpdateOperation) -> OctantError? {
        let ids: [PointID]
        switch operation {
        case .setPayload(_, .ids(let list), _): ids = list
        case .updateVectors(let points): ids = points.map(\.id)
        default: return nil
        }
        guard let missing = ids.first(where: { view.locateLive($0) == nil }) else { return nil }
        return OctantError(.notFound, "No point with id \(missing) found")
    }

    mutating func upsert(_ point: Point) {
        let vectors = memtable.vectorNames.map { name in point.vectors[name].map { VectorSource.given($0) } ?? .none }
        let old = view.locateLive(point.id)
        point.payload.bytes.withUnsafeBytes {
            memtable.append(id: point.id, version: lsn, payload: $0, vectors: vectors)
        }
        replace(old)
    }

    mutating func delete(_ id: PointID) {
        guard let (source, row) = view.locateLive(id) else { return }
        source.tombstones.kill(row, at: lsn)
        liveDelta -= 1
    }

    private mutating func replace(_ old: (source: any RowSource, row: UInt32)?) {
        if let old { old.source.tombstones.kill(old.row, at: lsn) } else { liveDelta += 1 }
    }

    private func storedVectors(_ source: any RowSource, _ row: UInt32) -> [VectorSource] {
        memtable.vectorNames.map { name in source.stored(row, name).map { .stored($0) } ?? .none }
    }

    mutating func edit(_ id: PointID, _ change: (Payload) -> Payload) {
        guard let (source, row) = view.locateLive(id) else { return }
        let payload = change(Payload(bytes: Array(source.payload(row))))
        let vectors = storedVectors(source, row)
        payload.bytes.withUnsafeBytes { memtable.append(id: id, version: lsn, payload: $0, vectors: vectors) }
        replace((source, row))
    }

    mutating func updateVectors(_ id: PointID, _ new: NamedVectors) {
        guard let (source, row) = view.locateLive(id) else { return }
        var vectors = storedVectors(source, row)
        for (place, name) in memtable.vectorNames.enumerated() {
            if let vector = new[name] { vectors[place] = .given(vector) }
        }
        memtable.append(id: id, version: lsn, payload: source.payload(row), vectors: vectors)
        replace((source, row))
    }

    mutating func deleteVectors(_ id: PointID, _ names: [String]) {
        guard let (source, row) = view.locateLive(id) else { return }
        var vectors = storedVectors(source, row)
        for (place, name) in memtable.vectorNames.enumerated() where names.contains(name) { vectors[place] = .none }
        memtable.append(id: id, version: lsn, payload: source.payload(row), vectors: vectors)
        replace((source, row))
    }
}
