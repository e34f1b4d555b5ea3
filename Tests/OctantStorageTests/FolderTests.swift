import Testing

@testable import OctantStorage

@Suite("Data folder")
struct FolderTests {
    let system = LocalFileSystem()

    @Test("a second holder is refused with folder and pid, until the first lets go")
    func lock() throws {
        let folder = TemporaryFolder()
        let first = try FolderLock(directory: folder.path, fileSystem: system)
        let error = storageError { _ = try FolderLock(directory: folder.path, fileSystem: system) }
        #expect(error?.code == .locked)
        #expect(error?.message.contains(folder.path) == true)
        let pid = String(decoding: try folder.read("LOCK"), as: UTF8.self).prefix { $0 != " " }
        #expect(error?.message.contains("pid \(pid)") == true)
        first.release()
        _ = try FolderLock(directory: folder.path, fileSystem: system)
    }

    @Test("a superblock is created once and survives")
    func superblock() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/data"
        #expect(try SuperblockStore.inspect(directory: path, fileSystem: system) == .missing)
        var store = try SuperblockStore(openingOrCreating: path, fileSystem: system)
        let instance = store.current.instance
        try store.update { $0.compatible = 5 }
        let again = try SuperblockStore(openingOrCreating: path, fileSystem: system)
        #expect(again.current.instance == instance)
        #expect(again.current.compatible == 5)
        #expect(again.current.generation == 3)
    }

    @Test("one damaged slot is survived, two are reported")
    func superblockDamage() throws {
        let folder = TemporaryFolder()
        _ = try SuperblockStore(openingOrCreating: folder.path, fileSystem: system)
        for offset in 0..<64 {
            let copy = try folder.copy()
            for (index, slot) in ["SUPER-a", "SUPER-b"].enumerated() {
                var bytes = try copy.read(slot)
                bytes[offset] ^= 0x10
                try copy.write(slot, bytes)
                if index == 0 { _ = try SuperblockStore(openingOrCreating: copy.path, fileSystem: system) }
            }
            #expect(
                storageError { _ = try SuperblockStore(openingOrCreating: copy.path, fileSystem: system) }?.code
                    == .corrupt)
        }
    }

    @Test("newer formats, unknown features and foreign folders are refused without writing a byte")
    func refusal() throws {
        let changes: [(inout Superblock) -> Void] = [{ $0.major = 2 }, { $0.incompatible = 1 << 9 }]
        for change in changes {
            let folder = TemporaryFolder()
            var block = Superblock(instance: .random(), generation: 8)
            change(&block)
            try folder.write("SUPER-a", block.encoded())
            #expect(
                storageError { _ = try SuperblockStore(openingOrCreating: folder.path, fileSystem: system) }?.code
                    == .incompatible)
            #expect(try folder.names() == ["SUPER-a"])
            #expect(try folder.read("SUPER-a") == block.encoded())
        }
        let foreign = TemporaryFolder()
        try foreign.write("photo.jpg", [1])
        #expect(
            storageError { _ = try SuperblockStore(openingOrCreating: foreign.path, fileSystem: system) }?.code
                == .incompatible)
        #expect(try foreign.names() == ["photo.jpg"])
        let readOnly = TemporaryFolder()
        var block = Superblock(instance: .random(), generation: 8)
        block.readOnlyCompatible = 2
        try readOnly.write("SUPER-b", block.encoded())
        var store = try SuperblockStore(openingOrCreating: readOnly.path, fileSystem: system)
        #expect(store.readOnly)
        #expect(storageError { try store.update { $0.minor = 9 } }?.code == .incompatible)
    }

    @Test("the newest generation is loaded and two are kept")
    func generations() throws {
        let folder = TemporaryFolder()
        let owner = UUIDBytes.random()
        var store = GenerationStore(directory: folder.path, prefix: "MANIFEST", owner: owner, fileSystem: system)
        guard case .empty = try store.loadNewest() else { throw StorageError(.corrupt, "not empty") }
        for round in 1...5 {
            #expect(try store.publish([UInt8(round)]).number == UInt64(round))
            store = GenerationStore(directory: folder.path, prefix: "MANIFEST", owner: owner, fileSystem: system)
            guard case .newest(let found) = try store.loadNewest() else { throw StorageError(.corrupt, "not newest") }
            #expect(found.body == [UInt8(round)])
        }
        #expect(try folder.names().count == 2)
        let stranger = GenerationStore(
            directory: folder.path, prefix: "MANIFEST", owner: .random(), fileSystem: system)
        #expect(storageError { _ = try stranger.loadNewest() }?.code == .corrupt)
    }

    @Test("every flip and every cut of the newest generation falls back, deletes nothing, and blocks publishing")
    func generationDamage() throws {
        let folder = TemporaryFolder()
        let store = GenerationStore(directory: folder.path, prefix: "M", fileSystem: system)
        _ = try store.loadNewest()
        for round in 1...3 { _ = try store.publish([UInt8](repeating: UInt8(round), count: 20)) }
        let name = "M-" + hexName(3)
        let good = try folder.read(name)
        var damaged: [[UInt8]] = (0..<good.count).map { Array(good[..<$0]) }
        damaged += (0..<(good.count * 8)).map { bit in
            var bytes = good
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            return bytes
        }
        damaged.append(good + [0])
        for bytes in damaged {
            try folder.write(name, bytes)
            let again = GenerationStore(directory: folder.path, prefix: "M", fileSystem: system)
            guard case .fallback(let found, let errors) = try again.loadNewest() else {
                Issue.record("damage not seen")
                return
            }
            #expect(found.number == 2)
            #expect(errors.first?.message.contains(name) == true)
            #expect(storageError { _ = try again.publish([]) }?.code == .corrupt)
        }
        #expect(try folder.names().count == 2)
        let last = GenerationStore(directory: folder.path, prefix: "M", fileSystem: system)
        _ = try last.loadNewest()
        try last.acceptFallback()
        #expect(try last.publish([9]).number == 4)
        guard case .newest(let found) = try last.loadNewest() else { throw StorageError(.corrupt, "not newest") }
        #expect(found.body == [9])
    }

    @Test("an exchanged predecessor is noticed")
    func exchanged() throws {
        let folder = TemporaryFolder()
        let other = TemporaryFolder()
        for (place, body) in [(folder, UInt8(1)), (other, UInt8(2))] {
            let store = GenerationStore(directory: place.path, prefix: "M", fileSystem: system)
            _ = try store.loadNewest()
            for _ in 0..<2 { _ = try store.publish([body]) }
        }
        try folder.write("M-" + hexName(1), try other.read("M-" + hexName(1)))
        let store = GenerationStore(directory: folder.path, prefix: "M", fileSystem: system)
        #expect(storageError { _ = try store.loadNewest() }?.code == .corrupt)
    }

    @Test("a publication that fails at any call leaves the old or the new generation")
    func publishFaults() throws {
        for call in 1...20 {
            for fault in [FaultInjectingFileSystem.Fault.once(28), .forever(5), .short(28)] {
                let folder = TemporaryFolder()
                let faulty = FaultInjectingFileSystem(system)
                let store = GenerationStore(directory: folder.path, prefix: "M", fileSystem: faulty)
                _ = try store.loadNewest()
                for round in 1...3 { _ = try store.publish([UInt8(round)]) }
                faulty.fail(nil, at: call, fault)
                let published = (try? store.publish([4])) != nil
                let fired = faulty.fired
                faulty.reset()
                if !published, store.failure == nil { #expect(try store.publish([4]).number == 4) }
                let again = GenerationStore(directory: folder.path, prefix: "M", fileSystem: system)
                guard case .newest(let found) = try again.loadNewest() else {
                    Issue.record("call \(call): nothing to load")
                    continue
                }
                #expect(found.body == [4] || (!published && found.body == [3]))
                if !fired { return }
            }
        }
    }
}

