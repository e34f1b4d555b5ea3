/// A key path into a payload, such as `a.b[].c`, `tags[0]` or `"key with.dot".x`.
///
/// Arrays are not traversed implicitly: `a[].b` says so.
public struct PayloadPath: Hashable, Sendable, CustomStringConvertible {
    /// One step of the path.
    public enum Step: Hashable, Sendable {
        /// The member of this name.
        case key(String)
        /// Every element of an array.
        case all
        /// One element of an array.
        case index(Int)
    }

    /// The steps; the first is always a key.
    public var steps: [Step]

    /// A path of these steps.
    public init(steps: [Step]) { self.steps = steps }

    /// The longest path text that is read, in bytes.
    public static let textBytesMax = 512

    /// Reads a path; throws `badRequest` naming the text if it is malformed.
    public init(_ text: String) throws(OctantError) {
        guard let steps = Self.parse(Array(text.utf8)) else {
            throw OctantError(.badRequest, "Invalid json path: '\(text)'")
        }
        self.steps = steps
    }

    private static func parse(_ text: [UInt8]) -> [Step]? {
        guard text.count <= textBytesMax else { return nil }
        var steps: [Step] = []
        var at = 0
        while true {
            guard let key = parseKey(text, &at) else { return nil }
            steps.append(.key(key))
            while at < text.count, text[at] == UInt8(ascii: "[") {
                at += 1
                let start = at
                while at < text.count, (0x30...0x39).contains(text[at]) { at += 1 }
                guard at < text.count, text[at] == UInt8(ascii: "]") else { return nil }
                if at == start {
                    steps.append(.all)
                } else {
                    guard let index = Int(String(decoding: text[start..<at], as: UTF8.self)) else { return nil }
                    steps.append(.index(index))
                }
                at += 1
            }
            if at == text.count { return steps }
            guard text[at] == UInt8(ascii: ".") else { return nil }
            at += 1
        }
    }

    private static func parseKey(_ text: [UInt8], _ at: inout Int) -> String? {
        let start: Int
        if at < text.count, text[at] == UInt8(ascii: "\"") {
            at += 1
            start = at
            while at < text.count, text[at] != UInt8(ascii: "\"") { at += 1 }
            guard at < text.count else { return nil }
            defer { at += 1 }
            return String(decoding: text[start..<at], as: UTF8.self)
        }
        start = at
        while at < text.count, isBareKeyByte(text[at]) { at += 1 }
        guard at > start else { return nil }
        return String(decoding: text[start..<at], as: UTF8.self)
    }

    private static func isBareKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x20, 0x80...0xFF: true
        default: false
        }
    }

    /// The path as text that reads back to the same steps.
    public var description: String {
        var out = ""
        for step in steps {
            switch step {
            case .key(let key):
                if !out.isEmpty { out += "." }
                out += key.isEmpty || !key.utf8.allSatisfy(Self.isBareKeyByte) ? "\"\(key)\"" : key
            case .all: out += "[]"
            case .index(let index): out += "[\(index)]"
            }
        }
        return out
    }

    /// This path with `steps` of another behind it.
    public func appending(_ other: PayloadPath) -> PayloadPath { PayloadPath(steps: steps + other.steps) }

    /// This path with every element of the array it names: what `nested` means by its key.
    public var elements: PayloadPath {
        steps.last == .all ? self : PayloadPath(steps: steps + [.all])
    }
}
