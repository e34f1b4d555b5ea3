extension OpenAPISchemas {
    /// A SHA-256.
    static let hash = #"{"type":"string","pattern":"^[0-9a-fA-F]{64}$"}"#

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
    ]
}
