/// The texts in the headers of a call. Pure.
///
/// Source: "gRPC over HTTP2", sections Requests and Responses.
package enum GRPCHeaders {
    /// The time of a `grpc-timeout`: at most eight digits and a unit. `nil`: it is none.
    package static func timeout(_ text: String) -> Duration? {
        let digits = text.dropLast()
        guard let unit = text.last, (1...8).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let count = Int64(digits)
        else { return nil }
        switch unit {
        case "H": return .seconds(count * 3600)
        case "M": return .seconds(count * 60)
        case "S": return .seconds(count)
        case "m": return .milliseconds(count)
        case "u": return .microseconds(count)
        case "n": return .nanoseconds(count)
        default: return nil
        }
    }

    /// A status message as it may stand in `grpc-message`: all but printable ASCII, and `%`, is percent-encoded.
    package static func percentEncoded(_ message: String) -> String {
        let isPlain = { (byte: UInt8) in (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "%") }
        guard !message.utf8.allSatisfy(isPlain) else { return message }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(message.utf8.count + 32)
        for byte in message.utf8 {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a content type says gRPC with messages of Protocol Buffers.
    package static func isGRPC(contentType: String?) -> Bool {
        // What nearly all clients say.
        if contentType == "application/grpc" { return true }
        guard let type = contentType?.lowercased().split(separator: ";").first else { return false }
        return type == "application/grpc" || type == "application/grpc+proto"
    }

    /// Whether a list of encodings names gzip.
    package static func namesGzip(_ list: String?) -> Bool {
        list?.split(separator: ",").contains { $0.drop { $0 == " " } == "gzip" } ?? false
    }

    /// Texts longer than this are cut in `grpc-message`: clients bound the size of headers.
    package static let messageBytesMax = 4096
}
