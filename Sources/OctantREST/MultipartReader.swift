package import OctantModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Reads a form of `multipart/form-data` (RFC 7578) as it comes and passes on the content of one field; other fields
/// are passed over.
package struct MultipartReader: Sendable {
    private enum Place {
        /// Before the first delimiter, or in the content of a field nobody asked for.
        case skipped
        /// After a delimiter: two dashes end the form, an end of line begins a field.
        case delimited([UInt8])
        /// In the headers of a field.
        case headers
        /// In the content of the field that is asked for.
        case content
        /// After the last delimiter.
        case over
    }

    /// Bytes of the headers of a field.
    private static let headersMax = 16 << 10
    /// The form ended before its last delimiter, or did not have the field.
    static let incomplete = OctantError(
        .format, "Multipart error: the body is not complete, or it has no field `snapshot`")

    private let field: String
    /// What comes before the next field: an end of line, two dashes, the boundary.
    private let delimiter: [UInt8]
    private var place = Place.skipped
    /// The headers of a field, as far as they came.
    private var head: [UInt8] = []
    /// Bytes of the delimiter seen last. No byte of it but the first is a carriage return, so that after a mismatch the
    /// next match can begin at the byte that did not fit, and not before.
    private var matched: Int
    private var isFound = false

    /// A reader of a form with this content type.
    package init(contentType: String?, field: String) throws(OctantError) {
        guard let boundary = Self.boundary(contentType ?? "") else {
            throw OctantError(.format, "Multipart error: the content type must be multipart/form-data with a boundary")
        }
        self.field = field
        delimiter = [13, 10, 45, 45] + Array(boundary.utf8)
        // The first delimiter has no end of line before it.
        matched = 2
    }

    /// Takes the next bytes; `content` gets what of them belongs to the field.
    package mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ content: (UnsafeRawBufferPointer) throws(OctantError) -> Void
    ) throws(OctantError) {
        var at = 0
        while at < bytes.count {
            switch place {
            case .skipped, .content: try scan(bytes, &at, content)
            case .delimited(let seen):
                at += 1
                try delimited(seen + [bytes[at - 1]])
            case .headers:
                head.append(bytes[at])
                at += 1
                guard head.count <= Self.headersMax else {
                    throw OctantError(.format, "Multipart error: the headers of a field are too long")
                }
                if bytes[at - 1] == 10, head == [13, 10] || head.suffix(4) == [13, 10, 13, 10] { try begin() }
            case .over: return
            }
        }
    }

    /// Refuses a form that is not whole.
    package func finish() throws(OctantError) {
        guard case .over = place, isFound else { throw Self.incomplete }
    }

    /// Goes on in content, to the end of the bytes or of the next delimiter.
    private mutating func scan(
        _ bytes: UnsafeRawBufferPointer, _ at: inout Int,
        _ content: (UnsafeRawBufferPointer) throws(OctantError) -> Void
    ) throws(OctantError) {
        var isWanted = false
        if case .content = place { isWanted = true }
        while at < bytes.count {
            if matched == 0 {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
                let next = rest.baseAddress.flatMap { memchr($0, 13, rest.count) }
                let count = next.map { UnsafeRawPointer($0) - (rest.baseAddress ?? UnsafeRawPointer($0)) } ?? rest.count
                if isWanted, count > 0 { try content(UnsafeRawBufferPointer(rebasing: rest[..<count])) }
                at += count
                if next == nil { return }
                at += 1
                matched = 1
            } else if bytes[at] == delimiter[matched] {
                at += 1
                matched += 1
                if matched == delimiter.count {
                    matched = 0
                    place = .delimited([])
                    return
                }
            } else {
                if isWanted {
                    var failure: OctantError?
                    delimiter[..<matched].withUnsafeBytes { raw in
                        do throws(OctantError) { try content(raw) } catch { failure = error }
                    }
                    if let failure { throw failure }
                }
                matched = 0
            }
        }
    }

    private mutating func delimited(_ seen: [UInt8]) throws(OctantError) {
        if seen == [45, 45] {
            place = .over
        } else if seen.suffix(2) == [13, 10] {
            place = .headers
            head = []
        } else if seen.count > 128 || (seen.count >= 2 && seen[0] == 45) {
            throw OctantError(.format, "Multipart error: a delimiter is malformed")
        } else {
            place = .delimited(seen)
        }
    }

    private mutating func begin() throws(OctantError) {
        place = .skipped
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        let name = lines.lazy.compactMap { line -> String? in
            guard line.lowercased().hasPrefix("content-disposition:") else { return nil }
            return Self.parameter("name", of: line)
        }.first
        guard name == field else { return }
        guard !isFound else { throw OctantError(.format, "Multipart error: field `\(field)` comes twice") }
        isFound = true
        place = .content
    }

    /// The boundary of a content type.
    private static func boundary(_ type: String) -> String? {
        guard type.lowercased().hasPrefix("multipart/form-data") else { return nil }
        guard let boundary = parameter("boundary", of: type[...]), (1...200).contains(boundary.utf8.count),
            boundary.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        return boundary
    }

    /// A parameter of a header, with or without quotes.
    private static func parameter(_ name: String, of header: Substring) -> String? {
        var parts: [String] = [""]
        var isQuoted = false
        for letter in header {
            if letter == "\"" { isQuoted.toggle() }
            if letter == ";", !isQuoted { parts.append("") } else { parts[parts.count - 1].append(letter) }
        }
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, trimmed(pair[0]).lowercased() == name else { continue }
            let value = trimmed(pair[1])
            return value.hasPrefix("\"") && value.hasSuffix("\"") && value.count >= 2
                ? String(value.dropFirst().dropLast()) : String(value)
        }
        return nil
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text = text.dropLast() }
        return text
    }
}
