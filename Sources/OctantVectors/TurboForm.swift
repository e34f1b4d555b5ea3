import COctantKernels
package import OctantModel

/// How rows of the datatypes turbo4 and turbo8 are kept: the direction of the vector, turned by a fixed rotation, as codes
/// of 4 or 8 bits a component, and its length. There is no other copy: what a row stands for is what its codes give back.
///
/// Rows have the bytes of packed codes around a centre of zero, so that their kernels score them in place; only for
/// Manhattan, which a rotation does not keep, have they to be given back first. Byte layout: docs/format/segment.md.
package struct TurboForm: Sendable, Hashable {
    private let isFine: Bool
    /// Bits of a code: 4 or 8.
    package var bits: Int { isFine ? 8 : 4 }
    /// How rows are compared, which says what stands behind their codes.
    package let distance: Distance

    private init(_ distance: Distance, isFine: Bool) {
        self.isFine = isFine
        self.distance = distance
    }

    /// Rows of 4 bits a component.
    package static func four(_ distance: Distance) -> TurboForm { TurboForm(distance, isFine: false) }
    /// Rows of 8 bits a component.
    package static func eight(_ distance: Distance) -> TurboForm { TurboForm(distance, isFine: true) }

    /// Zeros behind the last row, which kernels may read.
    package static let tailBytes = 64

    private static let seed = PackedParameters.seed

    private var width: PackedWidth { bits == 8 ? .eight : .four }

    private func shape(_ dimension: Int) -> PackedShape {
        PackedShape(distance: distance == .manhattan ? .dot : distance, width: width, dimension: dimension, steps: 0)
    }

    /// Bytes from one row to the next.
    package func rowBytes(_ dimension: Int) -> Int { shape(dimension).stride }

    /// Whether a vector can be kept: whether what its codes give back is finite.
    package static func holds(_ components: [Float]) -> Bool {
        let squared = components.reduce(0.0) { $0 + Double($1) * Double($1) }
        return squared.squareRoot() < Double(Float.greatestFiniteMagnitude) / 4
    }

    /// Writes a row: the levels nearest to the turned vector, and the factor by which they have its length. Of vectors of
    /// unit length, the levels alone say what the factor is. All of it in a fixed order: the same bytes everywhere.
    package func encode(_ floats: UnsafePointer<Float>, _ n: Int, into out: UnsafeMutableRawPointer) {
        let shape = shape(n)
        out.initializeMemory(as: UInt8.self, repeating: 0, count: shape.stride)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: n) { turned in
            guard let turned = turned.baseAddress else { return }
            var largest: Float = 0
            for i in 0..<n { largest = max(largest, floats[i].magnitude) }
            // By a power of two, so that squares neither overflow nor vanish.
            let exponent = largest > 0 ? min(max(Int(largest.exponent), -100), 127) : 0
            let unit = Float(sign: .plus, exponent: -exponent, significand: 1)
            for i in 0..<n { turned[i] = floats[i] * unit }
            ok_rotate(turned, n, Self.seed)
            var squared = 0.0
            largest = 0
            for i in 0..<n {
                squared += Double(turned[i]) * Double(turned[i])
                largest = max(largest, turned[i].magnitude)
            }
            let steps =
                bits == 8
                ? 127 / largest : ok_packed_steps(Int32(bits)) * Float((Double(n) / squared).squareRoot())
            let codes = out.assumingMemoryBound(to: UInt8.self)
            _ = ok_pack(turned, n, Int32(bits), steps.isFinite ? steps : 1, shape.codeBytes, codes)
            ok_unpack_floats(codes, n, Int32(bits), shape.codeBytes, turned)
            var length = 0.0
            for i in 0..<n { length += Double(turned[i]) * Double(turned[i]) }
            let isUnit = distance == .cosine && exponent > -50 && (squared * Self.square(exponent) - 1).magnitude < 1e-3
            var factor = Float((isUnit ? 1 / length : squared / length).squareRoot())
            if !isUnit { factor *= Float(sign: .plus, exponent: exponent, significand: 1) }
            if !factor.isFinite || squared == 0 { factor = 0 }
            let place = out + shape.codeBytes
            let euclid = distance == .euclid
            let addend = euclid ? 0 - Float(Double(factor) * Double(factor) * length) : 0
            place.storeBytes(of: (euclid ? 2 * factor : factor).bitPattern.littleEndian, as: UInt32.self)
            place.storeBytes(of: addend.bitPattern.littleEndian, toByteOffset: 4, as: UInt32.self)
        }
    }

    private static func square(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: 2 * exponent, significand: 1)
    }

    /// Writes the levels of the row at `place`, turned as they are, and returns what they are multiplied by.
    func levels(_ place: UnsafeRawPointer, _ n: Int, into out: UnsafeMutablePointer<Float>) -> Float {
        let bytes = shape(n).codeBytes
        let codes = place.assumingMemoryBound(to: UInt8.self)
        ok_unpack_floats(codes, n, Int32(bits), bytes, out)
        let factor = PackedRow(codes + bytes).factor
        return distance == .euclid ? factor / 2 : factor
    }

    /// Writes the `n` components that the row at `place` stands for.
    func decode(_ place: UnsafeRawPointer, _ n: Int, into out: UnsafeMutablePointer<Float>) {
        let factor = levels(place, n, into: out)
        ok_unrotate(out, n, Self.seed)
        ok_scale(out, n, factor)
    }

    /// Similarities of `query` with the rows `row(0)`, `row(1)`, …, by all of its bits.
    @inline(__always)
    func score(
        _ distance: Distance, _ query: UnsafePointer<Float>, _ rows: DenseRows, _ count: Int,
        _ out: UnsafeMutablePointer<Float>, row: (Int) -> UInt32
    ) {
        let n = rows.dimension
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * n) { buffer in
            guard let turned = buffer.baseAddress else { return }
            let levels = turned + n
            turned.update(from: query, count: n)
            if distance != .manhattan { ok_rotate(turned, n, Self.seed) }
            for i in 0..<count {
                let place = rows.address(row(i))
                switch distance {
                case .cosine, .dot: out[i] = self.levels(place, n, into: levels) * ok_dot(turned, levels, n)
                case .euclid:
                    ok_scale(levels, n, self.levels(place, n, into: levels))
                    out[i] = 0 - ok_l2(turned, levels, n)
                case .manhattan:
                    decode(place, n, into: levels)
                    out[i] = 0 - ok_l1(turned, levels, n)
                }
            }
        }
    }

    /// The rows as codes that are searched in place; `nil` for Manhattan.
    ///
    /// Their scores take the query at 8 bits, which is what they differ by from those of ``score(_:_:_:_:_:row:)``: for
    /// unit vectors of n components by a standard deviation of about 0.008 / √n (the query's largest component is 3 to 4
    /// times the average, and a step an 127th of it). For others no bound is known.
    func codes(_ rows: DenseRows, owner: AnyObject) -> PackedCodes? {
        guard distance != .manhattan else { return nil }
        let center = [Float](repeating: 0, count: rows.dimension)
        let parameters = PackedParameters(distance: distance, width: width, center: center, steps: 0)
        let deviation = distance == .cosine ? 0.02 / Float(max(rows.dimension, 1)).squareRoot() : .infinity
        return PackedCodes(
            parameters: parameters, count: rows.count, deviation: deviation, seed: Self.seed,
            base: rows.base.assumingMemoryBound(to: UInt8.self), owner: owner)
    }
}

extension DenseRows {
    /// The rows as codes that are searched in place, if they are of such a form. Behind the last row lie
    /// ``TurboForm/tailBytes`` that may be read; `owner` keeps the memory.
    package func searchableCodes(owner: AnyObject) -> VectorCodes? {
        guard case .turbo(let form) = element else { return nil }
        return form.codes(self, owner: owner).map { .packed($0) }
    }
}
