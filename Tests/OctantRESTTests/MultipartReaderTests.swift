import OctantModel
import OctantREST
import Testing

@Suite struct MultipartReaderTests {
    /// Reads a form in pieces and returns the content of the field `snapshot`.
    private func read(
        _ body: [UInt8], pieces: Int, type: String = "multipart/form-data; boundary=xyz"
    ) throws(OctantError) -> [UInt8] {
        var reader = try MultipartReader(contentType: type, field: "snapshot")
        var found: [UInt8] = []
        var at = 0
        while at < body.count {
            let piece = Array(body[at..<min(body.count, at + pieces)])
            var failure: OctantError?
            piece.withUnsafeBytes { bytes in
                do throws(OctantError) { try reader.read(bytes) { found += $0 } } catch { failure = error }
            }
            if let failure { throw failure }
            at += pieces
        }
        try reader.finish()
        return found
    }

    private func form(_ content: [UInt8], before: String = "", after: String = "", boundary: String = "xyz") -> [UInt8]
    {
        Array(before.utf8)
            + Array("--\(boundary)\r\n".utf8)
            + Array("Content-Disposition: form-data; name=\"snapshot\"; filename=\"a;b.snapshot\"\r\n".utf8)
            + Array("Content-Type: application/octet-stream\r\n\r\n".utf8) + content
            + Array("\r\n--\(boundary)\(after)--\r\n".utf8)
    }

    @Test("The file comes out as it went in, however the body is cut")
    func pieces() throws {
        // Bytes that look like the delimiter, or begin like it.
        let contents: [[UInt8]] = [
            [], [0], [13], [13, 10], Array("\r\n--xy".utf8), Array("\r\r\n--x\r\n--xy\r\n-\r\n".utf8),
            Array("\r\n--xYz--\r\n".utf8), (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 31) },
        ]
        for content in contents {
            for size in [1, 2, 3, 7, 64, 100_000] {
                #expect(try read(form(content), pieces: size) == content)
            }
        }
    }

    @Test("Other fields, and text before the first delimiter, are passed over")
    func others() throws {
        let other = "preamble\r\n--xyz\r\ncontent-disposition: form-data; name=\"other\"\r\n\r\nsnapshot\r\n"
        #expect(try read(form([1, 2], before: other), pieces: 5) == [1, 2])
        let after = "\r\nContent-Disposition: form-data; name=more\r\n\r\nx\r\n--xyz"
        #expect(try read(form([1, 2], after: after), pieces: 5) == [1, 2])
    }

    @Test("Boundaries may be quoted, and stand among other parameters")
    func boundaries() throws {
        let body = form([7], boundary: "a b")
        #expect(try read(body, pieces: 4, type: "Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"") == [7])
    }

    @Test(
        "What is no form is refused",
        arguments: [
            nil, "", "application/json", "multipart/form-data", "multipart/form-data; boundary=",
            "multipart/mixed; boundary=x",
        ])
    func types(_ type: String?) {
        #expect(throws: OctantError.self) { try MultipartReader(contentType: type, field: "snapshot") }
    }

    @Test("A form that ends early, or lacks the field, is refused")
    func incomplete() throws {
        let whole = form([1, 2, 3])
        for count in 0..<(whole.count - 2) {
            #expect(throws: OctantError.self, "\(count)") { try read(Array(whole[..<count]), pieces: 9) }
        }
        let other = "--xyz\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n1\r\n--xyz--\r\n"
        #expect(throws: OctantError.self) { try read(Array(other.utf8), pieces: 9) }
        let twice = "--xyz\r\nContent-Disposition: form-data; name=snapshot\r\n\r\n1\r\n"
        #expect(try read(Array((twice + "--xyz--").utf8), pieces: 9) == [UInt8(ascii: "1")])
        #expect(throws: OctantError.self) { try read(Array((twice + twice + "--xyz--").utf8), pieces: 9) }
        let endless = "--xyz\r\n" + String(repeating: "x: y\r\n", count: 10_000)
        #expect(throws: OctantError.self) { try read(Array(endless.utf8), pieces: 500) }
    }
}
