import OctantModel
import OctantPayload
package import OctantStorage
import OctantVectors

extension SegmentEntry.Role {
    /// What the header of such a file says it holds.
    var blockType: BlockFileType {
        switch self {
        case .ids: "IDMP"
        case .payload: "PAYL"
        case .vectors: "VECS"
        case .presence: "PRES"
        case .codes: "CODE"
        case .graph: "HNSW"
        case .fieldIndex: "FIDX"
        case .sparse: "SPRS"
        case .multivectors: "MVEC"
        case .lengths: "LENS"
        case .inlineGraph: "INLN"
        }
    }

    /// Whether the file can be made again from others.
    package var isDerived: Bool {
        switch self {
        case .codes, .graph, .inlineGraph, .fieldIndex: true
        case .ids, .payload, .vectors, .presence, .lengths, .multivectors, .sparse: false
        }
    }

    /// What the file holds, in words.
    package var title: String {
        switch self {
        case .ids: "ids"
        case .payload: "payload"
        case .vectors: "vectors"
        case .presence: "which points have the vector"
        case .codes: "codes"
        case .graph: "graph"
        case .fieldIndex: "field index"
        case .sparse: "sparse vectors"
        case .multivectors: "multivectors"
        case .lengths: "lengths of vectors"
        case .inlineGraph: "inline graph"
        }
    }
}

/// What became of one file of a segment.
package struct FileCheck: Sendable {
    /// The file.
    package var file: SegmentEntry.FileEntry
    /// Why it cannot be used at all.
    package var error: StorageError?
    /// Where in the file blocks are damaged.
    package var damagedBlocks: [Int] = []

    /// Whether it is as it was written.
    package var isIntact: Bool { error == nil && damagedBlocks.isEmpty }
}

/// What became of one segment.
package struct SegmentCheck: Sendable {
    /// What the manifest says of it.
    package var entry: SegmentEntry
    /// Its files.
    package var files: [FileCheck] = []
    /// Why the bitmap of deleted rows cannot be used.
    package var deletions: StorageError?

    /// Whether all of it is as it was written.
    package var isIntact: Bool { deletions == nil && files.allSatisfy(\.isIntact) }
}

/// Reads the files of segments and compares them with their checksums and their manifest. Changes nothing.
struct SegmentChecker {
    let collectionPath: String
    let fileSystem: any FileSystem
    let config: CollectionConfig
    /// Called before each read with its bytes; `false` ends the check.
    let pace: (Int) -> Bool

    func folder(of entry: SegmentEntry) -> SegmentFolder {
        var folder = SegmentFolder(
            path: "\(collectionPath)/s0/seg/\(entry.uuid)", uuid: entry.uuid, fileSystem: fileSystem,
            lowMemory: .noPopulate)
        folder.verification = .later
        return folder
    }

    func check(_ entry: SegmentEntry) -> SegmentCheck {
        var result = SegmentCheck(entry: entry)
        let folder = folder(of: entry)
        for role in [SegmentEntry.Role.ids, .payload] where entry.file(role) == nil {
            let missing = SegmentEntry.FileEntry(
                role: role, subject: "", parameters: "", summary: FileSummary(name: "-", size: 0, crc: 0))
            let error = StorageError(.corrupt, "\(folder.path): the manifest names no file of \(role.title)")
            result.files.append(FileCheck(file: missing, error: error))
        }
        for file in entry.files { result.files.append(check(file, entry, folder)) }
        if entry.deletions != nil {
            do throws(StorageError) { try checkDeletions(entry) } catch { result.deletions = error }
        }
        return result
    }

    private func check(_ file: SegmentEntry.FileEntry, _ entry: SegmentEntry, _ folder: SegmentFolder) -> FileCheck {
        var result = FileCheck(file: file)
        do throws(StorageError) {
            let mapped = try folder.open(file, file.role.blockType)
            defer { mapped.unload() }
            result.damagedBlocks = try mapped.damagedBlocks(pace: pace)
            if result.damagedBlocks.isEmpty {
                do { try decode(file, mapped, entry, folder) } catch let error as StorageError { throw error } catch {
                    throw StorageError(.corrupt, "\(mapped.path): \(error)")
                }
            }
        } catch {
            result.error = error
        }
        return result
    }

    /// Reads the contents as opening does.
    private func decode(
        _ file: SegmentEntry.FileEntry, _ mapped: BlockFile, _ entry: SegmentEntry, _ folder: SegmentFolder
    ) throws {
        let rows = entry.rowCount
        let path = mapped.path
        func require(_ holds: Bool, _ what: @autoclosure () -> String) throws(StorageError) {
            if !holds { throw StorageError(.corrupt, "\(path): \(what())") }
        }
        switch file.role {
        case .ids:
            let ids = try IDMap(mapped.data)
            try require(ids.rowCount == rows, "\(ids.rowCount) rows, the manifest says \(rows)")
        case .payload: try PayloadFile(mapped, rowCount: rows).checkTable(rows)
        case .vectors:
            guard let vector = config.params.denseVectors.first(where: { $0.name == file.subject }) else { return }
            let dense = try DenseRows(mapped, recipe: file.parameters, count: rows, vector.params, lengths: nil)
            for row in 0..<UInt32(rows) where dense.packedPlace(row) == .damaged {
                try require(false, "row \(row) is not packed as rows are")
            }
        case .presence: try require(mapped.data.count == (rows + 63) / 64 * 8, "not a bit for each of \(rows) rows")
        case .lengths: try require(mapped.data.count == rows * 4, "not a length for each of \(rows) rows")
        case .codes: _ = try VectorCodes(bytes: mapped.data, owner: mapped)
        case .graph: _ = try HNSWGraph(bytes: mapped.data, owner: mapped)
        case .inlineGraph:
            let graph = try InlineGraph(bytes: mapped.data, owner: mapped)
            try require(graph.count == rows, "\(graph.count) rows, the manifest says \(rows)")
            try graph.validate()
        case .fieldIndex:
            let index = try FieldIndex(bytes: mapped.data, owner: mapped)
            try require(index.rowCount == rows, "\(index.rowCount) rows, the manifest says \(rows)")
        case .sparse:
            let index = try SparseIndex(bytes: mapped.data, owner: mapped)
            try require(index.count == rows, "\(index.count) rows, the manifest says \(rows)")
        case .multivectors:
            guard let vector = config.params.multivectors.first(where: { $0.name == file.subject }) else { return }
            _ = try SegmentMulti(vector, entry: entry, folder: folder)
        }
    }

    private func checkDeletions(_ entry: SegmentEntry) throws(StorageError) {
        guard let summary = entry.deletions else { return }
        let path = "\(collectionPath)/s0/del/\(summary.name)"
        let file = try BlockFile(path: path, type: "DELS", expected: summary, uuid: entry.uuid, fileSystem: fileSystem)
        try file.verifyLeavingCold()
        guard file.data.count == (entry.rowCount + 63) / 64 * 8 else {
            throw StorageError(.corrupt, "\(path): not a bit for each of \(entry.rowCount) rows")
        }
    }
}

extension PayloadFile {
    /// Throws if the ends of the rows do not ascend or lead out of the file.
    func checkTable(_ rowCount: Int) throws(StorageError) {
        var last: UInt64 = 0
        for row in 0..<rowCount {
            let end = end(UInt32(row))
            guard end >= last, end <= UInt64(byteCount) else {
                throw StorageError(.corrupt, "\(path): the end of row \(row) is impossible")
            }
            last = end
        }
    }
}
