extension SparseIndex {
    /// Writes the bytes of an index over `count` rows, front to back.
    ///
    /// - Parameter vector: the vector of a row; `nil` if it has none. Called three times for each row.
    package static func encode(
        count: Int, vector: (UInt32) -> SparseRow?, append: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var table = PostingTable()
        var present = [UInt64](repeating: 0, count: (count + 63) / 64)
        var presentCount = 0
        var ends: [UInt64] = []
        ends.reserveCapacity(count)
        for row in 0..<UInt32(count) {
            if let vector = vector(row) {
                present[Int(row >> 6)] |= 1 << UInt64(row & 63)
                presentCount += 1
                table.count(vector)
            }
            ends.append(UInt64(table.entryCount))
        }
        table.order()
        for row in 0..<UInt32(count) { if let vector = vector(row) { table.add(row, vector) } }
        try write([UInt32(1), 0], append)
        try write([count, presentCount, table.dimensions.count, table.entryCount].map { UInt64($0) }, append)
        try write(present, append)
        try write(ends, append)
        try write(table.ends, append)
        try write(table.lowest, append)
        try write(table.highest, append)
        try write(table.dimensions, append)
        for row in 0..<UInt32(count) {
            guard let vector = vector(row) else { continue }
            try append(UnsafeRawBufferPointer(UnsafeBufferPointer(start: vector.indices, count: vector.count)))
        }
        for row in 0..<UInt32(count) {
            guard let vector = vector(row) else { continue }
            try append(UnsafeRawBufferPointer(UnsafeBufferPointer(start: vector.values, count: vector.count)))
        }
        try write(table.rows, append)
        try write(table.weights, append)
    }

    /// Bytes that ``encode(count:vector:append:)`` allocates at most: lists with their tables, and ends of rows.
    package static func encodingBytes(count: Int, entries: Int) -> Int { count * 9 + entries * 24 }

    // Little-endian machines only, as all of the engine's mapped files.
    private static func write<T: BitwiseCopyable>(
        _ values: [T], _ append: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try values.withUnsafeBytes { try append($0) }
    }
}

/// Posting lists while they are being made: first rows are counted, then added in ascending order.
private struct PostingTable {
    private var places: [UInt32: Int] = [:]
    private var counts: [Int] = []
    private var filled: [Int] = []
    var dimensions: [UInt32] = []
    var ends: [UInt64] = []
    var lowest: [Float] = []
    var highest: [Float] = []
    var rows: [UInt32] = []
    var weights: [Float] = []
    var entryCount = 0

    mutating func count(_ vector: SparseRow) {
        for entry in 0..<vector.count {
            let index = vector.indices[entry]
            if let place = places[index] {
                counts[place] += 1
            } else {
                places[index] = dimensions.count
                dimensions.append(index)
                counts.append(1)
            }
        }
        entryCount += vector.count
    }

    /// Brings dimensions into ascending order and lays out their lists.
    mutating func order() {
        let order = dimensions.indices.sorted { dimensions[$0] < dimensions[$1] }
        var end = 0
        var sorted: [UInt32] = []
        for (place, old) in order.enumerated() {
            places[dimensions[old]] = place
            sorted.append(dimensions[old])
            filled.append(end)
            end += counts[old]
            ends.append(UInt64(end))
        }
        dimensions = sorted
        lowest = [Float](repeating: .infinity, count: sorted.count)
        highest = [Float](repeating: -.infinity, count: sorted.count)
        rows = [UInt32](repeating: 0, count: end)
        weights = [Float](repeating: 0, count: end)
    }

    mutating func add(_ row: UInt32, _ vector: SparseRow) {
        for entry in 0..<vector.count {
            guard let place = places[vector.indices[entry]] else { continue }
            let value = vector.values[entry]
            rows[filled[place]] = row
            weights[filled[place]] = value
            filled[place] += 1
            lowest[place] = min(lowest[place], value)
            highest[place] = max(highest[place], value)
        }
    }
}
