import COctantKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How mapped bytes will be used.
package enum AccessAdvice: Int32, Sendable {
    /// No particular pattern.
    case normal = 0
    /// No read-ahead.
    case random = 1
    /// Much read-ahead.
    case sequential = 2
    /// Read in soon.
    case willNeed = 3
    /// May be dropped from memory. For files only: see ``MappedRegion/unload(_:)``.
    case dontNeed = 4
    /// In huge pages, if the file system can.
    case hugePages = 5
}

/// A read-only mapping of a file, unmapped when the last reference goes.
///
/// Reading a page past the end of a file that somebody cut short raises SIGBUS, which is why sizes are checked
/// before mapping and published files are never changed.
package final class MappedRegion: Sendable {
    // SAFETY: read-only memory that lives as long as this object; nobody writes through the pointer.
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer
    /// Length in bytes, at least one.
    package let count: Int

    /// Whether the pages come from a file, and come back from it when they were dropped.
    private let isOfFile: Bool

    init(start: UnsafeMutableRawPointer, count: Int, isOfFile: Bool = false) {
        self.start = start
        self.count = count
        self.isOfFile = isOfFile
    }

    deinit { munmap(start, count) }

    /// The bytes; valid as long as this object.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// Tells the kernel about the use of `range`. A hint: failures are of no consequence.
    package func advise(_ advice: AccessAdvice, _ range: Range<Int>) {
        guard let (from, length) = pages(range) else { return }
        _ = octant_advise(from, length, advice.rawValue)
    }

    /// Reads `range` into memory now.
    package func populate(_ range: Range<Int>) {
        guard let (from, length) = pages(range) else { return }
        _ = octant_populate(from, length)
    }

    /// Takes the pages of `range` out of this process; they are read again when they are touched.
    package func unload(_ range: Range<Int>) {
        guard isOfFile, let (from, length) = pages(range) else { return }
        _ = octant_advise(from, length, AccessAdvice.dontNeed.rawValue)
    }

    /// Bytes of `range` that the system has in memory, for this process or another; 0 where it does not tell.
    package func cachedBytes(_ range: Range<Int>) -> Int {
        guard let (from, length) = pages(range) else { return 0 }
        return Int(octant_cached_pages(from, length)) * Self.pageSize
    }

    private static let pageSize = max(1, Int(sysconf(Int32(_SC_PAGESIZE))))

    /// The whole pages around `range`, inside the mapping.
    private func pages(_ range: Range<Int>) -> (UnsafeMutableRawPointer, Int)? {
        let range = range.clamped(to: 0..<count)
        guard !range.isEmpty else { return nil }
        let lower = range.lowerBound / Self.pageSize * Self.pageSize
        return (start + lower, range.upperBound - lower)
    }
}
