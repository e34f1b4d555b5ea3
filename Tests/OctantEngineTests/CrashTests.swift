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

/// What each point may be after a crash: what the last acknowledged write left, or what a later write, whose answer was
/// an error, may have left.
struct PossibleStates {
    private var states: [PointID: [Int64?]] = [:]

    mutating func apply(_ changes: [(id: PointID, value: Int64?)], acknowledged: Bool) {
        for change in changes {
            if acknowledged {
                states[change.id] = [change.value]
            } else {
                states[change.id, default: [nil]].append(change.value)
            }
        }
    }

    /// Checks a collection: values in payload and vector, and nothing that was never written.
    func check(_ collection: Collection, _ note: String) throws {
        var found: [PointID: Int64] = [:]
        for record in try collection.retrieve(Array(states.keys), withVector: .all) {
            guard case .integer(let value)? = record.payload?.object["n"] else {
                Issue.record("\(note): \(record.id) lost its payload")
                continue
            }
            #expect(record.vectors?["a"] == .dense([Float(value), 1, 2, 3]), "\(note): \(record.id) is mixed")
            found[record.id] = value
        }
        for (id, values) in states { #expect(values.contains(found[id]), "\(note): \(id) is \(found[id] as Any)") }
        #expect(try collection.count() == found.count, "\(note)")
        let page = try collection.scroll(ScrollRequest(limit: 100_000))
        #expect(page.points.map(\.id) == found.keys.sorted(), "\(note)")
    }
}

/// One write of the workload: mostly upserts, some deletes.
func crashStep(_ step: Int, _ generator: inout SeededGenerator) -> (UpdateOperation, [(id: PointID, value: Int64?)]) {
    let ids = Set((0..<8).map { _ in PointID.number(UInt64.random(in: 0..<200, using: &generator)) }).sorted()
    if step % 4 == 3 { return (.delete(.ids(ids)), ids.map { ($0, nil) }) }
    let value = Int64(step)
    let points = ids.map {
        Point(
            id: $0, vectors: NamedVectors([.init(name: "a", vector: .dense([Float(value), 1, 2, 3]))]),
            payload: Payload(["n": .integer(value)]))
    }
    return (.upsert(points), ids.map { ($0, value) })
}

/// With the threads of a real database, on real files; every call and every moment are in `Simulation/`.
@Suite("Crashes and failing disks", .serialized)
struct CrashTests {
    @Test("whatever call fails, and however, acknowledged writes are there after reopening", arguments: [0, 1, 2, 3])
    func failAtEveryCall(kind: Int) throws {
        for number in stride(from: 1 + kind, to: 240, by: 13) {
            try run([.once(EIO), .always(ENOSPC), .forever(EIO), .short(ENOSPC)][kind], at: number)
        }
    }

    private func run(_ fault: FaultInjectingFileSystem.Fault, at number: Int) throws {
        let note = "fault \(fault) at call \(number)"
        let folder = TemporaryFolder()
        let files = FaultInjectingFileSystem(syncs: false)
        var states = PossibleStates()
        var generator = SeededGenerator(seed: UInt64(number))
        do {
            let database = try openQuiet(folder.path, files)
            try database.createCollection("c", tinyConfig())
            let collection = try database.collection("c")
            files.fail(nil, at: number, fault)
            for step in 0..<24 {
                let (operation, changes) = crashStep(step, &generator)
                do {
                    try collection.update(operation)
                    states.apply(changes, acknowledged: true)
                } catch {
                    states.apply(changes, acknowledged: false)
                    #expect(!error.message.isEmpty)
                }
                if step == 12 {
                    _ = try? collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
                }
            }
            try states.check(collection, "\(note), before closing")
            database.close()
        }
        files.reset()
        let database = try openQuiet(folder.path, files)
        try states.check(try database.collection("c"), note)
        try database.collection("c").update(crashStep(0, &generator).0)
        database.close()
    }

