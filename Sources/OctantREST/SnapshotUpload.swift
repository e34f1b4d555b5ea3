package import OctantModel
package import OctantService
import Octant
import Synchronization

/// A snapshot that is being received: the form is read as it comes, the file in it goes to the disk, and in the end the
/// collection is recovered from it. Nothing of it is kept in memory, and nothing on the disk if it ends early.
package final class SnapshotUpload: Sendable {
    private struct State {
        var form: MultipartReader
        var file: TransferFile?
        var isOver = false
    }

    private let service: Service
    private let request: RESTRequest
    private let scope: SnapshotScope
    private let priority: SnapshotPriority
    private let checksum: String?
    private let wait: Bool
    private let length: Int?
    private let state: Mutex<State>

    /// Refuses what can be told before the first byte, such as a disk without room.
    init(
        _ service: Service, _ request: RESTRequest, scope: SnapshotScope, contentType: String?, length: Int?
    ) throws(OctantError) {
        self.service = service
        self.request = request
        self.scope = scope
        self.length = length
        wait = try request.waits()
        priority =
            try request.item("priority").map { (text) throws(OctantError) in
                try SnapshotPriority(text: text) { OctantError(.format, "Query deserialize error: \($0)") }
            } ?? .snapshot
        checksum = request.item("checksum")
        if let checksum { try SnapshotRecovery.check(checksum, "Validation error in query parameters") }
        state = Mutex(State(form: try MultipartReader(contentType: contentType, field: "snapshot")))
        try service.checkTarget(scope)
        if let length { try service.checkRoom(forUpload: length) }
    }

    /// Takes the next bytes of the body. Blocks; one thread at a time.
    package func receive(_ bytes: UnsafeRawBufferPointer) throws(OctantError) {
        try state.withLock { (state) throws(OctantError) in
            guard !state.isOver else { return }
            if state.file == nil { state.file = try service.uploadFile(length) }
            guard let file = state.file else { return }
            try state.form.read(bytes) { (content) throws(OctantError) in try file.append(content) }
        }
    }

    /// Recovers from what was received; `respond` is called once, from any thread.
    package func finish(_ respond: @escaping @Sendable (RESTResponse) -> Void) {
        let start = request.start
        let counted: @Sendable (RESTResponse) -> Void = { [service, request] response in
            service.telemetry.record(
                request.operation, status: response.status, seconds: request.start.elapsedSeconds,
                collection: request.parameters.first { $0.name == "collection" }?.value)
            respond(response)
        }
        let file: TransferFile
        do throws(OctantError) {
            file = try take()
        } catch {
            discard()
            return counted(.error(error, seconds: start.elapsedSeconds))
        }
        if request.operation == .uploadPartialSnapshot { return recoverPartial(file, counted) }
        let (service, scope, checksum, priority) = (service, scope, checksum, priority)
        let work: @Sendable () throws(OctantError) -> RESTResponse = { () throws(OctantError) in
            defer { file.discard() }
            try service.recover(scope, path: file.path, checksum: checksum, priority: priority)
            return .result(since: start) { $0.value(true) }
        }
        if wait { return service.snapshotThreads.work.submit { counted(RESTHandler.answer(start, work)) } }
        counted(.accepted(since: start))
        service.snapshotThreads.work.submit { service.logErrors("recovery from an upload", work) }
    }

    private func recoverPartial(_ file: TransferFile, _ respond: @escaping @Sendable (RESTResponse) -> Void) {
        let (service, scope, checksum, start) = (service, scope, checksum, request.start)
        let claim: PartialRecoveryClaim
        do throws(OctantError) {
            guard let free = try service.claimPartialRecovery(scope) else {
                file.discard()
                return respond(.alreadyInProgress(since: start))
            }
            claim = free
        } catch {
            file.discard()
            return respond(.error(error, seconds: start.elapsedSeconds))
        }
        let work: @Sendable () throws(OctantError) -> RESTResponse = { () throws(OctantError) in
            defer { file.discard() }
            try service.recoverPartial(scope, path: file.path, checksum: checksum, claim)
            return .result(since: start) { $0.value(true) }
        }
        if wait { return service.snapshotThreads.work.submit { respond(RESTHandler.answer(start, work)) } }
        respond(.accepted(since: start))
        service.snapshotThreads.work.submit { service.logErrors("recovery from a partial snapshot", work) }
    }

    /// The file, which the caller must remove.
    private func take() throws(OctantError) -> TransferFile {
        try state.withLock { (state) throws(OctantError) in
            try state.form.finish()
            guard let file = state.file else { throw MultipartReader.incomplete }
            try file.finish()
            state.file = nil
            state.isOver = true
            return file
        }
    }

    /// Removes what was received. Blocks while a piece is being written.
    package func discard() {
        let file = state.withLock { state in
            defer { state.file = nil }
            state.isOver = true
            return state.file
        }
        file?.discard()
    }

    /// Runs a job on the threads that write uploads.
    package func submit(_ job: @escaping @Sendable () -> Void) { service.snapshotThreads.uploads.submit(job) }
}
