import OctantStorage
import Testing

@Suite("The simulated disk")
struct SimulatedFileSystemTests {
    /// A disk with the folders `/a` and `/b`, all of it synced but the last step: `/a/x`, which holds 1, is moved to `/b`.
    private func movedFile() throws -> SimulatedFileSystem {
        let system = SimulatedFileSystem()
        for folder in ["/a", "/b"] { try system.makeDirectories(folder) }
        try system.syncDirectory("/")
        try write([1], to: "/a/x", in: system)
        try system.syncDirectory("/a")
        try system.rename("/a/x", to: "/b/x")
        return system
    }

    private func write(_ bytes: [UInt8], to path: String, in system: SimulatedFileSystem) throws {
        let file = try system.open(path, .create)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        try file.sync()
        file.close()
    }

    @Test("a name that was synced stays, whatever becomes of an older file's move away from it")
    func movedAndMadeAgain() throws {
        let system = try movedFile()
        try write([2], to: "/a/x", in: system)
        try system.syncDirectory("/a")
        var moved = Set<Bool>()
        for seed in 0..<20 as Range<UInt64> {
            let found = system.powerCut(.random, seed: seed)
            #expect(found.content(of: "/a/x") == [2], "seed \(seed)")
            moved.insert(found.content(of: "/b/x") == [1])
        }
        #expect(moved == [true, false], "the move itself was not synced")
    }

    @Test("a move that was not synced leaves the old name, the new one or, if a cut comes between two, never both")
    func moved() throws {
        let system = try movedFile()
        for seed in 0..<20 as Range<UInt64> {
            let found = system.powerCut(.random, seed: seed)
            #expect((found.content(of: "/a/x") == nil) != (found.content(of: "/b/x") == nil), "seed \(seed)")
        }
    }
}
