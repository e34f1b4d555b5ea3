#if Server && canImport(Glibc)
import Glibc

/// A connection that sends bytes and reads answers, nothing more.
final class HTTPClient {
    private let socket: Int32
    private var pending: [UInt8] = []

    /// Connects to a port of this machine.
    init?(port: Int) {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return nil }
        var wait = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close()
            return nil
        }
    }

    /// Closes the connection.
    func close() { _ = Glibc.close(socket) }

    /// Sends bytes as they are.
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// A request as bytes.
    static func request(_ verb: String, _ path: String, _ body: String = "", _ headers: String = "") -> [UInt8] {
        Array(
            "\(verb) \(path) HTTP/1.1\r\nHost: x\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                .utf8)
    }

    /// Sends a request and reads its answer.
    func call(_ verb: String, _ path: String, _ body: String = "", _ headers: String = "") -> (Int, String)? {
        send(Self.request(verb, path, body, headers))
        return answer()
    }

    /// Reads an answer with a `content-length`; `nil` at the end of the connection.
    func answer() -> (Int, String)? {
        while true {
            if let head = headEnd() {
                let lines = String(decoding: pending[..<head], as: UTF8.self).split(separator: "\r\n")
                let status = lines.first.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
                let length =
                    lines.compactMap { line -> Int? in
                        line.lowercased().hasPrefix("content-length: ") ? Int(line.dropFirst(16)) : nil
                    }.first ?? 0
                if pending.count >= head + 4 + length {
                    let body = String(decoding: pending[(head + 4)..<(head + 4 + length)], as: UTF8.self)
                    pending.removeFirst(head + 4 + length)
                    return (status, body)
                }
            }
            guard receive() else { return nil }
        }
    }

    /// Whether the server has closed the connection.
    func isAtEnd() -> Bool { pending.isEmpty && !receive() }

    private func headEnd() -> Int? {
        guard pending.count >= 4 else { return nil }
        for place in 0...(pending.count - 4) where pending[place..<(place + 4)].elementsEqual([13, 10, 13, 10]) {
            return place
        }
        return nil
    }

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        pending.append(contentsOf: buffer[..<count])
        return true
    }
}
#endif
