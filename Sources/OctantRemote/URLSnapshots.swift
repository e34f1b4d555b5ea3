#if Server
import NIOCore
package import Octant
package import OctantModel
package import OctantNetwork
package import OctantService

/// Fetches snapshots from URLs that callers name.
///
/// A caller must not reach through the server what they could not reach themselves: names are looked up once, addresses
/// beyond the public internet are refused unless allowed, redirects are not followed, and size and time have bounds.
package struct URLSnapshots: SnapshotSource {
    private let rules: SnapshotURLRules
    private let threads: NetworkThreads
    private let resolve: @Sendable (String, Int) throws(OctantError) -> [SocketAddress]

    /// With these rules.
    package init(_ rules: SnapshotURLRules, threads: NetworkThreads) {
        self.init(rules, threads: threads) { (host, port) throws(OctantError) in
            try HostAddresses.resolve(host, port: port)
        }
    }

    /// As ``init(_:threads:)``, with other answers to what address a name has: for tests.
    init(
        _ rules: SnapshotURLRules, threads: NetworkThreads,
        resolve: @escaping @Sendable (String, Int) throws(OctantError) -> [SocketAddress]
    ) {
        self.rules = rules
        self.threads = threads
        self.resolve = resolve
    }

    package func fetch(_ url: String, apiKey: String?, into file: TransferFile) throws(OctantError) {
        let url = try RemoteURL(url)
        let addresses = try allowed(url)
        let request = try request("GET", url, apiKey: apiKey)
        _ = try receive(request, addresses, into: file)
    }

    package func fetchPartial(
        _ peer: String, target: String, manifest: [UInt8], apiKey: String?, into file: TransferFile
    ) throws(OctantError) -> Bool {
        var url = try RemoteURL(peer)
        url.target = target
        let addresses = try allowed(url)
        var request = try request("POST", url, apiKey: apiKey)
        request.headers.append(("content-type", "application/json"))
        request.body = manifest
        // Before it answers, the other server makes a checkpoint.
        request.idleSeconds = 300
        return try receive(request, addresses, into: file)
    }

    private func request(_ verb: String, _ url: RemoteURL, apiKey: String?) throws(OctantError) -> HTTPExchange.Request
    {
        var request = HTTPExchange.Request(verb, url, seconds: rules.secondsMax)
        request.headers = [("accept", "*/*"), ("accept-encoding", "identity"), ("user-agent", "octant")]
        guard let apiKey else { return request }
        guard apiKey.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw OctantError(.badRequest, "api_key has characters that no header may have")
        }
        request.headers.append(("api-key", apiKey))
        return request
    }

    /// Writes the body of the answer; `false` if the answer to a `POST` is that nothing differs.
    private func receive(
        _ request: HTTPExchange.Request, _ addresses: [SocketAddress], into file: TransferFile
    ) throws(OctantError) -> Bool {
        do throws(OctantError) {
            let exchange = try HTTPExchange.begin(request, addresses, threads)
            if exchange.status == 304, request.verb == "POST" { return false }
            guard exchange.status == 200 else {
                let redirected = (300..<400).contains(exchange.status) ? ", and redirects are not followed" : ""
                throw OctantError(.badRequest, "the server answered with status \(exchange.status)\(redirected)")
            }
            if let length = exchange.length {
                try check(length)
                try file.reserve(length)
            }
            try exchange.read { (bytes) throws(OctantError) in
                try check(file.count + bytes.count)
                try file.append(bytes)
            }
            return true
        } catch {
            guard error.code != .insufficientStorage else { throw error }
            throw OctantError(.badRequest, "Failed to download snapshot from \(request.url.origin): \(error.message)")
        }
    }

    private func check(_ length: Int) throws(OctantError) {
        guard let most = rules.bytesMax, length > most else { return }
        throw OctantError(.badRequest, "it is larger than \(most) bytes (service.snapshot_url.max_size_mb)")
    }

    /// The addresses to connect to, or why not.
    private func allowed(_ url: RemoteURL) throws(OctantError) -> [SocketAddress] {
        guard url.isSecure || rules.allowsHTTP else {
            throw OctantError(
                .forbidden, "Snapshots are taken from https URLs only: set service.snapshot_url.allow_http to change it"
            )
        }
        guard rules.hosts.isEmpty || rules.hosts.contains(url.host) else {
            throw OctantError(
                .forbidden, "The host \(url.host) is not one of service.snapshot_url.allowed_hosts")
        }
        let addresses: [SocketAddress]
        do throws(OctantError) { addresses = try resolve(url.host, url.port) } catch {
            throw OctantError(.badRequest, "Failed to download snapshot from \(url.origin): \(error.message)")
        }
        guard rules.allowsPrivate || addresses.allSatisfy(\.isPublic) else {
            throw OctantError(
                .forbidden,
                "The host \(url.host) is not on the public internet: set "
                    + "service.snapshot_url.allow_private_addresses to take snapshots from there")
        }
        return addresses
    }
}
#endif
