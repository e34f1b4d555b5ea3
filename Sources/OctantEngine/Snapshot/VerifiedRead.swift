package import OctantModel
import OctantStorage

extension File {
    /// Hands out the bytes of a file of a segment, piece by piece, and compares them with its checksums on the way. What was
    /// not in memory does not stay there.
    ///
    /// - Parameter isCancelled: asked between pieces.
    func readVerified(
        _ entry: SnapshotSection.Entry, isCancelled: @Sendable () -> Bool,
        _ body: (UnsafeRawBufferPointer) throws(OctantError) -> Void
    ) throws(OctantError) {
        let pieceBytes = 1 << 20
        guard let size = Int(exactly: entry.summary.size) else { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, min(size, pieceBytes)), alignment: 4096)
        defer { buffer.deallocate() }
        var check = BlockFileCheck(path: path, expected: entry.summary, uuid: entry.segment)
        let cache = CacheLook(self, size)
        var offset = 0
        while offset < size {
            if isCancelled() { throw OctantError(.unavailable, "the database is closed") }
            let range = offset..<min(offset + pieceBytes, size)
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<range.count])
            do throws(StorageError) {
                let wasCold = cache.isCold(range)
                guard try read(into: piece, at: offset) == range.count else {
                    throw StorageError(.corrupt, "\(path): shorter than the \(size) bytes of the manifest")
                }
                if wasCold { dropCached(range) }
                try check.take(UnsafeRawBufferPointer(piece))
            } catch { throw OctantError(error) }
            try body(UnsafeRawBufferPointer(piece))
            offset = range.upperBound
        }
        do throws(StorageError) { try check.finish() } catch { throw OctantError(error) }
    }
}

/// What of a file was in memory before it was read: what was not, is not to push out what searches need.
private struct CacheLook {
    private let region: MappedRegion?

    init(_ file: any File, _ size: Int) {
        // Only a hint depends on it. Small files are not worth the look.
        region = size > 1 << 18 ? try? file.map(length: size) : nil
    }

    func isCold(_ range: Range<Int>) -> Bool {
        // Some of it may be there because the system reads ahead.
        guard let region else { return false }
        return region.cachedBytes(range) < range.count / 2
    }
}
