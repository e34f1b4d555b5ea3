extension JSONReader {
    /// Reads a string; throws with `what` in the text if the next value is something else.
    package mutating func readString(_ what: String = "a string") throws(OctantError) -> String {
        skipSpace()
        guard at < end, at.pointee == UInt8(ascii: "\"") else {
            guard at < end else { throw error("EOF while parsing a value") }
            if what == "a key" { throw error("key must be a string") }
            throw try mismatch(expected: what)
        }
        let place = at
        let (text, plain) = try scanString()
        if plain { return String(decoding: text, as: UTF8.self) }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw error("invalid unicode code point", at: place)
        }
        return string
    }

    /// Reads a string and calls `body` with its bytes, which are valid UTF-8.
    mutating func withUTF8(
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(OctantError) {
        let place = at
        let (text, plain) = try scanString()
        guard plain || String(validating: text, as: UTF8.self) != nil else {
            throw error("invalid unicode code point", at: place)
        }
        body(UnsafeRawBufferPointer(text))
    }

    /// Scans the string whose opening quote is next. The bytes lie in the text itself, or, if there were escapes, in
    /// `unescaped` until the next string is scanned. `plain`: they are ASCII.
    mutating func scanString() throws(OctantError) -> (text: UnsafeBufferPointer<UInt8>, plain: Bool) {
        let open = at
        at += 1
        let begin = at
        var seen: UInt8 = 0
        while true {
            while end - at >= 8 {
                let word = UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
                if Self.isSpecial(word) { break }
                at += 8
            }
            guard at < end else { throw error("EOF while parsing a string") }
            let byte = at.pointee
            if byte == UInt8(ascii: "\"") {
                let text = UnsafeBufferPointer(start: begin, count: at - begin)
                at += 1
                return (text, seen < 0x80)
            }
            if byte == UInt8(ascii: "\\") { return try scanEscaped(from: begin, open: open) }
            if byte < 0x20 { throw error("control character (\\u0000-\\u001F) found while parsing a string") }
            seen |= byte
            at += 1
        }
    }

    /// Whether one of eight bytes is a quote, a backslash, a control character or not ASCII.
    @inline(__always)
    private static func isSpecial(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        let quote = word ^ (ones &* 0x22)
        let slash = word ^ (ones &* 0x5C)
        let found = (quote &- ones) & ~quote | (slash &- ones) & ~slash | (word &- ones &* 0x20) & ~word | word
        return found & tops != 0
    }

    /// Goes on with a string at its first backslash, copying it with the escapes resolved.
    private mutating func scanEscaped(
        from begin: UnsafePointer<UInt8>, open: UnsafePointer<UInt8>
    ) throws(OctantError) -> (text: UnsafeBufferPointer<UInt8>, plain: Bool) {
        var out = unescaped
        unescaped = []
        out.removeAll(keepingCapacity: true)
        out.append(contentsOf: UnsafeBufferPointer(start: begin, count: at - begin))
        while true {
            guard at < end else { throw error("EOF while parsing a string") }
            let byte = at.pointee
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                unescaped = out
                // The array is not touched until the next string is scanned, so its storage stays where it is.
                let text = unescaped.withUnsafeBufferPointer { $0 }
                return (text, false)
            case UInt8(ascii: "\\"): try readEscape(into: &out)
            case 0..<0x20:
                at -= 1
                throw error("control character (\\u0000-\\u001F) found while parsing a string")
            default: out.append(byte)
            }
        }
    }

    private mutating func readEscape(into out: inout [UInt8]) throws(OctantError) {
        guard at < end else { throw error("EOF while parsing a string") }
        let byte = at.pointee
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try readHex4())
            if (0xD800...0xDBFF).contains(code) {
                guard end - at >= 2, at[0] == UInt8(ascii: "\\"), at[1] == UInt8(ascii: "u") else {
                    throw error("lone leading surrogate in hex escape")
                }
                at += 2
                let low = UInt32(try readHex4())
                guard (0xDC00...0xDFFF).contains(low) else { throw error("lone leading surrogate in hex escape") }
                code = 0x10000 &+ ((code &- 0xD800) << 10) &+ (low &- 0xDC00)
            }
            guard let scalar = UnicodeScalar(code) else { throw error("lone trailing surrogate in hex escape") }
            out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw error("invalid escape", at: at - 1)
        }
    }

    private mutating func readHex4() throws(OctantError) -> UInt16 {
        guard end - at >= 4 else { throw error("EOF while parsing a string") }
        var value: UInt16 = 0
        for place in 0..<4 {
            let digit: UInt8
            switch at[place] {
            case 0x30...0x39: digit = at[place] &- 0x30
            case 0x41...0x46: digit = at[place] &- 0x37
            case 0x61...0x66: digit = at[place] &- 0x57
            default: throw error("invalid escape", at: at + place)
            }
            value = value << 4 | UInt16(digit)
        }
        at += 4
        return value
    }
}
