import OctantModel
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A small generator with a fixed seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

func floats(_ text: String) throws(OctantError) -> [Float] {
    try JSONReader.read(Array(text.utf8)) { (reader) throws(OctantError) in try reader.readFloats() }
}

func payload(_ text: String) throws(OctantError) -> Payload {
    try JSONReader.read(Array(text.utf8)) { (reader) throws(OctantError) in
        var builder = PayloadBuilder()
        return try reader.readPayload(&builder)
    }
}

@Suite struct JSONReaderTests {
    @Test("Floats are the nearest ones to random decimal texts, bit for bit")
    func randomFloats() throws {
        var generator = SeededGenerator(state: 7)
        for round in 0..<400 {
            var texts: [String] = []
            for _ in 0..<50 {
                switch Int.random(in: 0..<6, using: &generator) {
                case 0: texts.append(Double.random(in: -1...1, using: &generator).description)
                case 1: texts.append(Float.random(in: -1...1, using: &generator).description)
                case 2:
                    let bits = Float(bitPattern: UInt32.random(in: 0..<0x7F80_0000, using: &generator))
                    texts.append(bits.description)
                case 3:
                    // A half-way case and its neighbours: the exact decimal of a double between two floats.
                    let low = Float.random(in: 0.001...8, using: &generator)
                    let middle = (Double(low) + Double(low.nextUp)) / 2
                    texts.append(
                        [middle, middle.nextUp, middle.nextDown].randomElement(using: &generator)!.description)
                case 4:
                    let digits = (0..<Int.random(in: 1...24, using: &generator)).map { _ in
                        String(Int.random(in: 0...9, using: &generator))
                    }.joined()
                    texts.append(
                        "\(Int.random(in: -9...9, using: &generator)).\(digits)e\(Int.random(in: -30...30, using: &generator))"
                    )
                default:
                    texts.append(String(Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &generator)))
                }
            }
            let read = try floats("[" + texts.joined(separator: round % 2 == 0 ? ", " : ",") + "]")
            #expect(read.count == texts.count)
            for (text, value) in zip(texts, read) {
                #expect(value.bitPattern == strtof(text, nil).bitPattern, "\(text)")
            }
        }
    }

    @Test(
        "Hard floats are read as the C library reads them",
        arguments: [
            "0", "-0", "-0.0", "0.0", "1", "1e0", "1E+2", "1.17549435e-38", "1e-45", "7.0e-46", "1e-400",
            "3.4028234663852886e38", "16777217", "16777217.0000000001", "16777216.9999999999", "0.1", "33554433",
            "5e-324", "9007199254740993", "123456789012345678901234567890", "0.000000000000000000000000000001",
            "1.00000005960464477539062500000", "1.00000005960464477539062500001", "1.17549429e-38",
        ])
    func hardFloats(text: String) throws {
        let value = try floats("[\(text)]")
        #expect(value.first?.bitPattern == strtof(text, nil).bitPattern)
    }

    @Test("Floats beyond the finite ones are refused", arguments: ["1e39", "1e400", "-1e400", "3.5e38", "1e999999999"])
    func overflowingFloats(text: String) {
        #expect(throws: OctantError.self) { try floats("[\(text)]") }
    }

    @Test("A vector may be wider or narrower than the one before it")
    func vectorsOfOtherWidth() throws {
        let read = try JSONReader.read(Array("[[1,2,3],[1],[1,2,3,4,5],[],[6]]".utf8)) { (reader) throws(OctantError) in
            var first = true
            var all: [[Float]] = []
            try reader.beginArray()
            while try reader.nextElement(&first) { all.append(try reader.readFloats()) }
            return all
        }
        #expect(read == [[1, 2, 3], [1], [1, 2, 3, 4, 5], [], [6]])
    }

    @Test("Integers of 64 bits stay exact")
    func integers() throws {
        #expect(try JSONParser.parse("9223372036854775807") == .integer(.max))
        #expect(try JSONParser.parse("-9223372036854775808") == .integer(.min))
        #expect(try JSONParser.parse("9223372036854775808") == .unsigned(1 << 63))
        #expect(try JSONParser.parse("18446744073709551615") == .unsigned(.max))
        #expect(try JSONParser.parse("18446744073709551616") == .double(18446744073709551616))
        #expect(try JSONParser.parse("-9223372036854775809") == .double(-9223372036854775808))
        #expect(try JSONParser.parse("-0") == .double(-0.0))
        #expect(try JSONParser.parse("0") == .integer(0))
    }

    @Test("Doubles are the nearest ones to random texts")
    func randomDoubles() throws {
        var generator = SeededGenerator(state: 11)
        for _ in 0..<20_000 {
            let bits = Double(bitPattern: UInt64.random(in: 0..<0x7FF0_0000_0000_0000, using: &generator))
            let value = Bool.random(using: &generator) ? bits : Double.random(in: -1000...1000, using: &generator)
            guard case .double(let read) = try JSONParser.parse(value.description) else {
                Issue.record("\(value) is not read as a double")
                continue
            }
            #expect(read.bitPattern == value.bitPattern)
        }
    }

    @Test("Strings resolve their escapes")
    func strings() throws {
        #expect(
            try JSONParser.parse(#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z""#) == .string("a\"\\/\u{8}\u{C}\n\r\té😀z"))
        #expect(
            try JSONParser.parse("\"héllo wörld, longer than eight bytes 😀\"")
                == .string("héllo wörld, longer than eight bytes 😀"))
        #expect(throws: OctantError.self) { try JSONParser.parse(#""\ud83d""#) }
        #expect(throws: OctantError.self) { try JSONParser.parse(#""\ude00""#) }
        #expect(throws: OctantError.self) { try JSONParser.parse("\"a\u{1}b\"") }
        #expect(throws: OctantError.self) { try JSONParser.parse([0x22, 0xC3, 0x28, 0x22]) }
    }

    @Test("Of equal keys the last wins, in trees and payloads")
    func duplicateKeys() throws {
        let text = #"{"a":1,"b":{"c":1,"c":2},"a":3,"\u0061":4}"#
        let expected: JSONObject = ["a": .integer(4), "b": .object(["c": .integer(2)])]
        #expect(try JSONParser.parse(text) == .object(expected))
        #expect(try payload(text).object == expected)
        #expect(
            try payload(#"{"a":1,"b":{"c":1,"c":2}}"#).object == ["a": .integer(1), "b": .object(["c": .integer(2)])])
    }

    @Test("A payload read directly equals one built from a tree")
    func payloads() throws {
        let many = "{" + (0..<100).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        for text in [
            "{}", "null", #"{"a":null}"#, #"{"a":[1,-2,3.5,"x",true,false,null,{}],"b":{"c":{"d":[[]]}},"é":"ü"}"#,
            many,
            #"{"big":18446744073709551615,"neg":-5,"esc":"\n"}"#,
        ] {
            let direct = try payload(text)
            let tree = try JSONParser.parse(text)
            if case .object(let object) = tree {
                #expect(direct.bytes == Payload(object).bytes)
            } else {
                #expect(direct == .empty)
            }
        }
    }

    @Test("Malformed texts are refused with line and column")
    func malformed() {
        let cases: [(String, String)] = [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("{", "EOF while parsing an object at line 1 column 2"),
            ("[1,]", "trailing comma at line 1 column 4"), ("{\n\"a\" 1}", "expected `:` at line 2 column 5"),
            ("[1 2]", "expected `,` or `]` at line 1 column 4"), ("1 x", "trailing characters at line 1 column 3"),
            ("01", "invalid number at line 1 column 2"), ("1.", "EOF while parsing a value at line 1 column 3"),
            ("nul", "expected ident at line 1 column 1"), ("1e400", "number out of range at line 1 column 1"),
            ("{1:2}", "key must be a string at line 1 column 2"), ("NaN", "expected value at line 1 column 1"),
        ]
        for (text, message) in cases {
            #expect(throws: OctantError(.format, "Format error in JSON body: " + message)) {
                try JSONParser.parse(text)
            }
        }
    }

    @Test("Nesting beyond the limit is refused, not followed")
    func depth() throws {
        let deepest = Limits.jsonDepthMax
        _ = try JSONParser.parse(String(repeating: "[", count: deepest) + String(repeating: "]", count: deepest))
        #expect(throws: OctantError.self) { try JSONParser.parse(String(repeating: "[", count: deepest + 1)) }
        #expect(throws: OctantError.self) { try JSONParser.parse(String(repeating: #"{"a":"#, count: 100_000)) }
        #expect(throws: OctantError.self) { try payload(String(repeating: #"{"a":"#, count: 100_000)) }
    }

    @Test("No truncation and no damage of a text stops the process")
    func damage() throws {
        let text = Array(
            #"{"points":[{"id":1,"vector":[0.1,-2.5e-3,123456789012345678901],"payload":{"a":"x\u00e9\n","b":[true,null]}}]}"#
                .utf8)
        for count in 0..<text.count {
            #expect(throws: OctantError.self) { try JSONParser.parse(Array(text[..<count])) }
            #expect(throws: OctantError.self) { try PointsJSON.upsert(Array(text[..<count])) }
        }
        var generator = SeededGenerator(state: 3)
        for _ in 0..<20_000 {
            var damaged = text
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            _ = try? JSONParser.parse(damaged)
            _ = try? PointsJSON.upsert(damaged)
            _ = try? floats(String(decoding: damaged, as: UTF8.self))
        }
        for _ in 0..<20_000 {
            let alphabet = Array(#"{}[]",:0123456789.eE-+truefalsn\u "#.utf8)
            let soup = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator)!
            }
            _ = try? JSONParser.parse(soup)
            _ = try? PointsJSON.upsert(soup)
        }
    }

    @Test("What is written reads back equal")
    func writing() throws {
        let value = try JSONParser.parse(
            #"{"a":[1,2.0,-3.5e-7,1e300,"q\"\\\n\u0001é",null,true,false,{}],"u":18446744073709551615,"e":[],"":0}"#)
        #expect(try JSONParser.parse(value.text) == value)
        var writer = JSONWriter()
        if case .object(let object) = value { writer.value(Payload(object)) }
        #expect(try JSONParser.parse(writer.bytes) == value)
        var floats = JSONWriter()
        floats.value([1, 0.1, -2.5, 1e-20, 16_777_216] as [Float])
        #expect(String(decoding: floats.bytes, as: UTF8.self) == "[1.0,0.1,-2.5,1e-20,16777216.0]")
    }
}
