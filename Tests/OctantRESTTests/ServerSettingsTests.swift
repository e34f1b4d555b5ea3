import OctantModel
import OctantREST
import OctantService
import Testing

@Suite struct ServerSettingsTests {
    private func load(
        _ files: [JSONObject] = [], _ environment: [String: String] = [:]
    ) throws(OctantError) -> (settings: ServerSettings, warnings: [String]) {
        try ServerSettings.load(files: files, environment: environment.map { (name: $0.key, value: $0.value) })
    }

    @Test("Nothing configured means loopback, the usual port and Qdrant's defaults")
    func defaults() throws {
        let (settings, warnings) = try load()
        #expect(settings.hosts == ["127.0.0.1", "::1"])
        #expect(settings.httpPort == 6333)
        #expect(settings.storagePath == "./storage")
        #expect(settings.defaults == CollectionDefaults())
        #expect(warnings.isEmpty)
    }

    @Test("Later files are stronger than earlier ones, and the environment is stronger than all")
    func precedence() throws {
        let weak: JSONObject = ["service": .object(["http_port": .integer(1), "host": .string("a")])]
        let strong: JSONObject = ["service": .object(["http_port": .integer(2)])]
        #expect(try load([weak, strong]).settings.httpPort == 2)
        #expect(try load([weak, strong]).settings.hosts == ["a"])
        let (settings, _) = try load([weak, strong], ["QDRANT__SERVICE__HTTP_PORT": "3", "OTHER__A": "x"])
        #expect(settings.httpPort == 3)
        #expect(settings.host == "a")
    }

    @Test("Requests in flight have a quarter of the memory, or what is said")
    func inFlight() throws {
        #expect(try load([], ["QDRANT__SERVICE__MAX_IN_FLIGHT_MB": "8"]).settings.inFlightBytesMax == 8 << 20)
        let all = try load().settings.inFlightBytesMax
        #expect(all == SystemStatus.memoryLimit.map { $0 / 4 } ?? 1 << 30)
        #expect(throws: OctantError.self) { try load([], ["QDRANT__SERVICE__MAX_IN_FLIGHT_MB": "0"]) }
    }

    @Test("A key opens the server to the network, and numbers may be keys")
    func keys() throws {
        #expect(try load([], ["QDRANT__SERVICE__API_KEY": "k"]).settings.hosts == ["0.0.0.0"])
        #expect(try load([], ["QDRANT__SERVICE__API_KEY": "123"]).settings.apiKeys == ["123"])
        #expect(try load([], ["QDRANT__SERVICE__API_KEY": ""]).settings.isKeyed == false)
        #expect(try load([], ["QDRANT__SERVICE__HOST": "0.0.0.0"]).settings.hosts == ["0.0.0.0"])
    }

    @Test("Settings of storage reach the defaults of collections")
    func storage() throws {
        let (settings, warnings) = try load(
            [],
            [
                "QDRANT__STORAGE__HNSW_INDEX__M": "24", "QDRANT__STORAGE__OPTIMIZERS__INDEXING_THRESHOLD_KB": "5",
                "QDRANT__STORAGE__WAL__WAL_CAPACITY_MB": "64", "QDRANT__STORAGE__ON_DISK_PAYLOAD": "false",
                "QDRANT__STORAGE__PERFORMANCE__OPTIMIZER_CPU_BUDGET": "-1",
                "QDRANT__STORAGE__PERFORMANCE__OPTIMIZER_MEMORY_MB": "512",
                "QDRANT__STORAGE__STORAGE_PATH": "/data", "QDRANT__LOG_LEVEL": "WARN",
                "QDRANT__STORAGE__LOW_MEMORY_MODE": "no_populate", "QDRANT__STORAGE__PAYLOAD__MEMORY": "cached",
                "QDRANT__STORAGE__COLLECTION__VECTORS__ON_DISK": "true",
            ])
        #expect(settings.lowMemoryMode == .noPopulate)
        #expect(settings.defaults.payloadMemory == .cached)
        #expect(settings.defaults.vectorsOnDisk == true)
        #expect(settings.defaults.hnsw.m == 24)
        #expect(settings.defaults.optimizer.indexingThreshold == 5)
        #expect(settings.defaults.wal.capacityMB == 64)
        #expect(!settings.defaults.onDiskPayload)
        #expect(settings.optimizerCPUBudget == -1)
        #expect(settings.optimizerMemoryMB == 512)
        #expect(settings.storagePath == "/data")
        #expect(settings.logLevel == "WARN")
        #expect(warnings.isEmpty)
    }

