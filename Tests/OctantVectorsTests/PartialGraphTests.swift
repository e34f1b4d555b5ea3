import OctantModel
import Synchronization
import Testing

@testable import OctantVectors

@Suite("Graphs that were built in part")
struct PartialGraphTests {
    private func load(_ bytes: [UInt8]) throws -> HNSWGraph {
        let region = try HugeRegion(byteCount: max(1, bytes.count))
        bytes.withUnsafeBytes { if let p = $0.baseAddress { region.base.copyMemory(from: p, byteCount: $0.count) } }
        return try HNSWGraph(bytes: UnsafeRawBufferPointer(start: region.base, count: bytes.count), owner: region)
    }

    /// The graph as it is when at least `rows` were inserted and the build is stopped.
    private func part(
        _ source: HNSWBuilder.Source, _ parameters: HNSWParameters, rows: Int, threads: Int
    ) throws -> (bytes: [UInt8], rows: Int) {
        let builder = try HNSWBuilder(parameters: parameters, count: source.count)
        let asked = Atomic<Int>(0)
        do {
            try builder.build(
                source: source, threads: threads,
                isPresent: { _ in
                    asked.add(1, ordering: .relaxed)
                    return true
                }, isCancelled: { asked.load(ordering: .relaxed) >= rows })
            Issue.record("it was not stopped")
        } catch {
            #expect(error == .cancelled)
        }
        #expect(builder.frontier == asked.load(ordering: .relaxed))
        var bytes: [UInt8] = []
        builder.serialize(first: builder.frontier) { bytes += $0 }
        #expect(bytes.count == builder.byteCount(first: builder.frontier))
        return (bytes, builder.frontier)
    }

    /// Goes on with it; how many rows were inserted.
    private func finish(
        _ part: HNSWGraph, _ source: HNSWBuilder.Source, _ parameters: HNSWParameters, threads: Int
    ) throws -> (graph: HNSWGraph, inserted: Int) {
        let builder = try HNSWBuilder(parameters: parameters, count: source.count)
        let asked = Atomic<Int>(0)
        builder.adopt(part)
        try builder.build(
            source: source, threads: threads,
            isPresent: { _ in
                asked.add(1, ordering: .relaxed)
                return true
            })
        return (try builder.makeGraph(), asked.load(ordering: .relaxed))
    }

    @Test("one thread comes to the same graph, wherever it was stopped, and inserts only the rest")
    func oneThread() throws {
        let data = TestRows(count: 1500, dimension: 16, distance: .cosine, seed: 91)
        let source = HNSWBuilder.Source.rows(data.rows, .cosine)
        let parameters = HNSWParameters(m: 5, efConstruct: 24)
        let whole = try buildGraph(source, parameters)
        for rows in [1, 64, 65, 640, 1407, 1408] {
            let (bytes, count) = try part(source, parameters, rows: rows, threads: 1)
            #expect(count >= rows && count < rows + 64)
            let graph = try load(bytes)
            #expect(graph.count == count)
            let (finished, inserted) = try finish(graph, source, parameters, threads: 1)
            #expect(inserted == 1500 - count)
            #expect(finished.bytes.elementsEqual(whole.bytes), "stopped at \(count)")
        }
    }

    @Test("several threads leave no link beyond what was inserted, and the recall of the whole is as good")
    func threads() throws {
        let data = TestRows(count: 3050, dimension: 24, distance: .euclid, seed: 92)
        let rows = data.slice(0..<3000)
        let source = HNSWBuilder.Source.rows(rows, .euclid)
        let fresh = try buildGraph(source, threads: 3)
        for stop in [200, 1500, 2700] {
            let (bytes, count) = try part(source, .init(), rows: stop, threads: 3)
            #expect(count >= stop && count <= stop + 3 * 16)
            // Every link is looked at.
            let (resumed, inserted) = try finish(try load(bytes), source, .init(), threads: 3)
            #expect(inserted == 3000 - count)
            var sums = [0.0, 0.0]
            for (place, graph) in [resumed, fresh].enumerated() {
                let index = DenseIndex(distance: .euclid, rows: rows, codes: nil, graph: graph, owner: data)
                for q in 0..<50 {
                    let query = UnsafePointer(data.base + (3000 + q) * 24)
                    sums[place] += recall(
                        index.search(query: query, options: .init(limit: 10, ef: 40)),
                        slowSearch(.euclid, rows, query, 10))
                }
            }
            #expect(sums[0] / 50 >= 0.95 && sums[0] >= sums[1] - 1, "stopped at \(count): \(sums)")
        }
    }

    @Test("a graph of other rows, parameters or lengths is not taken over")
    func foreign() throws {
        let data = TestRows(count: 900, dimension: 8, distance: .dot, seed: 93)
        let source = HNSWBuilder.Source.rows(data.rows, .dot)
        let parameters = HNSWParameters(m: 4, efConstruct: 16)
        let (bytes, count) = try part(source, parameters, rows: 400, threads: 1)
        for other in [HNSWParameters(m: 5, efConstruct: 16), HNSWParameters(m: 4, efConstruct: 16, seed: 7)] {
            #expect(try HNSWBuilder(parameters: other, count: 900).adopt(try load(bytes)) == 0)
        }
        #expect(try HNSWBuilder(parameters: parameters, count: count - 1).adopt(try load(bytes)) == 0)
        // More lists of upper levels than its rows have would be links of rows that are not inserted.
        let lists = bytes[36]
        var long = bytes
        long[36] = lists + 1
        long += [UInt8](repeating: 7, count: 128)
        #expect(try HNSWBuilder(parameters: parameters, count: 900).adopt(try load(long)) == 0)
        let builder = try HNSWBuilder(parameters: parameters, count: 900)
        #expect(builder.adopt(try load(bytes)) == count && builder.frontier == count)
    }

    @Test("damage is refused, or stays within the graph")
    func damage() throws {
        let data = TestRows(count: 700, dimension: 8, distance: .dot, seed: 94)
        let source = HNSWBuilder.Source.rows(data.rows, .dot)
        let parameters = HNSWParameters(m: 4, efConstruct: 16)
        let (bytes, _) = try part(source, parameters, rows: 320, threads: 1)
        var random = TestRandom(seed: 95)
        var taken = 0
        for _ in 0..<300 {
            var bad = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bad[Int.random(in: 0..<bad.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Int.random(in: 0..<5, using: &random) == 0 { bad.removeLast(Int.random(in: 1..<200, using: &random)) }
            guard let graph = try? load(bad) else { continue }
            let builder = try HNSWBuilder(parameters: parameters, count: 700)
            if builder.adopt(graph) > 0 { taken += 1 }
            try builder.build(source: source)
            try builder.makeGraph().validate()
        }
        #expect(taken > 0)
    }
}