@Suite("Memory of the machine")
struct MachineMemoryTests {
    private func limit(_ files: [(String, String)]) throws -> Int? {
        let folder = TemporaryFolder()
        for (path, text) in files {
            let parts = path.split(separator: "/")
            try LocalFileSystem().makeDirectories(folder.path + "/" + parts.dropLast().joined(separator: "/"))
            try folder.write(path, Array(text.utf8))
        }
        return MachineMemory.limit(root: folder.path)
    }

    @Test("is what the machine has, or less where a control group allows less")
    func limits() throws {
        let machine = ("proc/meminfo", "MemTotal:       1000 kB\nMemFree: 5 kB\n")
        #expect(try limit([]) == nil)
        #expect(try limit([machine]) == 1_024_000)
        let second = ("proc/self/cgroup", "0::/a/b\n")
        #expect(try limit([machine, second, ("sys/fs/cgroup/a/b/memory.max", "max\n")]) == 1_024_000)
        #expect(try limit([machine, second, ("sys/fs/cgroup/a/memory.max", "4096\n")]) == 4096)
        let both = [("sys/fs/cgroup/memory.max", "9000\n"), ("sys/fs/cgroup/a/b/memory.max", "8000\n")]
        #expect(try limit([machine, second] + both) == 8000)
        let first = ("proc/self/cgroup", "5:cpu:/x\n4:memory,hugetlb:/a\n")
        #expect(try limit([machine, first, ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "512000\n")]) == 512_000)
        #expect(
            try limit([machine, first, ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n")])
                == 1_024_000)
        #expect((MachineMemory.limit() ?? 1 << 20) >= 1 << 20)
    }
}
