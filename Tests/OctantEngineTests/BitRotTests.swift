import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Bytes on disk that are not what was written: detected or harmless, never a wrong answer, and other collections go on.
///
/// `OCTANT_BITROT=<number>` of mutations (or `all`), `OCTANT_SEED=<number>` another selection.
@Suite("Bit rot", .serialized)
struct BitRotTests {
    /// What came of a mutation.
    private enum Outcome: String {
        case harmless, refused, readOnly = "read-only", shorter = "log ends earlier", folder = "folder refused"
    }

    private static let seed = setting("OCTANT_SEED").flatMap { UInt64($0) } ?? 1

    private static func setting(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    @Test("each mutation of any file of a data folder is detected or harmless")
    func mutations() throws {
        let world = try BitRotWorld.shared.get()
        let wanted = Self.setting("OCTANT_BITROT") ?? "1000"
        let all = Mutation.all(world, flips: wanted == "1000" ? 12 : 1000, seed: Self.seed)
        let chosen = all.prefix(wanted == "all" ? all.count : Int(wanted) ?? 1000)
        var counts: [String: Int] = [:]
        for (number, mutation) in chosen.enumerated() {
            let outcome = try check(mutation, world, verifies: number % 8 == 0)
            counts[outcome.rawValue, default: 0] += 1
        }
        print(
            "bit rot: \(chosen.count) of \(all.count) mutations of \(world.paths.count) files, seed \(Self.seed): \(counts)"
        )
        #expect((counts["refused"] ?? 0) > chosen.count / 4)
        #expect((counts["harmless"] ?? 0) > 0)
    }

    private func check(_ mutation: Mutation, _ world: BitRotWorld, verifies: Bool) throws -> Outcome {
        let note = "\(mutation) (seed \(Self.seed))"
        let files = try world.mutated(mutation)
        let report =
            verifies
            ? try? Database.verify(path: BitRotWorld.path, fileSystem: files, logFileBytes: BitRotWorld.logFileBytes)
            : nil
        let before = try BitRotWorld.list(files, BitRotWorld.path).map(\.path)
        let database: Database
        do throws(OctantError) { database = try BitRotWorld.open(files) } catch {
            let isOfFolder = mutation.paths.contains { $0.contains("/catalog/") || $0.contains("/SUPER-") }
            #expect(isOfFolder, "\(note): \(error.message)")
            if verifies { #expect(report?.isClean != true, "\(note)") }
            expectNamed(mutation, error, note)
            return .folder
        }
        defer { database.close() }
        var requests = RandomRequests(generator: SeededGenerator(seed: Self.seed))
        requests.allKinds = true
        var outcomes: [Outcome] = []
        var opened: Set<String> = []
        for name in ["hurt", "other"] {
            func isOwn(_ path: String) -> Bool {
                path.hasPrefix(world.hurtFolder) == (name == "hurt") && path.contains("/c/")
            }
            let isTouched = mutation.paths.contains(where: isOwn)
            do throws(OctantError) {
                let collection = try database.collection(name)
                if collection.shard.readOnlyReason == nil { opened.insert(name) }
                let models = name == "hurt" ? world.hurt : [world.other]
                guard isTouched else {
                    #expect(try holds(collection, models[models.count - 1]), "\(name) is none of \(note)")
                    outcomes.append(.harmless)
                    continue
                }
                outcomes.append(try compare(collection, models, mutation, &requests, "\(name): \(note)"))
            } catch {
                #expect(isTouched, "\(name) is none of \(note): \(error.message)")
                #expect(error.code == .unavailable, "\(note): \(error)")
                expectNamed(mutation, error, note)
                outcomes.append(.refused)
            }
        }
        let isDetected = outcomes.contains { $0 == .refused || $0 == .readOnly }
        if isDetected, verifies { #expect(report?.isClean == false, "\(note): not found by verify") }
        // Nothing of a damaged collection is removed or moved. One whose damage showed at a read was at work until then.
        let after = Set(try BitRotWorld.list(files, BitRotWorld.path).map(\.path))
        for (name, outcome) in zip(["hurt", "other"], outcomes) where outcome == .refused || outcome == .readOnly {
            let gone = before.filter { path in
                path.contains("/c/") && path.hasPrefix(world.hurtFolder) == (name == "hurt") && !after.contains(path)
                    && (!opened.contains(name) || mutation.paths.contains(path))
            }
            #expect(gone.isEmpty, "\(note)")
        }
        return outcomes.first { $0 != .harmless } ?? .harmless
    }

    /// The error names a file that was changed, or one that no longer fits it.
    private func expectNamed(_ mutation: Mutation, _ error: OctantError, _ note: String) {
        // What a file that is gone or of another time leads to shows at another one of the collection.
        var isExact = false
        if case .flip = mutation { isExact = true }
        if case .zero = mutation { isExact = true }
        let isNamed = mutation.paths.contains { path in
            let parts = path.split(separator: "/")
            let folder = "/" + parts.prefix(isExact ? parts.count - 1 : min(3, parts.count - 1)).joined(separator: "/")
            return error.message.contains(path) || error.message.contains(folder)
        }
        #expect(isNamed, "\(note) is not named: \(error.message)")
    }

    /// Every read against the model; for the log, also against what it holds without its last operations.
    private func compare(
        _ collection: Collection, _ models: [Model], _ mutation: Mutation, _ requests: inout RandomRequests,
        _ note: String
    ) throws(OctantError) -> Outcome {
        guard let newest = models.last else { return .harmless }
        var model = newest
        var outcome = Outcome.harmless
        if mutation.paths.contains(where: { $0.hasSuffix(".wal") }), try !holds(collection, newest) {
            var matching: Model?
            for candidate in models.reversed() where try holds(collection, candidate) {
                matching = candidate
                break
            }
            guard let matching else {
                Issue.record("\(note): not a state that ever was")
                return .shorter
            }
            model = matching
            outcome = .shorter
        }
        if collection.shard.readOnlyReason != nil {
            outcome = .readOnly
            let reason = collection.info().optimizerError ?? ""
            #expect(reason.contains("read-only"), "\(note)")
            #expect(throws: OctantError.self, "\(note)") { try collection.update(.delete(.ids([.number(1)]))) }
        }
        do { try expectEqual(collection, model, &requests, note) } catch let error as OctantError { throw error } catch
        {
            Issue.record("\(note): \(error)")
        }
        return outcome
    }

    private func holds(_ collection: Collection, _ model: Model) throws(OctantError) -> Bool {
        let page = try collection.scroll(ScrollRequest(limit: 10_000, withVector: .all))
        guard page.points.count == model.points.count else { return false }
        return page.points.allSatisfy { record in
            model.points[record.id]
                == ModelPoint(
                    payload: model.members(record.payload?.object ?? JSONObject()),
                    vectors: model.vectors(record.vectors ?? NamedVectors()))
        }
    }
}
