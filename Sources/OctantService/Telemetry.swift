import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Counts of what was asked and answered since the start.
package final class Telemetry: Sendable {
    /// Answers of one operation with one status.
    package struct Tally: Sendable {
        /// How many.
        package var count: UInt64 = 0
        /// How long they took together, in seconds.
        package var seconds: Double = 0
    }

    /// What answers are counted by.
    package struct Key: Hashable, Sendable {
        /// The operation.
        package var operation: Operation
        /// The HTTP status.
        package var status: Int
    }

    private let tallies = Mutex<[Key: Tally]>([:])
    /// When the server started, as RFC 3339 text.
    package let startup = Telemetry.now()
    /// A random number in the form of a UUID, new with each start.
    package let id: String

    init() {
        let (a, b) = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        let digits = [a, b].map { value -> String in
            let text = String(value, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
        let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { range in
            String(digits.dropFirst(range.lowerBound).prefix(range.count))
        }
        id = parts.joined(separator: "-")
    }

    /// Counts one answer.
    package func record(_ operation: Operation, status: Int, seconds: Double) {
        tallies.withLock {
            $0[Key(operation: operation, status: status), default: Tally()].count += 1
            $0[Key(operation: operation, status: status), default: Tally()].seconds += seconds
        }
    }

    /// All counts, in the order of the operation table.
    package var all: [(key: Key, tally: Tally)] {
        let copy = tallies.withLock { $0 }
        return copy.sorted { ($0.key.operation.rawValue, $0.key.status) < ($1.key.operation.rawValue, $1.key.status) }
            .map { ($0.key, $0.value) }
    }

    private static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func pad(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(parts.tm_year + 1900)-\(pad(parts.tm_mon + 1))-\(pad(parts.tm_mday))T\(pad(parts.tm_hour)):"
            + "\(pad(parts.tm_min)):\(pad(parts.tm_sec))Z"
    }

    /// Resident memory of the process in bytes; `nil` where the system does not tell.
    package static var residentBytes: Int? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        guard fgets(&buffer, 256, file) != nil else { return nil }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages.multipliedReportingOverflow(by: Int(sysconf(Int32(_SC_PAGESIZE)))).partialValue
    }
}