    @Test("Snapshots may be taken from URLs if it is said, or if callers must show a key")
    func snapshotURLs() throws {
        let prefix = "QDRANT__SERVICE__"
        #expect(try !load().settings.recoversFromURLs)
        #expect(try load([], [prefix + "API_KEY": "k"]).settings.recoversFromURLs)
        #expect(try load([], [prefix + "ENABLE_SNAPSHOT_URL_RECOVERY": "true"]).settings.recoversFromURLs)
        let off = [prefix + "API_KEY": "k", prefix + "ENABLE_SNAPSHOT_URL_RECOVERY": "false"]
        #expect(try !load([], off).settings.recoversFromURLs)
        let (settings, warnings) = try load(
            [],
            [
                prefix + "SNAPSHOT_URL__ALLOW_HTTP": "true", prefix + "SNAPSHOT_URL__ALLOWED_HOSTS": "A.org, b.org",
                prefix + "SNAPSHOT_URL__ALLOW_PRIVATE_ADDRESSES": "true", prefix + "SNAPSHOT_URL__MAX_SIZE_MB": "3",
                prefix + "SNAPSHOT_URL__TIMEOUT_SEC": "5",
            ])
        #expect(warnings.isEmpty)
        #expect(settings.snapshotURLs.allowsHTTP && settings.snapshotURLs.allowsPrivate)
        #expect(settings.snapshotURLs.hosts == ["a.org", "b.org"])
        #expect(settings.snapshotURLs.bytesMax == 3 << 20 && settings.snapshotURLs.secondsMax == 5)
        let list: JSONObject = ["snapshot_url": .object(["allowed_hosts": .array([.string("C.org")])])]
        #expect(try load([["service": .object(list)]]).settings.snapshotURLs.hosts == ["c.org"])
    }

    @Test("A bucket for snapshots needs a name and keys")
    func bucket() throws {
        let prefix = "QDRANT__STORAGE__SNAPSHOTS_CONFIG__"
        let all = [
            prefix + "SNAPSHOTS_STORAGE": "s3", prefix + "S3_CONFIG__BUCKET": "b", prefix + "S3_CONFIG__REGION": "r",
            prefix + "S3_CONFIG__ACCESS_KEY": "1", prefix + "S3_CONFIG__SECRET_KEY": "2",
            prefix + "S3_CONFIG__ENDPOINT_URL": "http://x",
        ]
        let (settings, warnings) = try load([], all)
        #expect(warnings.isEmpty)
        #expect(
            settings.snapshotBucket
                == S3Settings(bucket: "b", region: "r", accessKey: "1", secretKey: "2", endpoint: "http://x"))
        #expect(try load([], [prefix + "SNAPSHOTS_STORAGE": "local"]).settings.snapshotBucket == nil)
        #expect(throws: OctantError.self) { try load([], [prefix + "SNAPSHOTS_STORAGE": "other"]) }
        for missing in ["BUCKET", "ACCESS_KEY", "SECRET_KEY"] {
            var some = all
            some[prefix + "S3_CONFIG__" + missing] = nil
            #expect(throws: OctantError.self, "\(missing)") { try load([], some) }
        }
    }

    @Test("What has no effect is named; what must have one, or has a wrong type, is an error")
    func unknown() throws {
        let (_, warnings) = try load([], ["QDRANT__SERVICE__GRPC_PORT": "6334", "QDRANT__FOO__BAR": "1"])
        #expect(warnings == ["Settings without effect in this version: foo.bar"])
        #expect(throws: OctantError(.format, "Configuration error: service.enable_tls is not supported yet")) {
            try load([], ["QDRANT__SERVICE__ENABLE_TLS": "true"])
        }
        #expect(throws: OctantError.self) { try load([], ["QDRANT__SERVICE__HTTP_PORT": "x"]) }
        #expect(throws: OctantError.self) { try load([], ["QDRANT__SERVICE__HTTP_PORT": "70000"]) }
    }
}

@Suite struct NamesTests {
    @Test("New names obey the rules; existing ones only those of paths")
    func rules() throws {
        try Names.checkNew("my-collection é 1", what: "collection")
        for name in [
            "", ".", "..", "a/b", "a\0", "a<", "a>", "a:", "a\"", "a\\", "a|", "a?", "a*", "a\u{1f}",
            String(repeating: "x", count: 256),
        ] {
            #expect(throws: OctantError.self, "\(name)") { try Names.checkNew(name, what: "collection") }
        }
        try Names.checkExisting("a<b")
        #expect(throws: OctantError.self) { try Names.checkExisting("a/b") }
    }
}
