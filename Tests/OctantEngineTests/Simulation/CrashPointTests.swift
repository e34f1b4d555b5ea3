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

/// The machine stops before changing calls of each scenario, in one of three ways by turns: before the first call of each
/// kind on each kind of file, and before every 200th. `OCTANT_CRASH_STRIDE=8` stops before every eighth, 1 before each, and 0
/// before each in all three ways.
@Suite("A crash at any call")
struct CrashPointTests {
    private struct Image {
        var label: String
        var disk: SimulatedFileSystem
        var isCut: Bool
        var promises: [History.Promise]
        var histories: [History]
    }

    // SAFETY: filled by the one thread of a simulation.
    private final class Album: @unchecked Sendable {
        var images: [Image] = []
        var calls = 0
        var labels = Set<String>()
    }

    private static let stride = environmentNumber("OCTANT_CRASH_STRIDE")

    @Test("leaves what was acknowledged", arguments: Scenario.all)
    func everyCall(scenario: Scenario) throws {
        let prepared = try Scenario.prepared(seed: 11)
        let life = Scenario.copy(prepared, seed: 12)
        let album = Album()
        try Simulation.$current.withValue(life.simulation) {
            let label = { (call: SimulatedFileSystem.Call) in "\(scenario.name): \(call.kind) \(Self.role(call))" }
            let isRecovery = scenario.steps.isEmpty
            if isRecovery { life.onCall = { [unowned life] in Self.take(life, label($0), album) } }
            try life.reopen(cut: false, faulty: false)
            life.onCall = { [unowned life] in Self.take(life, label($0), album) }
            for step in scenario.steps { try step(life) }
            Self.take(life, "\(scenario.name): end", album)
            life.onCall = nil
            try life.checkSeen()
            life.database?.close()
            life.database = nil
        }
        for (what, least) in scenario.proves {
            let times = life.counts[what] ?? 0
            #expect(times >= least, "\(scenario.name): \(what): \(times) times, not \(least)")
        }
        for (number, image) in album.images.enumerated() {
            do { try reopen(image, life, number) } catch {
                Issue.record("image \(number) of \(album.images.count), cut \(image.isCut), \(image.label): \(error)")
            }
        }
        #expect(album.images.count > 2)
        if getenv("OCTANT_SIM_VERBOSE") != nil {
            let labels = Set(album.images.map(\.label)).count
            let text = "\(scenario.name): \(album.images.count) images, \(labels) labels\n"
            _ = text.withCString { write(2, $0, strlen($0)) }
        }
    }

    /// What each way of stopping would leave now.
    private static func take(_ life: SimulatedLife, _ label: String, _ album: Album) {
        let promises = life.promisesNow()
        let isFirst = album.labels.insert(label).inserted
        album.calls += 1
        let all = SimulatedFileSystem.Survival.allCases
        let ways: [SimulatedFileSystem.Survival]
        switch stride {
        case 0: ways = all
        case let stride?: ways = album.calls % stride == 0 ? [all[album.calls / stride % all.count]] : []
        case nil: ways = isFirst || album.calls % 200 == 0 ? [all[album.images.count % all.count]] : []
        }
        for survival in ways {
            let number = album.images.count
            album.images.append(
                Image(
                    label: label,
                    disk: life.disk.powerCut(survival, seed: UInt64(number), piece: number % 2 == 0 ? 512 : 4096),
                    isCut: survival != .everything, promises: promises, histories: life.histories))
        }
    }

    /// Opens an image and compares it; of some, the opening is itself stopped before every call.
    private func reopen(_ image: Image, _ life: SimulatedLife, _ number: Int) throws {
        let again = SimulatedLife(after: life, image.disk, image.promises, seed: 1000 + UInt64(number))
        again.histories = image.histories
        for place in again.histories.indices { again.histories[place].promise = image.promises[place] }
        let album = Album()
        try Simulation.$current.withValue(again.simulation) {
            if number % 20 == 2 {
                again.onCall = { [unowned again] in
                    Self.take(again, "recovery of \(image.label): \($0.kind)", album)
                }
            }
            try again.reopen(cut: image.isCut, faulty: false)
            again.onCall = nil
            // It goes on.
            try again.write(0)
            try again.opened(0)?.shard.runDue()
            try again.check(0, searches: false)
            again.database?.close()
            again.database = nil
            try again.checkSeen()
        }
        for (second, inner) in album.images.enumerated() {
            let third = SimulatedLife(after: life, inner.disk, image.promises, seed: 9000 + UInt64(second))
            third.histories = image.histories
            for place in third.histories.indices { third.histories[place].promise = image.promises[place] }
            try Simulation.$current.withValue(third.simulation) {
                do { try third.reopen(cut: image.isCut || inner.isCut, faulty: false) } catch {
                    throw Violation(description: "\(inner.label), image \(second): \(error)")
                }
                third.database?.close()
                third.database = nil
            }
        }
    }

    /// What kind of file a call is about.
    private static func role(_ call: SimulatedFileSystem.Call) -> String {
        let path = call.target ?? call.path
        let name = lastPathComponent(path)
        if path.contains("/wal") { return name.hasPrefix("spare") ? "spare log file" : "log" }
        if path.contains("/del") { return "deletions" }
        if path.contains("/seg") { return "segment \(name.prefix { $0 != "-" && $0 != "." && !$0.isNumber })" }
        for prefix in ["MANIFEST", "CATALOG", "SUPER", "LOCK"] where name.hasPrefix(prefix) {
            return prefix + (name.hasSuffix(".tmp") ? " temporary" : "")
        }
        return path.split(separator: "/").count <= 2 ? path : "collection folder"
    }
}
