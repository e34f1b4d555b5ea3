import OctantModel
import Synchronization

/// Counts of what was asked and answered since the start.
package final class Telemetry: Sendable {
    /// Answers of one operation with one status.
    package struct Tally: Sendable {
        /// Upper bounds of the histogram of durations, in seconds; above the last there is one bucket more.
        package static let bounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]

        /// How many.
        package var count: UInt64 = 0
        /// How long they took together, in seconds.
        package var seconds: Double = 0
        /// The shortest, in seconds.
        package var shortest: Double = .infinity
        /// The longest, in seconds.
        package var longest: Double = 0
        /// How many there are in each bucket of the histogram.
        package var buckets = [UInt64](repeating: 0, count: bounds.count + 1)
        /// When the last was given, in milliseconds since 1970.
        package var lastAt: Int64 = 0

        fileprivate mutating func add(_ duration: Double, at moment: Int64) {
            count += 1
            seconds += duration
            shortest = min(shortest, duration)
            longest = max(longest, duration)
            buckets[Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count] += 1
            lastAt = moment
        }
    }

    /// What answers are counted by.
    package struct Key: Hashable, Sendable {
        /// The operation.
        package var operation: Operation
        /// The HTTP status, or the code of a gRPC call.
        package var status: Int
        /// The method of a gRPC call, such as `/qdrant.Points/Upsert`; `nil` for REST.
        package var method: String?

        /// Whether it is an answer to what was asked.
        package var isSuccess: Bool { status == (method == nil ? 200 : 0) }
    }

    /// An operation, a status and what was counted of them.
    package typealias Entry = (key: Key, tally: Tally)

    private struct State: Sendable {
        var all: [Key: Tally] = [:]
        var byCollection: [String: [Key: Tally]] = [:]
    }

    /// Collections whose answers are counted apart: bounds what names can take of memory.
    private static let collectionsMax = 1000

    private let state = Mutex(State())
    /// When the server started, as RFC 3339 text.
    package let startup = Timestamp.text(milliseconds: SystemStatus.unixMilliseconds)
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

    /// Counts one answer over REST. `collection`: whom it was about, if there is one of that name.
    package func record(_ operation: Operation, status: Int, seconds: Double, collection: String?) {
        record(Key(operation: operation, status: status, method: nil), seconds, collection)
    }

    /// Counts one answer to a gRPC call of `method`.
    package func record(
        _ operation: Operation, method: String, code: Int, seconds: Double, collection: String?
    ) {
        record(Key(operation: operation, status: code, method: method), seconds, collection)
    }

    private func record(_ key: Key, _ seconds: Double, _ collection: String?) {
        let now = SystemStatus.unixMilliseconds
        state.withLock { state in
            state.all[key, default: Tally()].add(seconds, at: now)
            // A success means that the collection exists: names that callers make up are not kept.
            guard let collection, key.isSuccess else { return }
            guard state.byCollection.count < Self.collectionsMax || state.byCollection[collection] != nil else {
                return
            }
            state.byCollection[collection, default: [:]][key, default: Tally()].add(seconds, at: now)
        }
    }

    /// Forgets the counts of a collection that is dropped.
    func forget(_ collection: String) { state.withLock { $0.byCollection[collection] = nil } }

    /// All counts, in a lasting order.
    package var all: [Entry] { Self.sorted(state.withLock { $0.all }) }

    /// All counts of each collection, in a lasting order.
    package var byCollection: [(collection: String, entries: [Entry])] {
        let copy = state.withLock { $0.byCollection }
        return copy.sorted { $0.key < $1.key }.map { ($0.key, Self.sorted($0.value)) }
    }

    private static func sorted(_ tallies: [Key: Tally]) -> [Entry] {
        func order(_ key: Key) -> (String, String, Int) { (key.method ?? "", key.operation.rawValue, key.status) }
        return tallies.sorted { order($0.key) < order($1.key) }
            .map { ($0.key, $0.value) }
    }
}
