/// Dates as filters and field indexes see them: microseconds since 1970-01-01T00:00:00Z.
///
/// Read are RFC 3339 texts and what is close to it: a space instead of `T`, no zone (then it is UTC), an offset without
/// colon or of hours alone, a space before the offset, ` UTC` for it, no seconds (then no zone either), a date alone.
/// Digits of a fraction beyond the sixth are cut off.
public enum DateTime {
    /// Reads a text; `nil` if it is no date.
    public static func microseconds(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { microseconds(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// Reads UTF-8; `nil` if it is no date.
    public static func microseconds(utf8: UnsafeRawBufferPointer) -> Int64? {
        // The shortest is `2020-1-1`; the longest have a long fraction, but nobody writes hundreds of digits.
        guard utf8.count >= 8, utf8.count <= 128 else { return nil }
        var reader = DateReader(bytes: utf8)
        return reader.date()
    }
}

/// A cursor over the bytes of a date.
private struct DateReader {
    let bytes: UnsafeRawBufferPointer
    var at = 0

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    mutating func date() -> Int64? {
        while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { at += 1 }
        guard let year = digits(4...4), skip("-"), let month = digits(1...2), skip("-"), let day = digits(1...2),
            (1...12).contains(month), day >= 1, day <= Self.days(in: month, of: year)
        else { return nil }
        let midnight = Self.day(year, month, day) * 86_400_000_000
        if at == bytes.count { return midnight }
        guard skip("T") || skip("t") || skip(" ") else { return nil }
        guard let hour = digits(1...2), hour < 24, skip(":"), let minute = digits(1...2), minute < 60 else {
            return nil
        }
        var time = (hour * 60 + minute) * 60_000_000
        guard skip(":") else { return at == bytes.count ? midnight + time : nil }
        // 60 is a leap second, which counts as the first of the next minute.
        guard let second = digits(1...2), second <= 60 else { return nil }
        time += second * 1_000_000
        if skip(".") {
            guard let fraction = fraction() else { return nil }
            time += fraction
        }
        guard let offset = offset() else { return nil }
        return midnight + time - offset
    }

    /// Microseconds east of UTC; `nil` if what is left is no offset.
    private mutating func offset() -> Int64? {
        if at == bytes.count { return 0 }
        if skip("Z") || skip("z") { return at == bytes.count ? 0 : nil }
        let isSpaced = skip(" ")
        if isSpaced, skip("U") { return skip("T") && skip("C") && at == bytes.count ? 0 : nil }
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = digits(2...2), hours < 24 else { return nil }
        if at == bytes.count { return sign * hours * 3_600_000_000 }
        _ = skip(":")
        guard let minutes = digits(2...2), minutes < 60, at == bytes.count else { return nil }
        return sign * (hours * 60 + minutes) * 60_000_000
    }

    private mutating func skip(_ byte: Unicode.Scalar) -> Bool {
        guard let next, UInt32(next) == byte.value else { return false }
        at += 1
        return true
    }

    private mutating func digits(_ counts: ClosedRange<Int>) -> Int64? {
        var value: Int64 = 0
        var count = 0
        while count < counts.upperBound, let byte = next, (0x30...0x39).contains(byte) {
            value = value * 10 + Int64(byte - 0x30)
            count += 1
            at += 1
        }
        return count >= counts.lowerBound ? value : nil
    }

    private mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let byte = next, (0x30...0x39).contains(byte) {
            if count < 6 { value = value * 10 + Int64(byte - 0x30) }
            count += 1
            at += 1
        }
        guard count > 0 else { return nil }
        for _ in min(count, 6)..<6 { value *= 10 }
        return value
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar; years are counted from March, so that the leap day is
    /// the last of its year.
    private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let years = (month > 2 ? year : year - 1) + 400
        let months = month > 2 ? month - 3 : month + 9
        let leapDays = years / 4 - years / 100 + years / 400
        return years * 365 + leapDays + (153 * months + 2) / 5 + day - 1 - (719_468 + 146_097)
    }
}
