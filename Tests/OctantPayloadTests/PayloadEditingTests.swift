import OctantModel
import Testing

@testable import OctantPayload

@Suite struct PayloadEditingTests {
    private let base = Payload([
        "a": .integer(1),
        "o": .object(["x": .integer(1), "y": .object(["z": .string("deep"), "n": .null])]),
        "l": .array([.object(["x": .integer(1), "y": .integer(2)]), .integer(7), .object(["x": .integer(3)])]),
    ])

    private func set(_ merge: JSONObject, _ key: String?) throws -> JSONObject {
        PayloadEditing.setting(base, merge: merge, at: try key.map { try PayloadPath($0) }).object
    }

    private func expected(_ change: (inout JSONObject) -> Void) -> JSONObject {
        var object = base.object
        change(&object)
        return object
    }

    @Test("setting merges at the top, and a null removes its key")
    func top() throws {
        #expect(
            try set(["a": .null, "o": .integer(5), "new": .bool(true), "absent": .null], nil)
                == expected {
                    $0["a"] = nil; $0["o"] = .integer(5); $0["new"] = .bool(true)
                })
        #expect(PayloadEditing.setting(.empty, merge: ["k": .array([.null])]).object == ["k": .array([.null])])
        #expect(PayloadEditing.setting(Payload(["k": .integer(1)]), merge: ["k": .null]) == .empty)
        var many = JSONObject((0..<5000).map { ("k\($0)", .integer(Int64($0))) })
        #expect(PayloadEditing.setting(.empty, merge: many).object.count == 5000)
        many = JSONObject((0..<5000).map { ("k\($0)", .null) })
        #expect(PayloadEditing.setting(base, merge: many) == base)
    }

    @Test("setting at a key merges deeper and makes objects on the way")
    func nested() throws {
        #expect(
            try set(["x": .null, "w": .integer(9)], "o.y")
                == expected {
                    $0["o"] = .object([
                        "x": .integer(1), "y": .object(["z": .string("deep"), "n": .null, "w": .integer(9)]),
                    ])
                })
        #expect(
            try set(["k": .integer(1)], "p.q.r")
                == expected { $0["p"] = .object(["q": .object(["r": .object(["k": .integer(1)])])]) })
        #expect(try set(["k": .integer(1)], "a") == expected { $0["a"] = .object(["k": .integer(1)]) })
        #expect(
            try set(["k": .integer(1)], "a.b")
                == expected { $0["a"] = .object(["b": .object(["k": .integer(1)])]) })
    }

    @Test("setting reaches elements of arrays only where they exist")
    func elements() throws {
        let one: JSONObject = ["x": .integer(8)]
        #expect(
            try set(one, "l[0]")
                == expected {
                    $0["l"] = .array([
                        .object(["x": .integer(8), "y": .integer(2)]), .integer(7), .object(["x": .integer(3)]),
                    ])
                })
        #expect(
            try set(one, "l[]")
                == expected {
                    $0["l"] = .array([
                        .object(["x": .integer(8), "y": .integer(2)]), .object(one), .object(one),
                    ])
                })
        #expect(try set(one, "l[3]") == base.object)
        for key in ["absent[0]", "absent[]"] {
            #expect(try set(one, key) == expected { $0["absent"] = .array([]) }, "\(key)")
        }
        #expect(try set(one, "a[0]") == expected { $0["a"] = .array([]) })
    }

    @Test("deleting removes values at paths, and empties an array for []")
    func delete() throws {
        func delete(_ keys: String...) throws -> JSONObject {
            PayloadEditing.deleting(base, paths: try keys.map { try PayloadPath($0) }).object
        }
        #expect(try delete("a", "absent", "a.b", "l[0]", "l[9].x", "o[]") == expected { $0["a"] = nil })
        #expect(try delete("l[]") == expected { $0["l"] = .array([]) })
        #expect(
            try delete("l[].x")
                == expected { $0["l"] = .array([.object(["y": .integer(2)]), .integer(7), .object([:])]) })
        #expect(
            try delete("l[0].x")
                == expected {
                    $0["l"] = .array([.object(["y": .integer(2)]), .integer(7), .object(["x": .integer(3)])])
                })
        #expect(
            try delete("o.y", "a")
                == expected {
                    $0["o"] = .object(["x": .integer(1)]); $0["a"] = nil
                })
        #expect(try delete("a", "o", "l").isEmpty)
    }

    @Test("selecting keeps or leaves out the values at paths")
    func select() throws {
        func include(_ keys: String...) throws -> JSONObject {
            PayloadEditing.selecting(base, .include(try keys.map { try PayloadPath($0) })).object
        }
        func exclude(_ keys: String...) throws -> JSONObject {
            PayloadEditing.selecting(base, .exclude(try keys.map { try PayloadPath($0) })).object
        }
        #expect(PayloadEditing.selecting(base, .none).isEmpty)
        #expect(PayloadEditing.selecting(base, .all) == base)
        #expect(try include().isEmpty)
        #expect(try exclude() == base.object)
        #expect(try include("a", "absent") == ["a": .integer(1)])
        #expect(try include("o.x") == ["o": .object(["x": .integer(1)])])
        #expect(try include("o", "o.x") == ["o": base.object["o"] ?? .null])
        #expect(try include("o.y.z", "a") == ["a": .integer(1), "o": .object(["y": .object(["z": .string("deep")])])])
        #expect(
            try include("l[].x")
                == ["l": .array([.object(["x": .integer(1)]), .integer(7), .object(["x": .integer(3)])])])
        #expect(try include("l[2]") == ["l": .array([.object(["x": .integer(3)])])])
        #expect(try exclude("a", "l") == ["o": base.object["o"] ?? .null])
        #expect(
            try exclude("o.y.n", "o.x", "l[].x")
                == expected {
                    $0["o"] = .object(["y": .object(["z": .string("deep")])])
                    $0["l"] = .array([.object(["y": .integer(2)]), .integer(7), .object([:])])
                })
        #expect(try exclude("l[]") == expected { $0["l"] = .array([]) })
        let selected = PayloadEditing.selecting(.empty, .include([try PayloadPath("a")]))
        #expect(selected == .empty)
    }

    @Test("damaged payloads can be edited without a trap", arguments: 0..<4)
    func damage(_ seed: UInt64) throws {
        var source = RandomFilters(seed: seed)
        for _ in 0..<300 {
            var bytes = source.payload().bytes
            guard !bytes.isEmpty else { continue }
            let place = Int.random(in: bytes.indices, using: &source.random)
            bytes[place] = .random(in: 0...255, using: &source.random)
            let payload = Payload(bytes: bytes)
            let key = source.pick(source.keys)
            _ = PayloadEditing.setting(payload, merge: ["x": .integer(1)], at: key).object
            _ = PayloadEditing.deleting(payload, paths: source.keys).object
            _ = PayloadEditing.selecting(payload, .include([key])).object
            _ = PayloadEditing.selecting(payload, .exclude([key])).object
        }
    }
}
