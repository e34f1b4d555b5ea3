import COctantKernels

/// How float rows are kept in about 7/8 of their bytes without loss: of each float the sign and the 23 bits of its
/// fraction, and in 4 bits how much smaller its exponent is than the largest of the row. A few floats of a row may be
/// exceptions, whose exponents stand apart; rows with more of them are kept whole behind all others.
///
/// Byte layout: docs/format/packed-floats.md.
package struct PackedFloatForm: Sendable, Hashable {
    private let slotCount: UInt8
    /// How many floats of a row may be exceptions.
    package var slots: Int { Int(slotCount) }

    /// The largest number of exceptions that a row may have room for.
    package static let slotsMax = 64
    /// Widths of rows that can be packed: numbers of floats are told by 16 bits.
    package static let dimensions = 32...65_536

    /// Rows with room for so many exceptions; `nil` for more than ``slotsMax``.
    package init?(slots: Int) {
        guard (0...Self.slotsMax).contains(slots) else { return nil }
        slotCount = UInt8(slots)
    }

    /// Bytes from one row to the next: a multiple of 4.
    package func rowBytes(_ dimension: Int) -> Int { ok_floats_stride(dimension, UInt32(slots)) }

    /// How many floats of a row are exceptions.
    package static func exceptions(_ row: UnsafePointer<Float>, _ dimension: Int) -> Int {
        ok_floats_exceptions(row, dimension)
    }

    /// The form that takes the fewest bytes for rows of which `counts[i]` have *i* exceptions, and the last as many or
    /// more; `nil` if none takes a twentieth less than plain floats.
    package static func smallest(_ counts: [Int], dimension: Int) -> PackedFloatForm? {
        guard dimensions.contains(dimension) else { return nil }
        let rows = counts.reduce(0, +)
        let plain = Double(rows) * Double(dimension) * 4
        var best: (form: PackedFloatForm, bytes: Double)?
        var left = rows
        for (slots, count) in counts.dropLast().enumerated() {
            left -= count
            guard let form = PackedFloatForm(slots: slots) else { break }
            let bytes =
                Double(rows) * Double(form.rowBytes(dimension)) + Double(left) * Double(dimension) * 4
            if bytes < best?.bytes ?? plain * 0.95 { best = (form, bytes) }
        }
        return best?.form
    }

    /// Packs a row; `false`, with nothing of use at `out`, if it has too many exceptions.
    func encode(_ floats: UnsafePointer<Float>, _ count: Int, into out: UnsafeMutableRawPointer) -> Bool {
        ok_floats_encode(floats, count, UInt32(slots), out.assumingMemoryBound(to: UInt8.self)) != 0
    }

    /// Writes what stands for a row that is kept whole, number `place` of those.
    package func mark(_ place: Int, _ dimension: Int, into out: UnsafeMutableRawPointer) {
        ok_floats_mark(
            UInt32(truncatingIfNeeded: place), dimension, UInt32(slots), out.assumingMemoryBound(to: UInt8.self))
    }
}

/// The rows that are kept whole, one after another: what rows of ``RowElement/packedFloat32(_:)`` have besides.
package struct WholeRows: @unchecked Sendable {
    // SAFETY: read-only memory for as long as a value is in use.
    /// First component of the first.
    package let base: UnsafePointer<Float>
    /// Number of rows.
    package let count: Int

    package init(base: UnsafePointer<Float>, count: Int) {
        self.base = base
        self.count = count
    }
}

/// Where a packed row is.
package enum PackedRowPlace: Equatable {
    case packed
    /// Kept whole: its number among those.
    case whole(Int)
    /// Its bytes are not as written.
    case damaged
}

extension DenseRows {
    /// Packed rows, and behind them those that are kept whole. `nil` if so many bytes cannot be that.
    package init?(packed bytes: UnsafeRawBufferPointer, _ form: PackedFloatForm, count: Int, dimension: Int) {
        guard PackedFloatForm.dimensions.contains(dimension), let base = bytes.baseAddress, count >= 0 else {
            return nil
        }
        let (packed, overflow) = count.multipliedReportingOverflow(by: form.rowBytes(dimension))
        let (whole, rest) = (bytes.count - (overflow ? 0 : packed)).quotientAndRemainder(dividingBy: dimension * 4)
        guard !overflow, rest == 0, (0...count).contains(whole) else { return nil }
        self.init(
            base: base, element: .packedFloat32(form), count: count, dimension: dimension,
            whole: WholeRows(base: (base + packed).assumingMemoryBound(to: Float.self), count: whole))
    }

    /// The rows as kernels take them; `nil` if they are of another form.
    @inline(__always)
    func packedFloats(_ form: PackedFloatForm) -> ok_floats {
        ok_floats(
            base: base.assumingMemoryBound(to: UInt8.self), stride: stride, n: dimension, whole: whole?.base,
            whole_count: UInt32(truncatingIfNeeded: whole?.count ?? 0), slots: UInt32(form.slots))
    }

    /// Where a row is; `nil` if rows are of another form.
    package func packedPlace(_ row: UInt32) -> PackedRowPlace? {
        guard case .packedFloat32(let form) = element else { return nil }
        var rows = packedFloats(form)
        switch ok_floats_place(&rows, Int(row)) {
        case -1: return .packed
        case let place where place >= 0: return .whole(Int(place))
        default: return .damaged
        }
    }
}
