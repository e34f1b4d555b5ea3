package import OctantModel
package import OctantStorage
import Synchronization

/// What was learnt of a collection by measuring: kept in its folder, specified in `docs/format/tuning.md`.
///
/// Nothing of it decides what data exists: a damaged file is forgotten.
package final class TuningStore: Sendable {
    /// All of it.
    package struct Content: Sendable, Hashable {
        package var curves: [StoredCurves] = []
        package var defaults: [StoredDefaults] = []
        /// Finished points of a grid, by what they were measured on and how.
        package var readings: [UInt64: StoredReading] = [:]

        package init() {}
    }

    /// The curves of one vector.
    package struct StoredCurves: Sendable, Hashable {
        package var using: String
        /// What they were measured on.
        package var basis: Basis
        package var curves: RecallCurves

        package init(using: String, basis: Basis, curves: RecallCurves) {
            self.using = using
            self.basis = basis
            self.curves = curves
        }
    }

    /// What curves were measured on.
    package struct Basis: Sendable, Hashable {
        /// Configuration of vector, codes and graph, in words.
        package var configuration: String
        /// Points.
        package var rows: Int
        /// Parts that were searched each for itself.
        package var parts: Int
        /// Whether queries of users were asked, not stored vectors.
        package var queriesWereGiven: Bool

        package init(configuration: String, rows: Int, parts: Int, queriesWereGiven: Bool) {
            self.configuration = configuration
            self.rows = rows
            self.parts = parts
            self.queriesWereGiven = queriesWereGiven
        }
    }

    /// How searches that do not say it themselves are done.
    package struct StoredDefaults: Sendable, Hashable {
        package var using: String
        package var search: TuningSearch

        package init(using: String, search: TuningSearch) {
            self.using = using
            self.search = search
        }
    }

    /// A finished point.
    package struct StoredReading: Sendable, Hashable {
        package var reading: RecallMeter.Reading
        package var memoryBytes: Int

        package init(reading: RecallMeter.Reading, memoryBytes: Int) {
            self.reading = reading
            self.memoryBytes = memoryBytes
        }
    }

    private struct State {
        var content: Content?
        var store: GenerationStore?
    }

    private static let folder = "tuning"

    /// The folder of the collection.
    private let parent: String
    /// The folder of the file, and of what is built to be measured.
    package var directory: String { parent + "/" + Self.folder }
    private let fileSystem: any FileSystem
    private let log: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// Finished points that are kept: more are of collections as they no longer are.
    private static let readingsMax = 4096

    /// The store of the collection whose folder is `parent`.
    package init(parent: String, fileSystem: any FileSystem, log: @escaping @Sendable (String) -> Void) {
        self.parent = parent
        self.fileSystem = fileSystem
        self.log = log
    }

    /// What is known. Read from disk once.
    package var content: Content { state.withLock { loaded(&$0) } }

    private func loaded(_ state: inout State) -> Content {
        if let content = state.content { return content }
        var content = Content()
        do throws(StorageError) {
            if try fileSystem.list(parent).contains(Self.folder) {
                let store = GenerationStore(directory: directory, prefix: "TUNING", fileSystem: fileSystem)
                switch try store.loadNewest() {
                case .empty: break
                case .newest(let generation): content = try Content(generation.body)
                case .fallback(let generation, let damaged):
                    for error in damaged { log("\(error)") }
                    try store.acceptFallback()
                    content = try Content(generation.body)
                }
                state.store = store
            }
        } catch {
            log("\(directory): what was measured is forgotten: \(error)")
        }
        state.content = content
        return content
    }

    /// Keeps the curves of a vector in place of those it had.
    package func keep(_ curves: StoredCurves) throws(StorageError) {
        try update { content in
            content.curves.removeAll { $0.using == curves.using }
            content.curves.append(curves)
        }
    }

    /// Changes what is known and writes it.
    package func update(_ change: (inout Content) -> Void) throws(StorageError) {
        let result = state.withLock { state in
            Result { () throws(StorageError) in
                var content = loaded(&state)
                change(&content)
                if content.readings.count > Self.readingsMax { content.readings = [:] }
                let store: GenerationStore
                if let opened = state.store {
                    store = opened
                } else {
                    try fileSystem.makeDirectories(directory)
                    store = GenerationStore(directory: directory, prefix: "TUNING", fileSystem: fileSystem)
                    do throws(StorageError) { _ = try store.loadNewest() } catch {
                        // Damaged beyond use, which was said when it was read: the new one begins anew.
                        try fileSystem.removeTree(directory)
                        try fileSystem.makeDirectories(directory)
                        _ = try store.loadNewest()
                    }
                }
                _ = try store.publish(content.encoded())
                state.store = store
                state.content = content
            }
        }
        try result.get()
    }
}

