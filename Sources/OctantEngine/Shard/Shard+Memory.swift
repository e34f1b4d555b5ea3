package import OctantModel
import OctantStorage

extension Shard {
    /// Where the bytes of all parts and of the log are, as the system says now.
    package func memoryReport() -> MemoryReport {
        let view = newest
        var parts = view.segments.map { segment in
            MemoryReport.Part(
                uuid: segment.entry.uuid.description, rows: segment.rowCount, structures: segment.memoryStructures())
        }
        for slot in view.memtables {
            parts.append(
                MemoryReport.Part(uuid: nil, rows: slot.table.rowCount, structures: slot.table.memoryStructures()))
        }
        let log = MemoryUse(anonymous: queue.withLock { $0.pendingBytes }, disk: folderBytes(path + "/s0/wal"))
        return MemoryReport(parts: parts, log: log)
    }

    private func folderBytes(_ folder: String) -> Int {
        guard let names = try? fileSystem.list(folder) else { return 0 }
        return names.reduce(0) { sum, name in
            guard case .file(let size)?? = try? fileSystem.kind(folder + "/" + name) else { return sum }
            return sum + size
        }
    }
}
