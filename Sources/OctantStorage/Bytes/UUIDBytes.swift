/// Sixteen bytes that name a collection, a segment or an instance.
package struct UUIDBytes: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Bytes 0–7, first byte most significant.
    package let high: UInt64
    /// Bytes 8–15, first byte most significant.
    package let low: UInt64

    /// From the two halves, big-endian.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// All zero: "none".
    package static let zero = UUIDBytes(high: 0, low: 0)

    /// A version 4 (random) UUID.
    package static func random() -> UUIDBytes {
        UUIDBytes(
            high: Simulation.random() & ~0xF000 | 0x4000,
            low: Simulation.random() & ~(0b11 << 62) | (0b10 << 62))
    }

    /// The 16 bytes, in the order they are written.
    package var bytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * UInt64($0))) }
            + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * UInt64($0))) }
    }

    /// Lower-case, hyphenated: 8-4-4-4-12 digits.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads the hyphenated form or 32 digits, any case; `nil` for anything else.
    package static func parse(_ text: some StringProtocol) -> UUIDBytes? {
        let utf8 = Array(text.utf8)
        guard utf8.count == 36 || utf8.count == 32 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for (index, byte) in utf8.enumerated() {
            if utf8.count == 36, index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = hexDigit(byte) else { return nil }
            if digits < 16 { halves.0 = halves.0 << 4 | digit } else { halves.1 = halves.1 << 4 | digit }
            digits += 1
        }
        return digits == 32 ? UUIDBytes(high: halves.0, low: halves.1) : nil
    }

    package static func < (a: UUIDBytes, b: UUIDBytes) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

/// The value of a hexadecimal digit.
func hexDigit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
}

/// Sixteen hexadecimal digits: the number part of file names, so that they sort.
func hexName(_ value: UInt64) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
        decoding: (0..<16).map { digits[Int(value >> (60 - 4 * UInt64($0)) & 15)] }, as: UTF8.self)
}

/// Reads back what `hexName` wrote; `nil` for anything else.
func parseHexName(_ text: some StringProtocol) -> UInt64? {
    let utf8 = Array(text.utf8)
    guard utf8.count == 16 else { return nil }
    var value: UInt64 = 0
    for byte in utf8 {
        guard let digit = hexDigit(byte), !(UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte) else { return nil }
        value = value << 4 | digit
    }
    return value
}
