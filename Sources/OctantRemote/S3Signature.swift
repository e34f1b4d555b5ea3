import OctantStorage

/// Signatures of requests to S3: AWS Signature Version 4, with the hash of the payload.
package struct S3Signature: Sendable {
    /// The name of the key.
    package var accessKey: String
    /// The key.
    package var secretKey: String
    /// The region of the bucket.
    package var region: String

    /// Signs with a key for a region.
    package init(accessKey: String, secretKey: String, region: String) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.region = region
    }

    /// What is signed.
    package struct Request: Sendable {
        /// Such as `GET`.
        package var verb: String
        /// The path, percent-encoded as it is sent.
        package var path: String
        /// The query's items, percent-encoded as they are sent.
        package var query: [(name: String, value: String)] = []
        /// Headers with lower-case names, `host` among them.
        package var headers: [(name: String, value: String)]
        /// The SHA-256 of the body, in hexadecimal.
        package var payloadHash: String

        /// A request.
        package init(
            verb: String, path: String, query: [(name: String, value: String)] = [],
            headers: [(name: String, value: String)], payloadHash: String
        ) {
            self.verb = verb
            self.path = path
            self.query = query
            self.headers = headers
            self.payloadHash = payloadHash
        }
    }

    /// The value of the header `authorization`.
    ///
    /// - Parameter time: Now, such as `20130524T000000Z`; the header `x-amz-date` says the same.
    package func authorization(_ request: Request, time: String) -> String {
        let headers = request.headers.sorted { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let query = request.query.sorted { $0.name == $1.name ? $0.value < $1.value : $0.name < $1.name }
            .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        var canonical = "\(request.verb)\n\(request.path)\n\(query)\n"
        for (name, value) in headers { canonical += "\(name):\(value)\n" }
        canonical += "\n\(names)\n\(request.payloadHash)"
        let day = String(time.prefix(8))
        let scope = "\(day)/\(region)/s3/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(Self.hash(Array(canonical.utf8)))"
        var key = Array("AWS4\(secretKey)".utf8)
        for part in [day, region, "s3", "aws4_request"] { key = Self.authenticate(Array(part.utf8), key: key) }
        let signature = SHA256.text(Self.authenticate(Array(text.utf8), key: key))
        return "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
    }

    /// The SHA-256 of bytes, in hexadecimal.
    package static func hash(_ bytes: [UInt8]) -> String {
        var hash = SHA256()
        hash.update(bytes)
        return hash.text
    }

    /// HMAC-SHA256 (RFC 2104).
    package static func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var block = key
        if block.count > 64 {
            var hash = SHA256()
            hash.update(block)
            block = hash.digest
        }
        block += [UInt8](repeating: 0, count: 64 - block.count)
        var inner = SHA256()
        inner.update(block.map { $0 ^ 0x36 })
        inner.update(message)
        var outer = SHA256()
        outer.update(block.map { $0 ^ 0x5C })
        outer.update(inner.digest)
        return outer.digest
    }
}
