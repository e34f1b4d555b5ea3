extension WriteAheadLog {
    /// Numbers a record and queues it; numbers are given in call order. Blocks while too much waits to be written.
    ///
    /// - Throws: `.diskFull` when no space can be allocated (the log stays usable, nothing was queued), the fence's
    ///   error, or `.closed`.
    package func append(
        type: UInt8, payload: [UInt8], mayUseReserve: Bool = false
    ) throws(StorageError) -> LSN {
        monitor.lock()
        defer { monitor.unlock() }
        while true {
            if let failure = state.failure { throw failure }
            guard !state.closing else { throw StorageError(.closed, "\(directory): the log is closed") }
            // A single record larger than the limit passes alone.
            let waits = state.pendingBytes > 0 && state.pendingBytes + payload.count > options.pendingBytesMax
            if !waits { break }
            monitor.wait(.progress)
        }
        let pieces: [Piece]
        do throws(StorageError) { pieces = try plan(payload.count, mayUseReserve: mayUseReserve) } catch {
            releaseExcessSpares()
            throw error
        }
        let lsn = state.lastLSN &+ 1
        for (index, piece) in pieces.enumerated() {
            var flags: UInt8 = index == 0 ? WALFrame.first : 0
            if index == pieces.count - 1 { flags |= WALFrame.last }
            state.pending.append(
                PendingFrame(
                    lsn: lsn, type: type, flags: flags, payload: payload, range: piece.range, opens: piece.opens))
        }
        state.pendingBytes += payload.count
        state.lastLSN = lsn
        last.store(lsn, ordering: .releasing)
        // A log thread that gathers records need not look at each.
        if state.pending.count >= state.gathers || state.pendingBytes >= SyncPace.bytesMax { monitor.signal(.work) }
        return lsn
    }

    private struct Piece {
        var range: Range<Int>
        var opens: SpareFile?
    }

    /// Room for frames in a file of `capacity` bytes from `offset`: the end is kept for one seal.
    private static func room(_ offset: Int, _ capacity: Int) -> Int {
        max(0, (capacity - WALFrame.smallest - offset) & ~7)
    }

    /// Decides where a record of `length` bytes goes and claims the spare files for it. Changes nothing when it
    /// throws, except that spares may have been allocated.
    private func plan(_ length: Int, mayUseReserve: Bool) throws(StorageError) -> [Piece] {
        var pieces: [Piece] = []
        var offset = state.planOffset
        var capacity = state.planCapacity
        var claimed = 0
        var opens: SpareFile?
        var start = 0
        while true {
            let rest = length - start
            let room = WriteAheadLog.room(offset, capacity)
            if WALFrame.size(rest) <= room {
                pieces.append(Piece(range: start..<length, opens: opens))
                offset += WALFrame.size(rest)
                break
            }
            // Only a record that no fresh file could hold is split; the first piece fills the file at hand.
            let fresh = WriteAheadLog.room(WALFileHeader.size, options.fileBytes)
            let split = start > 0 || WALFrame.size(rest) > fresh
            if split, room >= WALFrame.smallest * 2 {
                let count = room - WALFrame.overhead
                pieces.append(Piece(range: start..<(start + count), opens: opens))
                start += count
            }
            opens = try claim(claimed, mayUseReserve: mayUseReserve)
            claimed += 1
            offset = WALFileHeader.size
            capacity = opens?.capacity ?? 0
        }
        // The reserve: what is not a delete leaves one spare behind.
        if state.spares.count == claimed, !mayUseReserve { state.spares.append(try allocateSpare()) }
        state.spares.removeFirst(claimed)
        state.planOffset = offset
        state.planCapacity = capacity
        return pieces
    }

    /// Gives back what a record that found no room had allocated.
    private func releaseExcessSpares() {
        while state.spares.count > options.retainClosed + 1, let spare = state.spares.popLast() {
            spare.file.close()
            // A spare that stays is found at the next opening.
            try? fileSystem.unlink(spare.file.path)
        }
    }

    private func claim(_ index: Int, mayUseReserve: Bool) throws(StorageError) -> SpareFile {
        if state.spares.count <= index { state.spares.append(try allocateSpare()) }
        return state.spares[index]
    }
}
