import Testing

@testable import OctantStorage

@Suite("SHA-256")
struct SHA256Tests {
    private static func text(_ bytes: [UInt8], portable: Bool = false) -> String {
        var hash = SHA256(portable: portable)
        hash.update(bytes)
        return hash.text
    }

    @Test("the examples of FIPS 180-4 and its companion", arguments: [false, true])
    func published(portable: Bool) {
        let examples: [(String, String)] = [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
                    + "nopqrstu",
                "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
            ),
        ]
        for (message, digest) in examples { #expect(Self.text(Array(message.utf8), portable: portable) == digest) }
        let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(
            Self.text(million, portable: portable) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        )
    }

    @Test("in pieces, with and without the instructions, the same")
    func pieces() {
        var random = SeededGenerator(seed: 256)
        for length in 0..<300 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            var hash = SHA256()
            var start = 0
            while start < length {
                let end = min(length, start + Int.random(in: 1...150, using: &random))
                hash.update(Array(bytes[start..<end]))
                _ = hash.digest  // asking changes nothing
                start = end
            }
            #expect(hash.text == Self.text(bytes, portable: true), "length \(length)")
        }
    }
}
