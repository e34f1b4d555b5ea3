import COctantKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Pages of mapped files that are about to be read, asked for together, and how many of them were not in memory.
///
/// A page fault reads one page and waits for it. Asking first lets the device work on all of a batch at once: the batch
/// then takes about as long as one read.
package enum DiskReads {
    /// Asks for rows of a mapped table: row *i* has `stride` bytes at `i * stride`.
    static func ask(_ base: UnsafeRawPointer, stride: Int, _ rows: UnsafePointer<UInt32>, _ count: Int) {
        guard count > 0 else { return }
        octant_ask_rows(base, stride, rows, count)
    }

    /// Asks for consecutive bytes.
    static func askRun(_ start: UnsafeRawPointer, _ count: Int) {
        var first: UInt32 = 0
        octant_ask_rows(start, count, &first, 1)
    }

    /// Pages the calling thread asked for that were not in memory, since it began.
    package static var ofThread: UInt64 { octant_reads_of_thread() }

    /// The same for all threads of the process.
    package static var ofProcess: UInt64 { octant_reads_of_process() }

    /// Bytes of a page.
    package static let pageBytes = max(1, Int(sysconf(Int32(_SC_PAGESIZE))))
}
