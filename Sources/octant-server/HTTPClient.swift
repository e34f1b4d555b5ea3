#if Server
import OctantModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Asks a server of ours over plain HTTP/1.1, one connection per request: enough for a command line.
struct HTTPClient {
    private let host: String
    private let port: String
    private let apiKey: String?

    /// A client of `http://host[:port]`.
    init(url: String, apiKey: String?) throws(OctantError) {
        let scheme = "http://"
        guard url.hasPrefix(scheme) else {
            throw OctantError(.format, "\(url): only http:// can be asked; behind TLS, ask the server itself")
        }
        let authority = url.dropFirst(scheme.count).prefix { $0 != "/" }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, !first.isEmpty else {
            throw OctantError(.format, "\(url): not a URL of a host and a port")
        }
        host = String(first)
        port = parts.count > 1 ? String(parts[1]) : "6333"
        self.apiKey = apiKey
    }

    /// Sends a request and returns the member `result` of the answer. Throws the server's error.
    func ask(_ verb: String, _ path: String, body: JSONValue? = nil) throws(OctantError) -> JSONValue {
        let bytes = body.map { Array($0.text.utf8) } ?? []
        var head = "\(verb) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
        head += "Content-Type: application/json\r\nContent-Length: \(bytes.count)\r\n"
        if let apiKey { head += "api-key: \(apiKey)\r\n" }
        let answer = try exchange(Array(head.utf8) + Array("\r\n".utf8) + bytes)
        guard let end = Self.endOfHead(answer) else { throw failure("the answer is not HTTP") }
        let json = try JSONParser.parse(Array(answer[end...]))
        let fields = try JSONFields(json, path: "")
        if let result = fields["result"] { return result }
        let status = try? fields.fields("status")
        throw OctantError(.format, (try? status?.string("error")) ?? "the server answered without a result")
    }

    private func failure(_ what: String) -> OctantError { OctantError(.format, "http://\(host):\(port): \(what)") }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first { Array(bytes[$0..<$0 + 4]) == mark }.map { $0 + 4 }
    }

    private func exchange(_ request: [UInt8]) throws(OctantError) -> [UInt8] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &found) == 0 else { throw failure("no such host") }
        defer { freeaddrinfo(found) }
        var next = found
        while let address = next?.pointee {
            next = address.ai_next
            let handle = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
            guard handle >= 0 else { continue }
            defer { close(handle) }
            guard connect(handle, address.ai_addr, address.ai_addrlen) == 0 else { continue }
            var sent = 0
            while sent < request.count {
                let count = request[sent...].withUnsafeBytes { send(handle, $0.baseAddress, $0.count, 0) }
                guard count > 0 else { throw failure("the connection broke") }
                sent += count
            }
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = recv(handle, &buffer, buffer.count, 0)
                guard count >= 0 else { throw failure("the connection broke") }
                if count == 0 { return answer }
                answer += buffer[..<count]
            }
        }
        throw failure("nothing listens there")
    }
}
#endif
