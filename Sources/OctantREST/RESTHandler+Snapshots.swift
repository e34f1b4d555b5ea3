package import OctantModel
package import OctantService

extension RESTHandler {
    /// Runs an operation on snapshots, but for uploads. `respond` is called once, from any thread.
    ///
    /// What the request says is checked here; the work is done on threads that have time for it. With `wait=false` the
    /// answer comes before the work, whose errors are logged.
    func runSnapshots(_ request: RESTRequest, respond: @escaping @Sendable (RESTResponse) -> Void) {
        let (service, start) = (service, request.start)
        do throws(OctantError) {
            guard let (level, action) = request.operation.snapshot, !request.operation.isUpload else {
                throw OctantError(.service, "an operation was not run as one on snapshots")
            }
            let scope = try request.snapshotScope(level)
            let wait = try request.waits()
            if action == .recoverPartial { return try recoverPartial(scope, request, wait: wait, respond) }
            let work = try work(action, scope, request)
            if wait || ![.create, .delete, .recover].contains(action) {
                // Servers that recover from each other must not wait for threads on which the other does.
                let isForPeer = [.manifest, .createPartial].contains(action)
                let threads = isForPeer ? service.snapshotThreads.downloads : service.snapshotThreads.work
                return threads.submit { respond(Self.answer(start, work)) }
            }
            respond(.accepted(since: start))
            service.snapshotThreads.work.submit { service.logErrors("\(request.operation)", work) }
        } catch {
            respond(.error(error, seconds: start.elapsedSeconds))
        }
    }

    private typealias Work = @Sendable () throws(OctantError) -> RESTResponse

    private func work(
        _ action: Operation.SnapshotAction, _ scope: SnapshotScope, _ request: RESTRequest
    ) throws(OctantError) -> Work {
        let (service, start, name) = (service, request.start, request.parameter("snapshot"))
        switch action {
        case .list:
            return { () throws(OctantError) in
                let found = try service.listSnapshots(scope)
                return .result(since: start) { writer in
                    writer.beginArray()
                    for description in found { writer.value(description.json) }
                    writer.endArray()
                }
            }
        case .create:
            let incremental = try request.flag("incremental")
            return { () throws(OctantError) in
                let made = try service.createSnapshot(scope, incremental: incremental)
                return .result(since: start) { $0.value(made.json) }
            }
        case .delete:
            return { () throws(OctantError) in
                try service.deleteSnapshot(scope, name: name)
                return .result(since: start) { $0.value(true) }
            }
        case .recover:
            let recovery = try SnapshotRecovery(json: try JSONParser.parse(request.body))
            return { () throws(OctantError) in
                try service.recover(scope, recovery)
                return .result(since: start) { $0.value(true) }
            }
        case .download:
            return { () throws(OctantError) in .download(try service.downloadSnapshot(scope, name: name)) }
        case .manifest:
            return { () throws(OctantError) in
                let manifest = try service.snapshotManifest(scope)
                return .result(since: start) { $0.value(manifest.json) }
            }
        case .createPartial:
            let manifest = try SnapshotManifest(json: try JSONParser.parse(request.body))
            return { () throws(OctantError) in
                guard let partial = try service.partialSnapshot(scope, lacking: manifest) else { return .notModified }
                return .download(partial)
            }
        case .stream, .upload, .uploadPartial, .recoverPartial:
            return { () throws(OctantError) in .download(try service.streamSnapshot(scope)) }
        }
    }

    /// Asks another server for what a shard lacks, unless that is being done.
    private func recoverPartial(
        _ scope: SnapshotScope, _ request: RESTRequest, wait: Bool,
        _ respond: @escaping @Sendable (RESTResponse) -> Void
    ) throws(OctantError) {
        let (service, start) = (service, request.start)
        let recovery = try PartialRecovery(json: try JSONParser.parse(request.body))
        guard let claim = try service.claimPartialRecovery(scope) else {
            return respond(.alreadyInProgress(since: start))
        }
        let work: Work = { () throws(OctantError) in
            let differed = try service.recoverPartial(scope, recovery, claim)
            return .result(since: start) { $0.value(differed) }
        }
        if wait { return service.snapshotThreads.work.submit { respond(Self.answer(start, work)) } }
        respond(.accepted(since: start))
        service.snapshotThreads.work.submit { service.logErrors("\(request.operation)", work) }
    }

    static func answer(
        _ start: ContinuousClock.Instant, _ work: () throws(OctantError) -> RESTResponse
    ) -> RESTResponse {
        do throws(OctantError) { return try work() } catch {
            return .error(error, seconds: start.elapsedSeconds)
        }
    }

    /// Runs a job on a thread that may wait for a client.
    package func submitDownload(_ job: @escaping @Sendable () -> Void) {
        service.snapshotThreads.downloads.submit(job)
    }

    /// Begins to receive a snapshot whose bytes follow.
    ///
    /// - Parameter length: Bytes of the body, if that is known.
    package func beginUpload(
        _ request: RESTRequest, contentType: String?, length: Int?
    ) throws(OctantError) -> SnapshotUpload {
        guard let level = request.operation.snapshot?.level else {
            throw OctantError(.service, "an operation was not run as an upload")
        }
        return try SnapshotUpload(
            service, request, scope: try request.snapshotScope(level), contentType: contentType, length: length)
    }
}

extension Service {
    /// Runs work that nobody waits for.
    func logErrors<Value>(_ what: String, _ work: () throws(OctantError) -> Value) {
        do throws(OctantError) { _ = try work() } catch { snapshots.log("\(what) failed: \(error)") }
    }
}

extension RESTRequest {
    /// What the snapshot of the path is of.
    func snapshotScope(_ level: Operation.SnapshotLevel) throws(OctantError) -> SnapshotScope {
        switch level {
        case .storage: return .storage
        case .collection: return .collection(try collection())
        case .shard:
            let text = parameter("shard")
            guard let id = UInt32(text) else {
                throw OctantError(.format, "Path deserialize error: can not parse `\(text)` to a u32")
            }
            return .shard(collection: try collection(), id: Int(id))
        }
    }

    /// Whether the answer is to come after the work: unless `wait=false`.
    func waits() throws(OctantError) -> Bool {
        let flag = try flag("wait")
        return flag || item("wait") == nil
    }
}

extension RESTResponse {
    /// The answer to what will be done.
    static func accepted(since start: ContinuousClock.Instant) -> RESTResponse {
        status("accepted", 202, since: start)
    }

    /// The answer to what another request is at.
    static func alreadyInProgress(since start: ContinuousClock.Instant) -> RESTResponse {
        status("already_in_progress", 503, since: start)
    }

    /// Nothing differs.
    static let notModified = RESTResponse(status: 304, body: [])

    private static func status(_ text: String, _ code: Int, since start: ContinuousClock.Instant) -> RESTResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("status")
        writer.value(text)
        writer.key("time")
        writer.value(start.elapsedSeconds)
        writer.endObject()
        return RESTResponse(status: code, body: writer.bytes)
    }

    /// A file, sent while it is read.
    static func download(_ download: SnapshotDownload) -> RESTResponse {
        var response = RESTResponse(status: 200, contentType: "application/octet-stream", body: [])
        response.download = download
        return response
    }
}
