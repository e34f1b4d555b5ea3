package import OctantStorage
import OctantVectors

/// The folder of a segment's files and how they are opened.
package struct SegmentFolder: Sendable {
    package let path: String
    package let uuid: UUIDBytes
    package let fileSystem: any FileSystem

    /// The folder at `path`.
    package init(path: String, uuid: UUIDBytes, fileSystem: any FileSystem) {
        self.path = path
        self.uuid = uuid
        self.fileSystem = fileSystem
    }

    /// Maps a file after checking its size, header and footer against the manifest.
    package func open(_ file: SegmentEntry.FileEntry, _ type: BlockFileType) throws(StorageError) -> BlockFile {
        try BlockFile(
            path: path + "/" + file.summary.name, type: type, expected: file.summary, uuid: uuid, fileSystem: fileSystem
        )
    }

    /// The verified bytes of a file and what keeps them: a copy in huge pages if `resident`, else the mapping.
    package func load(
        _ file: SegmentEntry.FileEntry, _ type: BlockFileType, resident: Bool
    ) throws(StorageError) -> (UnsafeRawBufferPointer, AnyObject) {
        let mapped = try open(file, type)
        try mapped.verify()
        guard resident, mapped.data.count > 0 else {
            mapped.advise(.random)
            return (mapped.data, mapped)
        }
        // Without memory for a copy, the mapping serves too.
        guard let region = try? HugeRegion(byteCount: mapped.data.count) else {
            return (mapped.data, mapped)
        }
        region.base.copyMemory(
            from: mapped.data.baseAddress ?? UnsafeRawPointer(region.base), byteCount: mapped.data.count)
        let bytes = UnsafeRawBufferPointer(start: region.base, count: mapped.data.count)
        mapped.advise(.dontNeed)
        return (bytes, region)
    }

    /// Runs a decoder of file contents and names the file in its error.
    package func decode<Result>(
        _ file: SegmentEntry.FileEntry, _ body: () throws -> Result
    ) throws(StorageError) -> Result {
        do { return try body() } catch {
            throw StorageError(.corrupt, "\(path)/\(file.summary.name): \(error)")
        }
    }
}
