/// Who may ask for what: keys, and the origins of web pages. Pure: the transport passes the headers.
package struct AccessPolicy: Sendable {
    /// Keys that allow everything.
    package var keys: [String]
    /// A key that allows reads.
    package var readOnlyKey: String?
    /// Whether web pages of other origins may ask.
    package var corsEnabled: Bool

    /// A policy; without keys everyone who can connect may do everything.
    package init(keys: [String] = [], readOnlyKey: String? = nil, corsEnabled: Bool = true) {
        self.keys = keys
        self.readOnlyKey = readOnlyKey
        self.corsEnabled = corsEnabled
    }

    /// Whether callers must show a key.
    package var isKeyed: Bool { !keys.isEmpty || readOnlyKey != nil }

    /// Why a caller may not go on.
    package enum Refusal: Sendable, Hashable {
        /// No key was shown.
        case noKey
        /// The key that was shown is none of ours.
        case wrongKey
        /// The key allows less than what was asked for.
        case noRight

        /// The sentence for the caller.
        package var message: String {
            switch self {
            case .noKey: "Must provide an API key or an Authorization bearer token"
            case .wrongKey: "Invalid API key or JWT"
            case .noRight: "Forbidden: Write access is required"
            }
        }
    }

    /// Why a caller who lacks the right is refused; `nil` if the caller may go on.
    package func refusal(_ access: AccessRight, apiKey: String?, authorization: String?) -> Refusal? {
        guard isKeyed, access != .open else { return nil }
        var given = apiKey
        if given == nil, let authorization {
            let scheme = "bearer "
            if authorization.lowercased().hasPrefix(scheme) { given = String(authorization.dropFirst(scheme.count)) }
        }
        guard let given else { return .noKey }
        // All keys are compared, whichever fits, so that time tells nothing.
        var full = false
        for key in keys where Self.equal(key, given) { full = true }
        let readOnly = readOnlyKey.map { Self.equal($0, given) } ?? false
        if full { return nil }
        guard readOnly else { return .wrongKey }
        return access == .read ? nil : .noRight
    }

    /// Compares without stopping at the first difference.
    private static func equal(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        var difference: UInt8 = a.count == b.count ? 0 : 1
        for place in 0..<a.count { difference |= a[place] ^ (place < b.count ? b[place] : 0) }
        return difference == 0
    }

    /// The origin to allow in the answer to a web page; `nil`: the page may not read the answer.
    ///
    /// Without a key only pages of this machine may ask: any web site could otherwise reach a server on loopback
    /// through the browser of its visitor.
    package func allowedOrigin(_ origin: String?) -> String? {
        guard corsEnabled, let origin else { return nil }
        if isKeyed { return "*" }
        return Self.isLoopback(origin: origin) ? origin : nil
    }

    /// Whether a request of a web page must be refused, even if the page could not read the answer.
    package func refusesOrigin(_ origin: String?) -> Bool {
        guard let origin, !isKeyed else { return false }
        return !Self.isLoopback(origin: origin)
    }

    /// Whether an origin, such as `http://localhost:3000`, is on this machine.
    static func isLoopback(origin: String) -> Bool {
        guard let scheme = origin.firstIndex(of: ":"), origin[scheme...].hasPrefix("://") else { return false }
        var host = origin[origin.index(scheme, offsetBy: 3)...]
        if host.hasPrefix("[") { return host.hasPrefix("[::1]:") || host == "[::1]" }
        if let port = host.firstIndex(of: ":") { host = host[..<port] }
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers.first == "127" && numbers.allSatisfy { UInt8($0) != nil }
    }
}
