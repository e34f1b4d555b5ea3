extension OperationDescription {
    /// Snapshots: of a collection, of a shard, of everything.
    static let snapshots: [String: OperationDescription] = {
        var all: [String: OperationDescription] = [:]
        let places = [
            ("/collections/{collection}", "a collection"), ("/collections/{collection}/shards/{shard}", "a shard"),
            ("", "all collections and aliases"),
        ]
        let tag = "Snapshots"
        let truth = Answer.result(#"{"type":"boolean"}"#)
        for (place, what) in places {
            let path = place + "/snapshots"
            all["GET \(path)"] = .init(
                tag, "The snapshots of \(what)", answer: .result(list("SnapshotDescription")))
            all["POST \(path)"] = .init(
                tag, "Takes a snapshot of \(what)", .create, answer: .result(ref("SnapshotDescription")))
            all["GET \(path)/{snapshot}"] = .init(tag, "Sends a snapshot of \(what)", answer: .file)
            all["DELETE \(path)/{snapshot}"] = .init(tag, "Removes a snapshot of \(what)", .later, answer: truth)
            guard !place.isEmpty else { continue }
            all["PUT \(path)/recover"] = .init(
                tag, "Puts a snapshot in the place of the data of \(what)", .later, body: ref("SnapshotRecover"),
                example: #"{"location":"file:///example.snapshot"}"#, answer: truth)
            all["POST \(path)/upload"] = .init(
                tag, "Puts a snapshot that is sent along in the place of the data of \(what)", .upload,
                answer: truth)
        }
        all["GET /collections/{collection}/shards/{shard}/snapshot"] = .init(
            tag, "Sends a snapshot of a shard as it is now", answer: .file)
        return all.merging(partial) { first, _ in first }
    }()

    private static let partial: [String: OperationDescription] = {
        let (tag, path) = ("Partial snapshots", "/collections/{collection}/shards/{shard}/snapshot/partial")
        let truth = Answer.result(#"{"type":"boolean"}"#)
        return [
            "GET \(path)/manifest": .init(
                tag, "What a shard has, for a server that is asked what it lacks",
                answer: .result(ref("SnapshotManifest"))),
            "POST \(path)/create": .init(
                tag, "Sends what a shard has and the one of the manifest lacks; 304 if that is nothing", .unlessSame,
                body: ref("SnapshotManifest"), example: "{}", answer: .file),
            "POST \(path)/recover": .init(
                tag, "Puts a partial snapshot that is sent along, and what it leaves out, in the place of a shard",
                .partialUpload, answer: truth),
            "POST \(path)/recover_from": .init(
                tag, "Takes what a shard lacks from another server; whether anything differed", .exclusive,
                body: ref("PartialSnapshotRecoverFrom"), example: #"{"peer_url":"http://127.0.0.1:6333"}"#,
                answer: truth),
        ]
    }()
}
