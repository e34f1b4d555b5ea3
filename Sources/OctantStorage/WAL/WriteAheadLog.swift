import COctantKernels
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The log of one shard: records go in at the end, and come out again in order after a crash.
///
/// `append` numbers a record and returns; one thread ("octant-wal") takes everything that waits, writes it with as
/// few writes as possible, syncs once and publishes the new durable LSN, so that many writers share one sync. How long
/// it waits for them says ``SyncPace``.
///
/// Files are allocated in full before a record is promised space in them, so an append fails with `.diskFull` before
/// it has a number or not at all. One spare file always stays back: a record appended with `mayUseReserve` (deletes)
/// still finds room when nothing can be allocated any more.
///
/// After a failed write or sync the log is fenced: nobody knows what reached the disk, so nothing further is
/// acknowledged, and only reopening (which copies what survived into a new file) continues.
package final class WriteAheadLog: Sendable {
    /// Sizes and times.
    package struct Options: Sendable {
        /// Length of a log file in bytes, at least 4096.
        package var fileBytes = 32 << 20
        /// Truncated files that are kept for reuse; overwriting them syncs faster than fresh blocks.
        package var retainClosed = 1
        /// Appends block while more than this waits to be written.
        package var pendingBytesMax = 64 << 20
        /// Bytes of a log file that opening holds in memory at a time; a larger record is held whole.
        package var windowBytes = 256 << 10
        /// Bytes that are written with zeros ahead of the records, at most, in a file that was allocated and never written.
        /// 0: none.
        package var zerosAhead = 512 << 10
        /// Idle time after which a seal frame confirms the last batch.
        package var sealAfter: Duration = .milliseconds(50)

        /// The defaults.
        package init() {}
    }

    /// What opening found and did.
    package struct RecoveryReport: Sendable, Equatable {
        /// Log files read.
        package var files = 0
        /// Intact frames read.
        package var frames = 0
        /// Records handed to `replay`.
        package var records = 0
        /// The highest LSN in the log, or the checkpoint when that is higher.
        package var lastLSN: LSN = 0
        /// Frames of the unconfirmed tail that were copied into a new file.
        package var framesCopied = 0
        /// Frames of an unsynced tail that were dropped: at least this many.
        package var framesDropped = 0
        /// Whether the log ended with a seal that confirms everything before it (a clean shutdown, or idle).
        package var sealed = false
        /// Where an unsynced tail was dropped: file and offset.
        package var dropped: String?
    }

    let directory: String
    let fileSystem: any FileSystem
    let collection: UUIDBytes
    let shard: UInt32
    let options: Options
    let monitor = Monitor()
    // SAFETY: touched only while `monitor` is locked.
    nonisolated(unsafe) var state: State
    // SAFETY: touched only by the log thread (or by `close` when there is none).
    nonisolated(unsafe) var active: ActiveFile
    // SAFETY: as `active`.
    nonisolated(unsafe) let buffer = WALBuffer(capacity: 256 << 10)
    // SAFETY: as `active`.
    nonisolated(unsafe) var pace = SyncPace()
    let last: Atomic<UInt64>
    let written: Atomic<UInt64>
    let durable: Atomic<UInt64>

    init(
        directory: String, fileSystem: any FileSystem, collection: UUIDBytes, shard: UInt32, options: Options,
        active: ActiveFile, state: State, lastLSN: LSN
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.collection = collection
        self.shard = shard
        self.options = options
        self.active = active
        self.state = state
        last = Atomic(lastLSN)
        written = Atomic(lastLSN)
        durable = Atomic(lastLSN)
    }

    /// The highest LSN given out.
    package var lastLSN: LSN { last.load(ordering: .acquiring) }
    /// The highest LSN handed to the operating system: it survives the end of this process.
    package var writtenLSN: LSN { written.load(ordering: .acquiring) }
    /// The highest LSN on the device.
    package var durableLSN: LSN { durable.load(ordering: .acquiring) }

    /// Why the log is fenced, if it is.
    package var failure: StorageError? {
        monitor.lock()
        defer { monitor.unlock() }
        return state.failure
    }

    /// Starts the log thread. The callbacks run on it, in LSN order, each with the highest LSN of a batch; they must
    /// be short and must not call `append` (it may block), `waitDurable`, `seal` or `close`. The thread keeps the log
    /// alive: it ends, and the log can go, after `close`. In a simulation there is none: see ``runPending(sealing:)``.
    package func start(
        onWritten: @escaping @Sendable (LSN) -> Void = { _ in },
        onDurable: @escaping @Sendable (LSN) -> Void = { _ in },
        onFailure: @escaping @Sendable (StorageError) -> Void = { _ in }
    ) {
        monitor.lock()
        defer { monitor.unlock() }
        guard state.thread == nil, !state.closed else { return }
        state.callbacks = Callbacks(onWritten: onWritten, onDurable: onDurable, onFailure: onFailure)
        if Simulation.current != nil { return }
        state.thread = spawn { [self] in
            octant_set_thread_name("octant-wal")
            runLogThread()
        }
        if state.thread == nil {
            state.failure = StorageError(.io(EAGAIN), "\(directory): the log thread could not be started")
        }
    }

    /// Waits until `lsn` is on the device.
    package func waitDurable(_ lsn: LSN) throws(StorageError) {
        if durableLSN >= lsn { return }
        monitor.lock()
        defer { monitor.unlock() }
        while durableLSN < lsn {
            if let failure = state.failure { throw failure }
            if state.closed { throw StorageError(.closed, "\(directory): the log is closed") }
            monitor.wait(.progress)
        }
    }

    /// Writes the seal now instead of after `sealAfter`; returns when it is synced or the log is fenced.
    package func seal() {
        monitor.lock()
        defer { monitor.unlock() }
        guard state.thread != nil else { return }
        let target = state.lastLSN
        while state.failure == nil, !state.closed, state.sealedLSN < target {
            state.sealRequested = true
            monitor.signal(.work)
            monitor.wait(.progress)
        }
    }

    /// Writes and syncs what waits, seals, and ends the log thread. Safe to call twice; not from a callback.
    package func close() {
        monitor.lock()
        guard !state.closing else {
            while !state.closed { monitor.wait(.progress) }
            monitor.unlock()
            return
        }
        state.closing = true
        monitor.signal(.work)
        let thread = state.thread
        monitor.unlock()
        if let thread { pthread_join(thread, nil) } else { runLogThread() }
        active.file.close()
        monitor.lock()
        for spare in state.spares { spare.file.close() }
        state.closed = true
        monitor.signal(.progress)
        monitor.unlock()
    }

    struct Callbacks {
        var onWritten: @Sendable (LSN) -> Void = { _ in }
        var onDurable: @Sendable (LSN) -> Void = { _ in }
        var onFailure: @Sendable (StorageError) -> Void = { _ in }
    }

    /// The file being written.
    struct ActiveFile {
        var file: any File
        var sequence: UInt64
        var salt: UInt64
        /// Length of the file.
        var capacity: Int
        /// What lies before this was written before, if only with zeros.
        var blank: Int
        /// Chain CRC at `offset`.
        var crc: UInt32
        var offset: Int
        /// The highest LSN in the file, 0 when it has no frame.
        var lastLSN: LSN
    }

    /// An allocated file without a sequence number.
    struct SpareFile {
        var file: any File
        var capacity: Int
        /// Whether it was a log file before: all of it was written once.
        var isUsed = false
    }

    /// A full file.
    struct ClosedFile {
        var path: String
        var lastLSN: LSN
    }

    /// A frame that waits for the log thread; a record larger than a file has several.
    struct PendingFrame {
        var lsn: LSN
        var type: UInt8
        var flags: UInt8
        var payload: [UInt8]
        var range: Range<Int>
        /// The file this frame begins, when it does not fit in the one before.
        var opens: SpareFile?
    }

    /// Everything the monitor guards.
    struct State {
        var lastLSN: LSN
        var sealedLSN: LSN
        var pending: [PendingFrame] = []
        var pendingBytes = 0
        /// Records for which the log thread rests, at most a moment; 0: it does not.
        var gathers = 0
        /// Where the next frame will go: position and end of the file that is last in the plan.
        var planOffset: Int
        var planCapacity: Int
        var spares: [SpareFile] = []
        var spareNumber: UInt64 = 0
        var closedFiles: [ClosedFile] = []
        var failure: StorageError?
        var sealRequested = false
        var closing = false
        var closed = false
        var thread: pthread_t?
        var callbacks = Callbacks()
    }
}

/// Starts a thread that runs `body`; `nil` when the system has none left.
private func spawn(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body))
    #if canImport(Darwin)
    var thread: pthread_t?
    let result = pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    #else
    var thread = pthread_t()
    let result = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    #endif
    guard result == 0 else {
        box.release()
        return nil
    }
    return thread
}