extension TuningStore.Content {
    private static let format: UInt32 = 1

    package func encoded() -> [UInt8] {
        var out = ByteWriter()
        out.u32(Self.format)
        out.varint(UInt64(curves.count))
        for entry in curves {
            out.string(entry.using)
            out.string(entry.basis.configuration)
            out.u64(UInt64(max(entry.basis.rows, 0)))
            out.u64(UInt64(max(entry.basis.parts, 0)))
            out.u8(entry.basis.queriesWereGiven ? 1 : 0)
            out.varint(UInt64(entry.curves.curves.count))
            for curve in entry.curves.curves {
                out.u32(UInt32(clamping: curve.limit))
                out.varint(UInt64(curve.entries.count))
                for point in curve.entries {
                    out.u32(UInt32(clamping: point.ef))
                    out.f64(point.recall)
                    out.f64(point.error)
                }
            }
        }
        out.varint(UInt64(defaults.count))
        for entry in defaults {
            out.string(entry.using)
            out.u32(UInt32(clamping: entry.search.hnswEF ?? 0))
            out.u8(entry.search.exact ? 1 : 0)
            out.u8(entry.search.rescore.map { $0 ? 2 : 1 } ?? 0)
            out.f64(entry.search.oversampling ?? 0)
        }
        out.varint(UInt64(readings.count))
        for (key, stored) in readings.sorted(by: { $0.key < $1.key }) {
            out.u64(key)
            out.f64(stored.reading.recall)
            out.f64(stored.reading.recallError)
            out.f64(stored.reading.p50Microseconds)
            out.f64(stored.reading.p95Microseconds)
            out.u64(UInt64(max(stored.memoryBytes, 0)))
        }
        return out.bytes
    }

    package init(_ bytes: [UInt8]) throws(StorageError) {
        self = try ByteReader.reading(bytes, name: "tuning") { (reader: inout ByteReader) throws(StorageError) in
            var content = TuningStore.Content()
            guard try reader.u32() == Self.format else { throw reader.damaged("unknown format") }
            for _ in 0..<(try reader.count(unit: 20)) { content.curves.append(try Self.curves(&reader)) }
            for _ in 0..<(try reader.count(unit: 15)) {
                let using = try reader.string()
                let ef = Int(try reader.u32())
                let exact = try reader.u8() == 1
                let rescore = try reader.u8()
                let oversampling = try reader.f64()
                content.defaults.append(
                    .init(
                        using: using,
                        search: TuningSearch(
                            hnswEF: ef > 0 ? ef : nil, exact: exact, rescore: rescore == 0 ? nil : rescore == 2,
                            oversampling: oversampling >= 1 && oversampling.isFinite ? oversampling : nil)))
            }
            for _ in 0..<(try reader.count(unit: 48)) {
                let key = try reader.u64()
                let reading = RecallMeter.Reading(
                    recall: try reader.f64(), recallError: try reader.f64(), p50Microseconds: try reader.f64(),
                    p95Microseconds: try reader.f64())
                let memory = Int(clamping: try reader.u64())
                content.readings[key] = .init(reading: reading, memoryBytes: memory)
            }
            try reader.finish()
            return content
        }
    }

    private static func curves(_ reader: inout ByteReader) throws(StorageError) -> TuningStore.StoredCurves {
        let using = try reader.string()
        let basis = TuningStore.Basis(
            configuration: try reader.string(), rows: Int(clamping: try reader.u64()),
            parts: Int(clamping: try reader.u64()), queriesWereGiven: try reader.u8() == 1)
        var curves: [RecallCurve] = []
        for _ in 0..<(try reader.count(unit: 5)) {
            let limit = Int(try reader.u32())
            var entries: [RecallCurve.Entry] = []
            for _ in 0..<(try reader.count(unit: 20)) {
                let (ef, recall, error) = (Int(try reader.u32()), try reader.f64(), try reader.f64())
                guard recall.isFinite, error.isFinite else { throw reader.damaged("not a number") }
                entries.append(.init(ef: ef, recall: recall, error: error))
            }
            curves.append(RecallCurve(limit: limit, entries: entries))
        }
        return .init(using: using, basis: basis, curves: RecallCurves(curves))
    }
}
