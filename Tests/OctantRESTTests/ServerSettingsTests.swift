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
        #expect(all == SystemStatus.machineMemory.map { $0 / 4 } ?? 1 << 30)
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
