/// A 128-bit identifier, printed hyphenated in lower case.
public struct UUIDValue: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The first eight bytes, big end first.
    public var high: UInt64
    /// The last eight bytes, big end first.
    public var low: UInt64

    /// Makes a value of its two halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads hyphenated, simple (32 digits), braced or URN text; `nil` if it is none of these.
    public init?(_ text: some StringProtocol) {
        var digits = Substring(text)[...]
        if digits.lowercased().hasPrefix("urn:uuid:") { digits = digits.dropFirst(9) }
        if digits.first == "{", digits.last == "}" { digits = digits.dropFirst().dropLast() }
        let bytes = Array(digits.utf8)
        let hyphens: Set<Int>
        switch bytes.count {
        case 32: hyphens = []
        case 36: hyphens = [8, 13, 18, 23]
        default: return nil
        }
        var high: UInt64 = 0
        var low: UInt64 = 0
        var seen = 0
        for (place, byte) in bytes.enumerated() {
            if hyphens.contains(place) {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Self.hexDigit(byte) else { return nil }
            if seen < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
            seen += 1
        }
        self.init(high: high, low: low)
    }

    /// Reads UTF-8 of one of these forms.
    package init?(utf8: UnsafeRawBufferPointer) {
        guard (32...45).contains(utf8.count) else { return nil }
        self.init(String(decoding: utf8, as: UTF8.self))
    }

    /// Calls `body` with the 16 bytes.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian), body)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte &- 0x30)
        case 0x61...0x66: UInt64(byte &- 0x61 &+ 10)
        case 0x41...0x46: UInt64(byte &- 0x41 &+ 10)
        default: nil
        }
    }

    /// Hyphenated lower-case text of 36 characters.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 36) { out in
            var at = 0
            for nibble in 0..<32 {
                if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                    out[at] = UInt8(ascii: "-")
                    at += 1
                }
                let half = nibble < 16 ? high : low
                out[at] = digits[Int(half >> UInt64((15 - nibble % 16) * 4) & 15)]
                at += 1
            }
            return 36
        }
    }

    /// Byte order, which is also text order.
    public static func < (a: Self, b: Self) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

/// The name of a point: an unsigned integer or a UUID. Numbers sort before UUIDs.
public enum PointID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// A 64-bit unsigned number.
    case number(UInt64)
    /// A UUID.
    case uuid(UUIDValue)

    /// Decimal digits, or the hyphenated UUID.
    public var description: String {
        switch self {
        case .number(let number): String(number)
        case .uuid(let uuid): uuid.description
        }
    }

    /// Ascending order of scroll: numbers, then UUIDs.
    public static func < (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.number(let x), .number(let y)): x < y
        case (.uuid(let x), .uuid(let y)): x < y
        case (.number, .uuid): true
        case (.uuid, .number): false
        }
    }
}
