package import OctantModel

/// A URL of `http` or `https`, taken apart. User names and passwords in it are refused: they would end up in logs.
package struct RemoteURL: Sendable, Hashable {
    /// Whether it is `https`.
    package var isSecure: Bool
    /// A name, or an address without brackets.
    package var host: String
    /// The port; the usual one where none is named.
    package var port: Int
    /// Path and query, as they stand in the first line of a request.
    package var target: String

    /// Reads a URL.
    package init(_ text: String) throws(OctantError) {
        let wrong = OctantError(.badRequest, "Invalid snapshot URL: scheme, host and path are expected")
        // Nothing that could end a line or a word of the request.
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let colon = text.firstIndex(of: ":") else {
            throw wrong
        }
        switch text[..<colon].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: throw wrong
        }
        let rest = text[text.index(after: colon)...].prefix { $0 != "#" }
        guard rest.hasPrefix("//") else { throw wrong }
        let authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@"), !authority.contains("\\") else {
            throw OctantError(.badRequest, "Invalid snapshot URL: user names and passwords are not taken; use api_key")
        }
        let path = rest.dropFirst(2 + authority.count)
        target = path.hasPrefix("/") ? String(path) : "/" + path
        var digits: Substring = ""
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw wrong }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw wrong }
            digits = tail.dropFirst()
        } else {
            let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            host = String(parts.first ?? "").lowercased()
            if parts.count > 1 { digits = parts[1] }
        }
        port = isSecure ? 443 : 80
        if !digits.isEmpty {
            guard let number = Int(digits), (1...65_535).contains(number) else { throw wrong }
            port = number
        }
        guard !host.isEmpty else { throw wrong }
    }

    /// Scheme, host and port: what messages may show.
    package var origin: String { "\(isSecure ? "https" : "http")://\(authority)" }

    /// Host and, if it is not the usual one, port: the header `host`.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }
}
