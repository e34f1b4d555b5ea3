#if Server
import NIOCore
package import OctantModel
package import OctantNetwork
package import OctantService

/// Objects in a bucket of S3, or of a service that speaks its protocol. Every call blocks.
package struct S3Bucket: Sendable {
    /// An object, as lists show it.
    package struct Object: Sendable {
        /// Its key.
        package var key: String
        /// Bytes of it.
        package var size: Int
        /// When it was stored, as RFC 3339.
        package var modified: String
    }

    /// A part of a larger object: what is in memory at a time. The parts of one object are at most 10,000.
    package static let partBytes = 16 << 20
    private static let partsMax = 10_000
    /// Times that a part is sent before it counts as failed.
    private static let attempts = 3
    /// Seconds for one request, and for a download.
    private static let (requestSeconds, downloadSeconds) = (600, 86_400)

    private let settings: S3Settings
    private let endpoint: RemoteURL
    private let signature: S3Signature
    private let threads: NetworkThreads
    private let now: @Sendable () -> Int64

    /// A bucket. Throws if the endpoint is no URL.
    package init(_ settings: S3Settings, threads: NetworkThreads) throws(OctantError) {
        self.settings = settings
        do throws(OctantError) {
            endpoint = try RemoteURL(settings.endpoint ?? "https://s3.\(settings.region).amazonaws.com")
        } catch {
            throw OctantError(.format, "Configuration error: storage.snapshots_config.s3_config.endpoint_url: no URL")
        }
        signature = S3Signature(
            accessKey: settings.accessKey, secretKey: settings.secretKey, region: settings.region)
        self.threads = threads
        now = { SystemStatus.unixMilliseconds }
    }

    // MARK: Objects

    /// Stores bytes that `read` gives for ranges, whole or not at all.
    package func put(
        _ key: String, size: Int, read: (Range<Int>) throws(OctantError) -> [UInt8]
    ) throws(OctantError) {
        let part = max(Self.partBytes, (size + Self.partsMax - 1) / Self.partsMax)
        guard size > part else {
            let body = try read(0..<size)
            return try retrying { () throws(OctantError) in _ = try ask("PUT", key, body: body) }
        }
        let begun = try ask("POST", key, query: [("uploads", "")]).text
        guard let upload = XMLText.first("UploadId", in: begun[...]) else {
            throw OctantError(.service, "S3: the answer has no UploadId")
        }
        do throws(OctantError) {
            var list = "<CompleteMultipartUpload>"
            for (number, start) in stride(from: 0, to: size, by: part).enumerated() {
                let body = try read(start..<min(size, start + part))
                let query = [("partNumber", String(number + 1)), ("uploadId", Percent.encode(upload))]
                let tag = try retrying { () throws(OctantError) in try ask("PUT", key, query: query, body: body).tag }
                guard let tag else { throw OctantError(.service, "S3: the answer to a part has no ETag") }
                list += "<Part><PartNumber>\(number + 1)</PartNumber><ETag>\(tag)</ETag></Part>"
            }
            list += "</CompleteMultipartUpload>"
            let done = try ask("POST", key, query: [("uploadId", Percent.encode(upload))], body: Array(list.utf8)).text
            // This request can fail with a status of 200.
            if let code = XMLText.first("Code", in: done[...]) { throw failure(code, done) }
        } catch {
            // Parts that stay cost money until somebody removes them. The first error is the one to report.
            _ = try? ask("DELETE", key, query: [("uploadId", Percent.encode(upload))])
            throw error
        }
    }

    /// The objects whose keys begin so.
    package func list(prefix: String) throws(OctantError) -> [Object] {
        var found: [Object] = []
        var token: String?
        repeat {
            var query = [
                ("encoding-type", "url"), ("list-type", "2"), ("prefix", Percent.encode(prefix)),
            ]
            if let token { query.append(("continuation-token", Percent.encode(token))) }
            let text = try ask("GET", nil, query: query).text
            for entry in XMLText.all("Contents", in: text[...]) {
                guard let key = XMLText.first("Key", in: entry).flatMap({ Percent.decode($0, plusIsSpace: true) }),
                    let size = XMLText.first("Size", in: entry).flatMap({ Int($0) })
                else { throw OctantError(.service, "S3: a list has an entry without key or size") }
                found.append(
                    Object(key: key, size: size, modified: XMLText.first("LastModified", in: entry) ?? ""))
            }
            token =
                XMLText.first("IsTruncated", in: text[...]) == "true"
                ? XMLText.first("NextContinuationToken", in: text[...]) : nil
        } while token != nil
        return found
    }

    /// Begins to read an object; `nil` if there is none of this key.
    package func get(_ key: String) throws(OctantError) -> HTTPExchange? {
        let exchange = try begin("GET", key, seconds: Self.downloadSeconds)
        if exchange.status == 404 { return nil }
        guard exchange.status == 200 else { throw try failure(exchange) }
        return exchange
    }

    /// A small object as text; `nil` if there is none of this key.
    package func text(_ key: String) throws(OctantError) -> String? { try get(key)?.text(limit: 1 << 20) }

    /// Whether there is an object.
    package func exists(_ key: String) throws(OctantError) -> Bool {
        // A list says why it fails, which the answer to HEAD has no room for.
        try list(prefix: key).contains { $0.key == key }
    }

    /// Removes an object, if it is there.
    package func delete(_ key: String) throws(OctantError) { _ = try ask("DELETE", key) }

    // MARK: Requests

    private func retrying<Value>(_ body: () throws(OctantError) -> Value) throws(OctantError) -> Value {
        for _ in 1..<Self.attempts {
            do throws(OctantError) { return try body() } catch {
                // Only what may be over in a moment.
                guard error.code == .unavailable else { throw error }
            }
        }
        return try body()
    }

    private func ask(
        _ verb: String, _ key: String?, query: [(String, String)] = [], body: [UInt8] = []
    ) throws(OctantError) -> (text: String, tag: String?) {
        let exchange = try begin(verb, key, query: query, body: body, seconds: Self.requestSeconds)
        guard (200..<300).contains(exchange.status) else { throw try failure(exchange) }
        return (try exchange.text(limit: 16 << 20), exchange.header("etag"))
    }

    private func begin(
        _ verb: String, _ key: String?, query: [(String, String)] = [], body: [UInt8] = [], seconds: Int
    ) throws(OctantError) -> HTTPExchange {
        let base = endpoint.target.hasSuffix("/") ? String(endpoint.target.dropLast()) : endpoint.target
        let place = key.map { "/" + Percent.encode($0, keeping: "/") } ?? ""
        let path = "\(base)/\(Percent.encode(settings.bucket))\(place)"
        let time = Timestamp.text(milliseconds: now()).prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
        let hash = S3Signature.hash(body)
        var headers = [("host", endpoint.authority), ("x-amz-content-sha256", hash), ("x-amz-date", String(time))]
        let authorization = signature.authorization(
            S3Signature.Request(verb: verb, path: path, query: query, headers: headers, payloadHash: hash),
            time: String(time))
        headers.removeFirst()
        headers.append(("authorization", authorization))
        var url = endpoint
        url.target = path + (query.isEmpty ? "" : "?" + query.map { "\($0.0)=\($0.1)" }.joined(separator: "&"))
        var request = HTTPExchange.Request(verb, url, seconds: seconds)
        request.headers = headers.map { (name: $0.0, value: $0.1) }
        request.body = body
        do throws(OctantError) {
            return try HTTPExchange.begin(
                request, try HostAddresses.resolve(url.host, port: url.port), threads)
        } catch {
            throw OctantError(.unavailable, "S3: \(url.origin): \(error.message)")
        }
    }

    private func failure(_ exchange: HTTPExchange) throws(OctantError) -> OctantError {
        let text = try exchange.text(limit: 1 << 20)
        let code = XMLText.first("Code", in: text[...]) ?? "status \(exchange.status)"
        var error = failure(code, text)
        if exchange.status >= 500 { error.code = .unavailable }
        return error
    }

    private func failure(_ code: String, _ text: String) -> OctantError {
        let message = XMLText.first("Message", in: text[...]).map { ": \($0.prefix(500))" } ?? ""
        return OctantError(.service, "S3: \(code)\(message)")
    }
}
#endif
