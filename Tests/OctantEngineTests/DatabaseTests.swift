import Octant
import OctantModel
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A folder that is removed when the test ends.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/octant-test-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return "/tmp/octant-test" }
            return String(cString: made)
        }
    }

    deinit {
        removeTree(path)
    }

    private func removeTree(_ path: String) {
        guard let folder = opendir(path) else {
            unlink(path)
            return
        }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { removeTree(path + "/" + name) }
        }
        closedir(folder)
        rmdir(path)
    }
}

/// A generator with a seed, so that a failing test can be run again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

func randomVector(_ dimension: Int, _ generator: inout SeededGenerator) -> [Float] {
    (0..<dimension).map { _ in Float.random(in: -1...1, using: &generator) }
}

func plainConfig(_ dimension: Int, _ distance: Distance = .cosine) -> CollectionConfig {
    CollectionConfig(params: CollectionParams(vectors: .single(VectorParams(size: dimension, distance: distance))))
}

@Suite("Database")
struct DatabaseTests {
    @Test("points survive closing and opening again")
    func reopen() throws {
        let folder = TemporaryFolder()
        var generator = SeededGenerator(seed: 1)
        let vectors = (0..<500).map { _ in randomVector(8, &generator) }
        do {
            let database = try Database.open(DatabaseOptions(path: folder.path))
            try database.createCollection("c", plainConfig(8, .dot))
            let collection = try database.collection("c")
            let points = vectors.enumerated().map { number, vector in
                Point(
                    id: .number(UInt64(number)), vectors: NamedVectors(.dense(vector)),
                    payload: Payload(["n": .integer(Int64(number))]))
            }
            try collection.update(.upsert(points))
            try collection.update(.delete(.ids([.number(3)])))
            try collection.update(.setPayload(["x": .string("y")], .ids([.number(4)]), key: nil))
            database.close()
        }
        let database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        let collection = try database.collection("c")
        #expect(try collection.count() == 499)
        let records = try collection.retrieve([.number(3), .number(4), .number(5)], withVector: .all)
        #expect(records.map(\.id) == [.number(4), .number(5)])
        #expect(records[0].payload?.object == ["n": .integer(4), "x": .string("y")])
        #expect(records[1].vectors?[""] == .dense(vectors[5]))
    }

    @Test("search equals brute force before and after indexing, for every distance", arguments: Distance.allCases)
    func search(_ distance: Distance) throws {
        let folder = TemporaryFolder()
        var generator = SeededGenerator(seed: 2)
        let database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        var config = plainConfig(16, distance)
        config.optimizer.indexingThreshold = 20
        try database.createCollection("c", config)
        let collection = try database.collection("c")
        let vectors = (0..<3000).map { _ in randomVector(16, &generator) }
        for start in stride(from: 0, to: vectors.count, by: 250) {
            let points = (start..<start + 250).map {
                Point(id: .number(UInt64($0)), vectors: NamedVectors(.dense(vectors[$0])))
            }
            try collection.update(.upsert(points))
        }
        try collection.update(.delete(.ids((0..<100).map { .number(UInt64($0 * 7)) })))
        let alive = (0..<3000).filter { $0 % 7 != 0 || $0 >= 700 }
        for round in 0..<2 {
            for _ in 0..<20 {
                let query = randomVector(16, &generator)
                let expected = alive.map { (id: $0, score: reference(distance, query, vectors[$0])) }
                    .sorted { distance.largerIsBetter ? $0.score > $1.score : $0.score < $1.score }.prefix(10)
                let found = try collection.query(
                    QueryRequest(
                        query: .nearest(.vector(.dense(query))), params: SearchParams(exact: true), limit: 10))
                #expect(found.count == 10)
                for (hit, want) in zip(found, expected) { #expect(abs(hit.score - want.score) < 1e-4) }
                if round == 1 {
                    let walked = try collection.query(
                        QueryRequest(
                            query: .nearest(.vector(.dense(query))), params: SearchParams(hnswEF: 200), limit: 10))
                    let ids = Set(walked.map(\.id))
                    #expect(expected.count { ids.contains(.number(UInt64($0.id))) } >= 9)
                }
            }
            while collection.info().status != .green { usleep(1000) }
        }
        #expect(collection.info().indexedVectorsCount > 0)
        #expect(collection.info().pointsCount == 2900)
    }

    private func reference(_ distance: Distance, _ a: [Float], _ b: [Float]) -> Float {
        let dot = zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        switch distance {
        case .dot: return Float(dot)
        case .cosine:
            let lengths = [a, b].map { $0.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }
            return Float(dot / (lengths[0] * lengths[1]))
        case .euclid: return Float(zip(a, b).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }.squareRoot())
        case .manhattan: return zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) }
        }
    }
}
