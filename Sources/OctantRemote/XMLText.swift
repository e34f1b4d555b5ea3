/// Texts in the answers of S3, whose XML is flat: elements by name, without attributes that matter.
enum XMLText {
    /// The contents of all elements of a name, in order. Elements that nest in others of the same name are not found.
    static func all(_ name: String, in text: Substring) -> [Substring] {
        var found: [Substring] = []
        var rest = text
        while let open = range(of: "<\(name)>", in: rest) {
            let inside = rest[open.upperBound...]
            guard let close = range(of: "</\(name)>", in: inside) else { break }
            found.append(inside[..<close.lowerBound])
            rest = inside[close.upperBound...]
        }
        return found
    }

    /// The text of the first element of a name.
    static func first(_ name: String, in text: Substring) -> String? { all(name, in: text).first.map(unescaped) }

    private static func range(of needle: String, in text: Substring) -> Range<Substring.Index>? {
        let wanted = Array(needle.utf8)
        var start = text.utf8.startIndex
        while let at = text.utf8[start...].firstIndex(of: wanted[0]) {
            if text.utf8[at...].starts(with: wanted) {
                return at..<text.utf8.index(at, offsetBy: wanted.count)
            }
            start = text.utf8.index(after: at)
        }
        return nil
    }

    private static func unescaped(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return String(text) }
        let names = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]
        var result = ""
        var rest = text
        while let mark = rest.firstIndex(of: "&") {
            result += rest[..<mark]
            rest = rest[rest.index(after: mark)...]
            guard let end = rest.firstIndex(of: ";") else { break }
            let entity = String(rest[..<end])
            if let letter = names[entity] {
                result += letter
            } else if entity.hasPrefix("#") {
                let isHex = entity.hasPrefix("#x")
                let number = UInt32(entity.dropFirst(isHex ? 2 : 1), radix: isHex ? 16 : 10)
                if let scalar = number.flatMap(Unicode.Scalar.init) { result.unicodeScalars.append(scalar) }
            }
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }
}
