package import OctantModel
package import OctantStorage
import OctantVectors

/// The folder of a segment's files and how they are opened.
package struct SegmentFolder: Sendable {
    package let path: String
    package let uuid: UUIDBytes
    package let fileSystem: any FileSystem
    /// How the process is to spare memory.
    package let lowMemory: LowMemoryMode

    /// The folder at `path`.
    package init(
        path: String, uuid: UUIDBytes, fileSystem: any FileSystem, lowMemory: LowMemoryMode = .disabled
    ) {
        self.path = path
        self.uuid = uuid
        self.fileSystem = fileSystem
        self.lowMemory = lowMemory
    }

    /// Maps a file after checking its size, header and footer against the manifest.
    package func open(_ file: SegmentEntry.FileEntry, _ type: BlockFileType) throws(StorageError) -> BlockFile {
        try BlockFile(
            path: path + "/" + file.summary.name, type: type, expected: file.summary, uuid: uuid, fileSystem: fileSystem
        )
    }

    /// The verified bytes of a file and what keeps them: the mapping, or a copy.
    package func load(
        _ file: SegmentEntry.FileEntry, _ type: BlockFileType, _ residence: Residence
    ) throws(StorageError) -> (UnsafeRawBufferPointer, AnyObject) {
        let mapped = try open(file, type)
        let byteCount = mapped.data.count
        switch residence.limited(by: lowMemory) {
        case .cold:
            try mapped.verifyLeavingCold()
            mapped.advise(.random)
            return (mapped.data, mapped)
        case .cached:
            try mapped.warmVerified()
            return (mapped.data, mapped)
        case .copied, .pinned:
            // Without memory for a copy, the mapping serves too.
            guard byteCount > 0, let region = try? HugeRegion(byteCount: byteCount) else {
                try mapped.warmVerified()
                return (mapped.data, mapped)
            }
            try mapped.copyVerified(to: UnsafeMutableRawBufferPointer(start: region.base, count: byteCount))
            if residence == .pinned { region.lock() }
            return (UnsafeRawBufferPointer(start: region.base, count: byteCount), region)
        }
    }

    /// Prepares the mapping of data that is read in place.
    package func place(_ mapped: BlockFile, _ residence: Residence) {
        guard residence.limited(by: lowMemory) == .cold else { return mapped.populate() }
        mapped.advise(.random)
        mapped.unload()
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
