import OctantModel

extension FilterCompiler {
    func geo(
        _ shape: GeoShape, _ key: PayloadPath, _ indexes: [FieldIndex], _ nested: Bool
    ) -> UnsafePointer<FilterNode> {
        let kept = ShapeTest(shape)
        keep(kept)
        let test = Unmanaged.passUnretained(kept)
        func payloads(sampled: Bool) -> UnsafePointer<FilterNode> {
            payloadTest(.inShape, key, nested, sampled: sampled) { $0.shape = test }
        }
        guard let index = indexes.first(where: { $0.type == .geo }) else {
            // Objects are values of another kind to all other indexes.
            guard let other = indexes.first else { return payloads(sampled: true) }
            return guarded(other, .otherValues) { payloads(sampled: false) }
        }
        return or([held(shape, test, index), guarded(index, .otherValues) { payloads(sampled: false) }])
    }

    /// Rows that hold a point in the shape. Where the cells that cover the shape hold few rows, these are tested here
    /// and the node knows its rows exactly; else rows are tested one by one.
    private func held(
        _ shape: GeoShape, _ test: Unmanaged<ShapeTest>, _ index: FieldIndex
    ) -> UnsafePointer<FilterNode> {
        let runs = shape.rectangles.flatMap { GeoCell.runs($0) }.map { index.places(inCells: $0) }
        let candidates = runs.reduce(0) { $0 + $1.count }
        guard candidates > 0 else { return make(.never) }
        var node = FilterNode(.geo)
        node.offsets = index.offsets
        node.values = UnsafeRawPointer(index.points)
        node.shape = test
        switch shape {
        case .box: node.testCost = 8
        case .circle: node.testCost = 60
        case .polygon(let exterior, let interiors):
            node.testCost = Double(exterior.count + interiors.reduce(0) { $0 + $1.count }) * 4
        }
        guard candidates <= max(1024, rowCount / 16) else {
            let most = min(candidates, index.indexedRows)
            node.estimate = FilterNode.Estimate(min: 0, expected: Double(most) * 0.7, max: most)
            node.listCost = Double(rowCount) * node.testCost
            return UnsafePointer(arena.copy([node]))
        }
        let probe = arena.copy([node])
        var found: [UInt32] = []
        for run in runs {
            for place in run where holds(probe, index.rows[place]) { found.append(index.rows[place]) }
        }
        found = Set(found).sorted()
        guard !found.isEmpty else { return make(.never) }
        let slice = RowSlice(rows: UnsafePointer(arena.copy(found)), count: found.count, isAscending: true)
        node.slices = UnsafePointer(arena.copy([slice]))
        node.sliceCount = 1
        node.estimate = FilterNode.Estimate(min: found.count, expected: Double(found.count), max: found.count)
        node.listCost = Double(found.count) * 0.3
        return UnsafePointer(arena.copy([node]))
    }
}
