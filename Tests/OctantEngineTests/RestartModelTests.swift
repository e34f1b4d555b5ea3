import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

/// Long lives of a collection on a real disk, with real threads, that is closed and opened again and again, beside a model.
///
/// `OCTANT_MODEL_OPERATIONS` changes how many operations there are in all, `OCTANT_MODEL_SEED` what they are.
@Suite("A collection that is closed and opened again, against a model")
struct RestartModelTests {
    /// What of the configuration a life is about.
    enum Kind: Int, CaseIterable, Sendable {
        case dense, all, quantized

        var config: CollectionConfig {
            switch self {
            case .dense: return tinyConfig()
            case .all: return allKindsConfig()
            case .quantized:
                var config = allKindsConfig()
                config.quantization = .scalar(ScalarQuantization(quantile: 0.99))
                config.params.onDiskPayload = true
                return config
            }
        }
    }

    private static let operations = environmentNumber("OCTANT_MODEL_OPERATIONS") ?? 20_000
    private static let seed = environmentNumber("OCTANT_MODEL_SEED") ?? 1
    /// Operations between two restarts.
    private static let untilRestart = 500

    @Test("holds after each restart what a dictionary holds", arguments: Kind.allCases)
    func restarts(kind: Kind) throws {
        let folder = TemporaryFolder()
        let seed = UInt64(Self.seed * Kind.allCases.count + kind.rawValue)
        var requests = RandomRequests(generator: SeededGenerator(seed: seed), allKinds: kind != .dense)
        var model = Model()
        var database = try openTiny(folder.path)
        defer { database.close() }
        try database.createCollection("c", kind.config)
        var collection = try database.collection("c")
        try collection.createFieldIndex(PayloadPath("t"), FieldIndexSchema(type: .keyword))
        for step in 1...max(1, Self.operations / Kind.allCases.count) {
            let operation = requests.operation()
            let before = model
            if model.apply(operation) {
                // What is not waited for is finished by closing.
                let waits = Int.random(in: 0..<4, using: &requests.generator) == 0
                if waits {
                    try collection.update(operation)
                } else {
                    collection.update(operation, wait: false) { _ in }
                }
            } else {
                model = before
                #expect(throws: OctantError.self) { try collection.update(operation) }
            }
            guard step % Self.untilRestart == 0 else { continue }
            let note = "seed \(Self.seed), \(kind), step \(step)"
            let last = collection.shard.lastLSN
            // Memtables of a few rows make segments faster than they are merged: without a rest now and then there would be
            // more of them than the system maps files.
            if step / Self.untilRestart % 2 == 0 { settle(collection, note) }
            database.close()
            database = try openTiny(folder.path)
            collection = try database.collection("c")
            #expect(collection.shard.view.lsn == last, "\(note)")
            try expectEqual(collection, model, &requests, note)
        }
    }
}
