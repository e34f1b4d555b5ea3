import COctantKernels
package import OctantModel

/// How many bits packed codes have for a component, and how queries are compared with them.
package struct PackedWidth: Sendable, Hashable {
    /// Bits of one code: 1, 2, 4 or 8.
    package let bits: Int
    /// The vector is turned in a space of half as many dimensions more, and each of those has a code.
    package let isExpanded: Bool
    /// A query is taken at one bit too, and the differing bits are counted. Only for codes of one bit; else a query has
    /// 8 bits.
    package let hasBinaryQuery: Bool

    /// The width, as written in the manifest.
    package var description: String {
        "packed bits=\(bits)\(isExpanded ? " expanded" : "")\(hasBinaryQuery ? " binary_query" : "")"
    }

    private init(_ bits: Int, expanded: Bool = false, binaryQuery: Bool = false) {
        self.bits = bits
        isExpanded = expanded
        hasBinaryQuery = binaryQuery
    }

    package static let one = PackedWidth(1)
    /// One bit over 1.5 times as many components.
    package static let oneAndHalf = PackedWidth(1, expanded: true)
    package static let two = PackedWidth(2)
    package static let four = PackedWidth(4)
    package static let eight = PackedWidth(8)
    /// One bit, queries too.
    package static let binary = PackedWidth(1, binaryQuery: true)
    /// One bit over 1.5 times as many components, queries too.
    package static let binaryOneAndHalf = PackedWidth(1, expanded: true, binaryQuery: true)

    /// What is asked for by the options of turbo quantisation.
    package init(_ options: TurboQuantization) {
        switch options.bits ?? .bits4 {
        case .bits1: self = .one
        case .bits1_5: self = .oneAndHalf
        case .bits2: self = .two
        case .bits4: self = .four
        case .bits8: self = .eight
        }
    }

    /// What is asked for by the options of binary quantisation. Queries of 4 bits are taken at 8, which costs the same;
    /// with two bits, queries of the same encoding are as well.
    package init(_ options: BinaryQuantization) {
        let fine = options.queryEncoding == .scalar4bits || options.queryEncoding == .scalar8bits
        switch options.encoding ?? .oneBit {
        case .oneBit: self = fine ? .one : .binary
        case .oneAndHalfBits: self = fine ? .oneAndHalf : .binaryOneAndHalf
        case .twoBits: self = .two
        }
    }

    /// What a file's header says; nil for what there is not.
    init?(bits: Int, expanded: Bool, binaryQuery: Bool) {
        guard bits == 1 || (bits == 2 || bits == 4 || bits == 8) && !expanded && !binaryQuery else { return nil }
        self.init(bits, expanded: expanded, binaryQuery: binaryQuery)
    }
}

/// What all rows of packed codes have in common, but for the centre.
package struct PackedShape: Sendable, Equatable {
    package let distance: Distance
    package let width: PackedWidth
    package let dimension: Int
    /// Manhattan: levels per unit. 0 otherwise.
    package let steps: Float

    /// Whether codes are of the rotated vector. A rotation keeps angles and lengths, but not sums of magnitudes.
    var isRotated: Bool { distance != .manhattan }
    /// Numbers encoded.
    let components: Int
    /// Bytes of a row's codes.
    package let codeBytes: Int
    /// Bytes from one row to the next: the codes, and but for Manhattan two floats; rounded up to whole cache lines where
    /// that adds an eighth at most.
    package let stride: Int
    /// Bytes of a query's codes: what kernels read, in whole 64 bytes.
    let queryBytes: Int

    init(distance: Distance, width: PackedWidth, dimension: Int, steps: Float) {
        self.distance = distance
        self.width = width
        self.dimension = dimension
        self.steps = steps
        components = width.isExpanded ? (3 * dimension + 1) / 2 : dimension
        codeBytes = width.bits == 1 ? (components + 63) / 64 * 8 : (components * width.bits + 127) / 128 * 16
        let needed = codeBytes + (distance != .manhattan ? 8 : 0)
        let lines = (needed + 63) / 64 * 64
        stride = lines - needed <= needed / 8 ? lines : needed
        queryBytes = (codeBytes * 8 / width.bits + 63) / 64 * 64
    }
}

/// How rows become packed codes. What is encoded is the difference from a common centre: for Manhattan its components in
/// steps that are the same for all rows, otherwise its direction, turned by a fixed random rotation, after which components
/// are about normally distributed whatever they were before.
package struct PackedParameters: Sendable, Equatable {
    package let shape: PackedShape
    /// `dimension` finite numbers.
    package let center: [Float]

    /// The seed of the rotation in new files.
    static let seed: UInt64 = 0x4f43_5441_4e54

    package var distance: Distance { shape.distance }
    package var dimension: Int { center.count }

    /// Manhattan has neither 1.5 bits, which need a rotation, nor binary queries: it takes 2 bits for the former.
    init(distance: Distance, width: PackedWidth, center: [Float], steps: Float) {
        self.center = center.map { $0.isFinite ? $0 : 0 }
        guard distance == .manhattan else {
            shape = PackedShape(distance: distance, width: width, dimension: center.count, steps: 0)
            return
        }
        shape = PackedShape(
            distance: distance, width: width.isExpanded ? .two : width.hasBinaryQuery ? .one : width,
            dimension: center.count, steps: steps.isFinite && steps > 0 && (1 / steps).isFinite ? steps : 1)
    }

    /// Rows looked at by ``train(rows:distance:width:)``.
    private static let sampleMax = 16384

    /// Finds the centre and, for Manhattan, the steps on a regular sample of the rows. Deterministic.
    package static func train(rows: DenseRows, distance: Distance, width: PackedWidth) -> PackedParameters {
        let n = rows.dimension
        let sample = Swift.stride(from: 0, to: rows.count, by: max(1, rows.count / sampleMax)).map {
            rows.copy(UInt32(truncatingIfNeeded: $0))
        }
        var sums = [Double](repeating: 0, count: n)
        for row in sample { for i in 0..<n where row[i].isFinite { sums[i] += Double(row[i]) } }
        let center = sums.map { Float($0 / Double(max(1, sample.count))) }
        guard distance == .manhattan else {
            return PackedParameters(distance: distance, width: width, center: center, steps: 0)
        }
        var squares = 0.0
        var largest: Float = 0
        for row in sample {
            for i in 0..<n where row[i].isFinite {
                let d = row[i] - center[i]
                squares += Double(d) * Double(d)
                largest = max(largest, d.magnitude)
            }
        }
        let deviation = Float((squares / Double(max(1, sample.count * n))).squareRoot())
        let bits = width.isExpanded ? 2 : width.bits
        // Rare far values are clamped rather than that all others get coarser steps. Rows that are all the same get steps
        // so fine that a level is hardly off the centre.
        let fitted = bits == 8 ? 127 / min(largest, 8 * deviation) : ok_packed_steps(Int32(bits)) / deviation
        let steps = fitted.isFinite && fitted > 0 ? fitted : 1e6
        return PackedParameters(distance: distance, width: width, center: center, steps: steps)
    }
}
