import OctantModel

/// What of URLs is taken to recover from.
package struct SnapshotURLRules: Sendable, Hashable {
    /// Also without encryption.
    package var allowsHTTP = false
    /// Also from this machine and its networks.
    package var allowsPrivate = false
    /// The hosts; empty: any.
    package var hosts: [String] = []
    /// Bytes of a snapshot; `nil`: what the disk has room for.
    package var bytesMax: Int?
    /// Seconds for a snapshot.
    package var secondsMax = 3600

    /// The built-in defaults.
    package init() {}
}

/// A bucket that snapshots are kept in.
package struct S3Settings: Sendable, Hashable {
    /// The bucket.
    package var bucket: String
    /// Its region.
    package var region: String
    /// The name of the key.
    package var accessKey: String
    /// The key.
    package var secretKey: String
    /// Where the service is; `nil`: Amazon's, of the region.
    package var endpoint: String?

    /// A bucket.
    package init(
        bucket: String, region: String = "us-east-1", accessKey: String, secretKey: String, endpoint: String? = nil
    ) {
        self.bucket = bucket
        self.region = region
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.endpoint = endpoint
    }
}

extension ServerSettings {
    /// Whether snapshots may be recovered from URLs: if it was said, or else if callers must show a key.
    package var recoversFromURLs: Bool { enableSnapshotURLRecovery ?? isKeyed }

    static let knownOfSnapshots: Set<String> = [
        "service.enable_snapshot_url_recovery", "service.snapshot_url.allow_http",
        "service.snapshot_url.allow_private_addresses", "service.snapshot_url.allowed_hosts",
        "service.snapshot_url.max_size_mb", "service.snapshot_url.timeout_sec",
        "storage.snapshots_config.snapshots_storage", "storage.snapshots_config.s3_config.bucket",
        "storage.snapshots_config.s3_config.region", "storage.snapshots_config.s3_config.access_key",
        "storage.snapshots_config.s3_config.secret_key", "storage.snapshots_config.s3_config.endpoint_url",
    ]

    mutating func readURLRules(_ service: JSONFields) throws(OctantError) {
        enableSnapshotURLRecovery = try service.bool("enable_snapshot_url_recovery") ?? enableSnapshotURLRecovery
        guard let rules = try service.fields("snapshot_url") else { return }
        snapshotURLs.allowsHTTP = try rules.bool("allow_http") ?? snapshotURLs.allowsHTTP
        snapshotURLs.allowsPrivate = try rules.bool("allow_private_addresses") ?? snapshotURLs.allowsPrivate
        // A list in a file; names with commas between them in the environment.
        if case .string(let names)? = rules["allowed_hosts"] {
            snapshotURLs.hosts = names.lowercased().split { $0 == "," || $0 == " " }.map(String.init)
        } else if let names = try rules.strings("allowed_hosts") {
            snapshotURLs.hosts = names.map { $0.lowercased() }
        }
        snapshotURLs.bytesMax = try rules.int("max_size_mb", from: 1, to: 1 << 30).map { $0 << 20 }
        snapshotURLs.secondsMax = try rules.int("timeout_sec", from: 1, to: 1 << 20) ?? snapshotURLs.secondsMax
    }

    mutating func readSnapshotStorage(_ storage: JSONFields) throws(OctantError) {
        guard let config = try storage.fields("snapshots_config") else { return }
        switch try config.text("snapshots_storage")?.lowercased() {
        case nil, "local": return
        case "s3": break
        case let other?:
            throw .json(
                "\(config.path("snapshots_storage")): unknown variant `\(other)`, expected one of `local`, `s3`")
        }
        guard let s3 = try config.fields("s3_config") else { throw config.missing("s3_config") }
        func needed(_ key: String) throws(OctantError) -> String {
            guard let value = try s3.text(key), !value.isEmpty else { throw s3.missing(key) }
            return value
        }
        snapshotBucket = S3Settings(
            bucket: try needed("bucket"), accessKey: try needed("access_key"), secretKey: try needed("secret_key"))
        if let region = try s3.text("region"), !region.isEmpty { snapshotBucket?.region = region }
        if let endpoint = try s3.text("endpoint_url"), !endpoint.isEmpty { snapshotBucket?.endpoint = endpoint }
    }
}
