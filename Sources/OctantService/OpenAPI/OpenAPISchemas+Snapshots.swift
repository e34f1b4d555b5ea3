extension OpenAPISchemas {
    /// A SHA-256.
    static let hash = #"{"type":"string","pattern":"^[0-9a-fA-F]{64}$"}"#

    private static let file = object([("path!", text), ("size!", count()), ("checksum!", count(0, Int(UInt32.max)))])

    static let snapshots: [(name: String, schema: String)] = [
        (
            "SnapshotDescription",
            object([("name!", text), ("creation_time?", text), ("size!", count()), ("checksum?", hash)])
        ),
        (
            "SnapshotRecover",
            object([
                ("location!", #"{"type":"string","format":"uri"}"#),
                ("priority?", #"{"enum":["no_sync","snapshot","replica"]}"#), ("checksum?", hash),
                ("api_key?", text),
            ])
        ),
        (
            "SnapshotManifest",
            object([
                ("version", #"{"const":1}"#), ("lsn", count()), ("state", hash),
                ("files", #"{"type":"array","items":"# + file + "}"),
            ])
        ),
        (
            "PartialSnapshotRecoverFrom",
            object([("peer_url!", #"{"type":"string","format":"uri"}"#), ("api_key?", text)])
        ),
    ]
}
