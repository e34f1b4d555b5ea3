package import OctantModel
import OctantStorage

extension Memtable {
    /// What it has in memory. Tables count with the pages that were touched, payload with its bytes.
    package func memoryStructures() -> [MemoryReport.Structure] {
        var vectors = 0
        var structures: [MemoryReport.Structure] = []
        for field in fields {
            let bytes = field.memory.reduce(0) { $0 + ProcessPages.residentBytes($1) }
            vectors += max(0, rowCount - field.absentCount) * field.rowBytes
            structures.append(.init(kind: "vectors", subject: field.name, use: MemoryUse(anonymous: bytes)))
            if let codes = field.codes.memory {
                let use = MemoryUse(anonymous: ProcessPages.residentBytes(codes))
                structures.append(.init(kind: "codes", subject: field.name, use: use))
            }
        }
        let tables = tableMemory.reduce(0) { $0 + ProcessPages.residentBytes($1) }
        structures.append(.init(kind: "ids", use: MemoryUse(anonymous: tables)))
        // Multivectors and sparse vectors lie in the same kind of memory as payload.
        structures.append(.init(kind: "payload", use: MemoryUse(anonymous: max(0, storedBytes - vectors))))
        return structures
    }
}
