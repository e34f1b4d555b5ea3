#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A number as it stands in the text.
struct NumberText {
    /// The digits as an integer, valid if `digits <= 19`.
    var mantissa: UInt64
    /// Significant digits.
    var digits: Int
    /// The power of ten the mantissa is multiplied by.
    var exponent: Int
    /// Whether there is a minus sign.
    var negative: Bool
    /// Whether there is neither a point nor an exponent.
    var whole: Bool
    /// Where the text begins.
    var start: UnsafePointer<UInt8>
}

/// Powers of ten that a double holds exactly.
private let exactPowers: InlineArray23 = InlineArray23()

/// 10^0 … 10^22 without a heap allocation or a lazy initialiser on the hot path.
private struct InlineArray23: Sendable {
    // A tuple is the only fixed storage of this language mode that is laid out in place.
    private let values:
        (
            Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double,
            Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double
        ) = (
            1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
            1e19, 1e20, 1e21, 1e22
        )

    /// The power for an exponent of 0 to 22.
    @inline(__always)
    subscript(exponent: Int) -> Double {
        withUnsafeBytes(of: values) { bytes in
            bytes.loadUnaligned(fromByteOffset: (exponent & 31) &* 8, as: Double.self)
        }
    }
}

extension JSONReader {
    /// The longest number that is read, in bytes.
    static let numberBytesMax = 2048

    /// Scans a number by the grammar of RFC 8259.
    @inline(__always)
    mutating func scanNumber() throws(OctantError) -> NumberText {
        let begin = at
        let end = self.end
        var cursor = at
        var negative = false
        if cursor < end, cursor.pointee == UInt8(ascii: "-") {
            negative = true
            cursor += 1
        }
        guard cursor < end, cursor.pointee &- 0x30 <= 9 else {
            throw error(cursor < end ? "invalid number" : "EOF while parsing a value", at: cursor)
        }
        var mantissa: UInt64 = 0
        var digits = 0
        if cursor.pointee == UInt8(ascii: "0") {
            cursor += 1
            if cursor < end, cursor.pointee &- 0x30 <= 9 { throw error("invalid number", at: cursor) }
        } else {
            let first = cursor
            while cursor < end, cursor.pointee &- 0x30 <= 9 {
                mantissa = mantissa &* 10 &+ UInt64(cursor.pointee &- 0x30)
                cursor += 1
            }
            digits = cursor - first
        }
        var whole = true
        var exponent = 0
        if cursor < end, cursor.pointee == UInt8(ascii: ".") {
            whole = false
            cursor += 1
            let fraction = cursor
            if digits == 0 {
                while cursor < end, cursor.pointee == UInt8(ascii: "0") { cursor += 1 }
            }
            let significant = cursor
            while end - cursor >= 8, let eight = Self.eightDigits(cursor) {
                mantissa = mantissa &* 100_000_000 &+ eight
                cursor += 8
            }
            while cursor < end, cursor.pointee &- 0x30 <= 9 {
                mantissa = mantissa &* 10 &+ UInt64(cursor.pointee &- 0x30)
                cursor += 1
            }
            guard cursor > fraction else {
                throw error(cursor < end ? "invalid number" : "EOF while parsing a value", at: cursor)
            }
            digits += cursor - significant
            exponent = fraction - cursor
        }
        if cursor < end, cursor.pointee | 0x20 == UInt8(ascii: "e") {
            whole = false
            cursor += 1
            var down = false
            if cursor < end, cursor.pointee == UInt8(ascii: "-") || cursor.pointee == UInt8(ascii: "+") {
                down = cursor.pointee == UInt8(ascii: "-")
                cursor += 1
            }
            let first = cursor
            var power = 0
            while cursor < end, cursor.pointee &- 0x30 <= 9 {
                power = min(power &* 10 &+ Int(cursor.pointee &- 0x30), 1_000_000)
                cursor += 1
            }
            guard cursor > first else {
                throw error(cursor < end ? "invalid number" : "EOF while parsing a value", at: cursor)
            }
            exponent &+= down ? -power : power
        }
        guard cursor - begin <= Self.numberBytesMax else { throw error("number too long", at: begin) }
        at = cursor
        return NumberText(
            mantissa: mantissa, digits: digits, exponent: exponent, negative: negative, whole: whole, start: begin)
    }

