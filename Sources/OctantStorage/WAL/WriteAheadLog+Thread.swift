extension WriteAheadLog {
    /// The log thread: takes what waits, writes, syncs, publishes; seals when idle; ends when closed and drained.
    func runLogThread() {
        monitor.lock()
        while true {
            if workLocked() { continue }
            if state.closing {
                break
            } else if state.failure == nil, state.sealedLSN < state.lastLSN {
                let nanoseconds = UInt64(max(0, options.sealAfter / .nanoseconds(1)))
                if !monitor.wait(.work, nanoseconds: nanoseconds), state.pending.isEmpty { state.sealRequested = true }
            } else {
                monitor.wait(.work)
            }
        }
        monitor.unlock()
    }

    /// Writes and syncs what waits, or a seal that is due; `false` if there is nothing to do. Called and left locked.
    private func workLocked() -> Bool {
        guard state.failure == nil else { return false }
        if !state.pending.isEmpty {
            gatherLocked()
            let batch = state.pending
            state.pending = []
            monitor.unlock()
            var sync: ClosedRange<ContinuousClock.Instant>?
            let failure = commit(batch, &sync)
            monitor.lock()
            if let sync {
                pace.note(
                    records: batch.count, waiting: state.pending.count, began: sync.lowerBound, ended: sync.upperBound)
            }
            if let failure { fence(failure) }
        } else if mustSeal() {
            state.sealRequested = false
            sealLocked()
        } else {
            return false
        }
        monitor.signal(.progress)
        return true
    }

    /// Does the log thread's work on this one, in a simulation, where there is no log thread.
    ///
    /// - Parameter sealing: as after the time without appends that has a seal written.
    package func runPending(sealing: Bool) {
        monitor.lock()
        defer { monitor.unlock() }
        if sealing, state.sealedLSN < state.lastLSN { state.sealRequested = true }
        while workLocked() {}
    }

    /// Writes one batch and syncs it. Returns the error that fences the log.
    ///
    /// - Parameter sync: when the sync began and ended.
    private func commit(
        _ batch: [PendingFrame], _ sync: inout ClosedRange<ContinuousClock.Instant>?
    ) -> StorageError? {
        do throws(StorageError) {
            let callbacks = callbacks()
            var bytes = 0
            for frame in batch {
                if let spare = frame.opens { try roll(into: spare, firstLSN: frame.lsn) }
                frame.payload.withUnsafeBytes { payload in
                    active.crc = buffer.append(
                        type: frame.type, flags: frame.flags, lsn: frame.lsn,
                        durable: durable.load(ordering: .relaxed),
                        payload: UnsafeRawBufferPointer(rebasing: payload[frame.range]), previous: active.crc,
                        salt: active.salt)
                }
                active.lastLSN = frame.lsn
                bytes += frame.range.count
                if buffer.count >= 4 << 20 { try flush() }
            }
            try flush()
            guard let lsn = batch.last?.lsn else { return nil }
            written.store(lsn, ordering: .releasing)
            monitor.lock()
            state.pendingBytes -= bytes
            monitor.signal(.progress)
            monitor.unlock()
            callbacks.onWritten(lsn)
            let began = ContinuousClock.now
            try active.file.syncData()
            sync = began...max(began, ContinuousClock.now)
            durable.store(lsn, ordering: .releasing)
            callbacks.onDurable(lsn)
            return nil
        } catch {
            return error
        }
    }

    private func callbacks() -> Callbacks {
        monitor.lock()
        defer { monitor.unlock() }
        return state.callbacks
    }

    /// Writes the encoded frames behind the last ones.
    private func flush() throws(StorageError) {
        guard buffer.count > 0 else { return }
        try active.file.write(buffer.bytes, at: active.offset)
        active.offset += buffer.count
        writeZerosAhead(of: buffer.count)
        buffer.removeAll()
    }

    /// Writes zeros behind the records, once they come to bytes that were allocated and never written.
    ///
    /// A sync of bytes in such blocks makes the file system note in its own journal that they are written now, and takes
    /// twice the time of one that only writes data. So that is done for hundreds of records at once; in a new file for
    /// fewer, because many collections get few records. Large batches have it done by themselves. What fails here fails no
    /// record: the same bytes will be written with records, and synced.
    ///
    /// - Parameter batch: bytes that were just written, up to `active.offset`.
    private func writeZerosAhead(of batch: Int) {
        guard active.offset > active.blank else { return }
        let ahead = min(options.zerosAhead, max(64 << 10, active.offset))
        guard ahead >= 8 * batch else {
            active.blank = active.offset
            return
        }
        active.blank = min(active.capacity, (active.offset + ahead) & ~4095)
        guard active.blank > active.offset else { return }
        let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: active.blank - active.offset, alignment: 16)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        try? active.file.write(UnsafeRawBufferPointer(zeros), at: active.offset)
    }

    /// Goes on in the next file. The old file is synced first and the new one's header before it gets its name, so a
    /// file with a sequence number always has a good header, and all before it is durable.
    private func roll(into spare: SpareFile, firstLSN: LSN) throws(StorageError) {
        try flush()
        try active.file.syncData()
        let sequence = active.sequence &+ 1
        let header = WALFileHeader(
            back: 1, shard: shard, collection: collection, sequence: sequence, firstLSN: firstLSN,
            salt: Simulation.random(), previousCRC: active.crc)
        let bytes = header.encoded()
        try bytes.withRawBytes { (raw) throws(StorageError) in try spare.file.write(raw, at: 0) }
        try spare.file.syncData()
        let path = WriteAheadLog.logPath(directory, sequence)
        try fileSystem.rename(spare.file.path, to: path)
        try fileSystem.syncDirectory(directory)
        let old = active
        active = ActiveFile(
            file: spare.file, sequence: sequence, salt: header.salt, capacity: spare.capacity,
            blank: spare.isUsed ? spare.capacity : WALFileHeader.size,
            crc: CRC32C.extend(0, Array(bytes[..<60])), offset: WALFileHeader.size, lastLSN: 0)
        old.file.close()
        monitor.lock()
        defer { monitor.unlock() }
        state.closedFiles.append(
            ClosedFile(path: WriteAheadLog.logPath(directory, old.sequence), lastLSN: old.lastLSN))
    }

    /// Whether a seal is due: asked for, nothing waits, and something was synced since the last one.
    private func mustSeal() -> Bool {
        (state.sealRequested || state.closing) && state.sealedLSN < state.lastLSN
    }

    /// Writes and syncs a seal frame, which says that everything before it is durable. Called and left locked.
    private func sealLocked() {
        let lsn = state.lastLSN
        // Each file keeps room for one seal behind its records; a second one needs new records first.
        guard state.planOffset + WALFrame.smallest <= state.planCapacity else {
            state.sealedLSN = lsn
            return
        }
        state.planOffset += WALFrame.smallest
        monitor.unlock()
        var failure: StorageError?
        do throws(StorageError) {
            active.crc = buffer.append(
                type: 0, flags: WALFrame.seal, lsn: lsn, durable: lsn,
                payload: UnsafeRawBufferPointer(start: nil, count: 0), previous: active.crc, salt: active.salt)
            try flush()
            try active.file.syncData()
        } catch { failure = error }
        monitor.lock()
        if let failure { fence(failure) } else { state.sealedLSN = lsn }
    }

    /// Stops acknowledging. Called locked.
    private func fence(_ error: StorageError) {
        guard state.failure == nil else { return }
        let file = lastPathComponent(WriteAheadLog.logPath(directory, active.sequence))
        let error = StorageError(error.code, "the log stopped at file \(file): \(error.message)")
        state.failure = error
        state.pending = []
        state.pendingBytes = 0
        let onFailure = state.callbacks.onFailure
        monitor.signal(.progress)
        monitor.unlock()
        onFailure(error)
        monitor.lock()
    }
}
