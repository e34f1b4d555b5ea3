import OctantEngine
public import OctantModel
import OctantStorage
import OctantVectors

extension Collection {
    /// Where the collection's bytes are now: by segment and structure, in this process's memory, in the system's page
    /// cache and on disk. Takes about a millisecond for each 100 MB that are mapped.
    public func memoryReport() -> MemoryReport { shard.memoryReport() }
}

extension Database {
    /// Pages of originals, codes and links on disk that searches of this process asked for and that were not in memory,
    /// and their bytes.
    public var diskReads: (pages: Int, bytes: Int) {
        let pages = Int(clamping: DiskReads.ofProcess)
        return (pages, pages.multipliedReportingOverflow(by: DiskReads.pageBytes).partialValue)
    }

    /// The memory of the process, and what all collections have of it.
    public func processMemory() -> ProcessMemory {
        var collections = MemoryUse()
        for name in collectionNames {
            guard let collection = try? collection(name) else { continue }  // a damaged one has nothing in memory
            collections = collections + collection.memoryReport().total
        }
        let totals = ProcessPages.totals
        return ProcessMemory(
            resident: totals.resident, anonymous: totals.anonymous, locked: totals.locked, collections: collections,
            base: baseMemory, diskReads: Int(clamping: DiskReads.ofProcess))
    }
}