    /// The value of eight digits at `cursor`; `nil` if some are none. Eight bytes at once (SWAR).
    @inline(__always)
    private static func eightDigits(_ cursor: UnsafePointer<UInt8>) -> UInt64? {
        let word = UInt64(littleEndian: UnsafeRawPointer(cursor).loadUnaligned(as: UInt64.self))
        let digits = word &- 0x3030_3030_3030_3030
        // Each byte must be 0x30...0x39: the high nibble is 3, and stays 3 when 6 is added.
        guard word & 0xF0F0_F0F0_F0F0_F0F0 == 0x3030_3030_3030_3030,
            (word &+ 0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0 == 0x3030_3030_3030_3030
        else { return nil }
        let pairs = digits &* 10 &+ (digits >> 8)
        let low = (pairs & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
        let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
        return (low &+ high) >> 32
    }

    /// Reads a number as the nearest `Float`; throws if it is beyond the finite ones.
    @inline(__always)
    mutating func readFloatHere() throws(OctantError) -> Float {
        let number = try scanNumber()
        if number.digits <= 19, number.exponent >= -22, number.exponent <= 22 {
            var value = Double(number.mantissa)
            if number.exponent < 0 {
                value /= exactPowers[0 &- number.exponent]
            } else {
                value *= exactPowers[number.exponent]
            }
            // `value` is within 2 units of the last place of the double; the rounding to Float is certain unless the
            // bits that are cut off are that close to one half.
            let cut = UInt32(truncatingIfNeeded: value.bitPattern) & 0x1FFF_FFFF
            if cut &- 0x0FFF_FFFC > 8, value < 3.4e38 {
                let float = Float(value)
                return number.negative ? -float : float
            }
        }
        return try slowFloat(number)
    }

    @inline(never)
    private func slowFloat(_ number: NumberText) throws(OctantError) -> Float {
        guard let value = withText(number, { strtof($0, nil) }), value.isFinite else {
            throw error("number out of range", at: number.start)
        }
        return value
    }

    private func slowDouble(_ number: NumberText) throws(OctantError) -> Double {
        guard let value = withText(number, { strtod($0, nil) }), value.isFinite else {
            throw error("number out of range", at: number.start)
        }
        return value
    }

    /// Calls `body` with the number as a C string; the C functions follow the locale, which nobody sets here.
    private func withText<Value>(_ number: NumberText, _ body: (UnsafePointer<CChar>) -> Value) -> Value? {
        let count = at - number.start
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { copy in
            for place in 0..<count { copy[place] = CChar(bitPattern: number.start[place]) }
            copy[count] = 0
            return copy.baseAddress.map { body(UnsafePointer($0)) }
        }
    }

    /// Reads a number as the nearest `Float`.
    package mutating func readFloat() throws(OctantError) -> Float {
        guard try peek() == .number else { throw try mismatch(expected: "a number") }
        return try readFloatHere()
    }

    /// Reads a number: an integer where the text is one that fits 64 bits, else the nearest finite double.
    mutating func readNumber() throws(OctantError) -> JSONValue {
        let number = try scanNumber()
        if number.whole, let integer = exactInteger(number) { return integer }
        if number.digits <= 19, number.mantissa <= 1 << 53, number.exponent >= -22, number.exponent <= 22 {
            var value = Double(number.mantissa)
            if number.exponent < 0 {
                value /= exactPowers[0 &- number.exponent]
            } else {
                value *= exactPowers[number.exponent]
            }
            return .double(number.negative ? -value : value)
        }
        return .double(try slowDouble(number))
    }

    private func exactInteger(_ number: NumberText) -> JSONValue? {
        var magnitude = number.mantissa
        if number.digits == 20 {
            // Twenty digits may or may not fit; read them again with care.
            magnitude = 0
            for place in 0..<20 {
                let digit = UInt64(number.start[place + (number.negative ? 1 : 0)] &- 0x30)
                let (product, over) = magnitude.multipliedReportingOverflow(by: 10)
                let (sum, above) = product.addingReportingOverflow(digit)
                if over || above { return nil }
                magnitude = sum
            }
        } else if number.digits > 20 {
            return nil
        }
        if number.negative {
            guard magnitude > 0, magnitude <= 1 << 63 else { return nil }
            return .integer(Int64(truncatingIfNeeded: 0 &- magnitude))
        }
        return Int64(exactly: magnitude).map(JSONValue.integer) ?? .unsigned(magnitude)
    }

    /// Reads a list of numbers as floats, each the nearest to its text.
    ///
    /// The numbers go straight into the array's storage. How many there are is guessed by the last vector that was
    /// read, and counted first where there was none or it was of another width.
    package mutating func readFloats() throws(OctantError) -> [Float] {
        try beginArray("a list of numbers")
        let begin = at
        if vectorHint > 0, let floats = try readFloats(capacity: vectorHint) { return floats }
        at = begin
        vectorHint = countElements()
        if let floats = try readFloats(capacity: vectorHint) { return floats }
        throw error("expected `,` or `]`")
    }

    /// Reads up to `capacity` floats and the closing bracket; `nil` if there are more.
    private mutating func readFloats(capacity: Int) throws(OctantError) -> [Float]? {
        var failure: OctantError?
        var overfull = false
        let floats = [Float](unsafeUninitializedCapacity: capacity) { out, count in
            do throws(OctantError) {
                var first = true
                var filled = 0
                while try nextElement(&first) {
                    guard filled < capacity else {
                        overfull = true
                        return
                    }
                    guard at.pointee &- 0x30 <= 9 || at.pointee == UInt8(ascii: "-") else {
                        throw try mismatch(expected: "a number")
                    }
                    out[filled] = try readFloatHere()
                    filled &+= 1
                }
                count = filled
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        if overfull { return nil }
        if floats.count < capacity { vectorHint = floats.count }
        return floats
    }

    /// At most how many elements a flat list has whose first one is next.
    private func countElements() -> Int {
        var cursor = at
        var count = 1
        while cursor < end, cursor.pointee != UInt8(ascii: "]") {
            if cursor.pointee == UInt8(ascii: ",") { count &+= 1 }
            cursor += 1
        }
        return count
    }
}