    @Test(
        "the image a kill leaves at any moment opens with every write acknowledged before",
        arguments: [1, 2] as [UInt64])
    func killImages(seed: UInt64) throws {
        let folder = TemporaryFolder()
        let files = PausableFileSystem()
        var states = PossibleStates()
        var generator = SeededGenerator(seed: seed)
        let database = try openQuiet(folder.path + "/data", files)
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        for step in 0..<160 {
            let (operation, changes) = crashStep(step, &generator)
            if step % 8 == 5 {
                // The write is under way while the image is taken: it may be there or not.
                let done = Monitor(false)
                var possible = states
                possible.apply(changes, acknowledged: false)
                collection.update(operation, wait: true) { _ in done.change { $0 = true } }
                for _ in 0..<Int.random(in: 0..<200, using: &generator) { sched_yield() }
                let image = "\(folder.path)/image-\(step)"
                try files.paused { try copyTree(folder.path + "/data", image) }
                done.wait { $0 ? () : nil }
                let copy = try openQuiet(image, FaultInjectingFileSystem(syncs: false))
                try possible.check(try copy.collection("c"), "seed \(seed), image at step \(step)")
                copy.close()
            } else {
                try collection.update(operation)
            }
            states.apply(changes, acknowledged: true)
        }
        database.close()
    }

    @Test("a full disk refuses upserts with its reason, lets deletes pass, and is noticed to be over")
    func diskFull() throws {
        let folder = TemporaryFolder()
        let files = FaultInjectingFileSystem(syncs: false)
        let database = try openQuiet(folder.path, files)
        defer { database.close() }
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        var generator = SeededGenerator(seed: 3)
        var states = PossibleStates()
        files.fail(.open, at: 1, .always(ENOSPC))
        var refused: OctantError?
        for step in 0..<400 where refused == nil {
            let (operation, changes) = crashStep(step * 4, &generator)
            do {
                try collection.update(operation)
                states.apply(changes, acknowledged: true)
            } catch {
                refused = error
                states.apply(changes, acknowledged: false)
            }
        }
        #expect(refused?.code == .insufficientStorage)
        #expect(refused?.message.contains("No space left on device") == true)
        #expect(collection.info().status == .red)
        let (deletion, changes) = crashStep(3, &generator)
        try collection.update(deletion)
        states.apply(changes, acknowledged: true)
        try states.check(collection, "while full")
        files.reset()
        let (operation, later) = crashStep(0, &generator)
        var accepted = false
        for _ in 0..<5000 where !accepted {
            accepted = (try? collection.update(operation)) != nil
            if !accepted { usleep(1000) }
        }
        #expect(accepted)
        if accepted { states.apply(later, acknowledged: true) }
        try states.check(collection, "after the disk had room again")
    }

    @Test("an append that finds no room refuses this write alone, and a delete takes the reserve")
    func logFull() throws {
        let folder = TemporaryFolder()
        let files = FaultInjectingFileSystem(syncs: false)
        let database = try openQuiet(folder.path, files)
        defer { database.close() }
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        files.fail(.allocate, at: 1, .always(ENOSPC))
        let text = JSONValue.string(String(repeating: "x", count: 300_000))
        var refused: OctantError?
        for number in 0..<20 where refused == nil {
            let point = Point(id: .number(UInt64(number)), vectors: NamedVectors(), payload: Payload(["x": text]))
            do { try collection.update(.upsert([point])) } catch { refused = error }
        }
        #expect(refused?.code == .insufficientStorage)
        let count = try collection.count()
        try collection.update(.delete(.ids([.number(0)])))
        #expect(try collection.count() == count - 1)
        files.reset()
        try collection.update(.upsert([Point(id: .number(99), vectors: NamedVectors())]))
        #expect(try collection.count() == count)
    }
}

/// As `openTiny`, without messages.
func openQuiet(_ path: String, _ fileSystem: any FileSystem) throws -> Database {
    var options = DatabaseOptions(path: path)
    options.searchThreads = 1
    options.optimizerThreads = 1
    return try Database.open(options, fileSystem: fileSystem, limits: tinyLimits())
}
