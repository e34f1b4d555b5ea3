/// Moments as RFC 3339 text.
package enum Timestamp {
    /// Such as `2024-02-29T23:59:59.123Z`, of milliseconds since 1970.
    ///
    /// The date of a day number is computed in years that begin in March, so that leap days come last: H. Hinnant,
    /// "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    package static func text(milliseconds: Int64) -> String {
        let (day, rest) = divided(milliseconds, by: 86_400_000)
        let shifted = day + 719_468
        let (era, dayOfEra) = divided(shifted, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func pad(_ value: Int64, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(pad(year, 4))-\(pad(month))-\(pad(dayOfMonth))T\(pad(rest / 3_600_000)):"
            + "\(pad(rest / 60_000 % 60)):\(pad(rest / 1000 % 60)).\(pad(rest % 1000, 3))Z"
    }

    /// Quotient and remainder, rounded down.
    private static func divided(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
