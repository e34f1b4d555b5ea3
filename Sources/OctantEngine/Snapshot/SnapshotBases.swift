package import OctantModel
package import OctantStorage

/// The archives that an incremental one builds on: where each file is that it leaves out.
package struct SnapshotBases: Sendable {
    private struct Place: Sendable {
        var path: String
        var offset: Int
    }

    /// More archives than anybody takes one upon the other.
    private static let chainMax = 256

    private var places: [SnapshotSection.Entry: Place] = [:]
    private let fileSystem: any FileSystem

    /// Follows the archives from `base` to the complete one.
    ///
    /// - Parameter folders: where they are looked for.
    /// - Throws: `corrupt` naming the archive that is not there or cannot be read.
    package init(_ base: UUIDBytes, in folders: [String], fileSystem: any FileSystem) throws(StorageError) {
        self.fileSystem = fileSystem
        var wanted = base
        var length = 0
        let archives = try wanted == .zero ? [:] : Self.archives(folders, fileSystem)
        while wanted != .zero {
            guard let path = archives[wanted], length < Self.chainMax else {
                throw StorageError(.corrupt, "it needs the snapshot \(wanted), which is not in \(folders[0])")
            }
            let contents = try SnapshotReader.contents(of: path, fileSystem: fileSystem)
            // What a later archive holds is the same file: names are never used twice.
            for (entry, offset) in contents.places where places[entry] == nil {
                places[entry] = Place(path: path, offset: offset)
            }
            wanted = contents.header.base
            length += 1
        }
    }

    private static func archives(
        _ folders: [String], _ fileSystem: any FileSystem
    ) throws(StorageError) -> [UUIDBytes: String] {
        var archives: [UUIDBytes: String] = [:]
        for folder in Set(folders) {
            guard try fileSystem.kind(folder) == .directory else { continue }
            for name in try fileSystem.list(folder) {
                // Other files are none of ours.
                guard let reader = try? SnapshotReader(path: folder + "/" + name, fileSystem: fileSystem) else {
                    continue
                }
                archives[reader.header.archive] = folder + "/" + name
                reader.close()
            }
        }
        return archives
    }

    /// Whether one of the archives holds this file.
    package func hold(_ entry: SnapshotSection.Entry) -> Bool { places[entry] != nil }

    /// Hands out the bytes of a file, piece by piece.
    func read(
        _ entry: SnapshotSection.Entry, _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(StorageError) {
        guard let place = places[entry], let size = Int(exactly: entry.summary.size) else {
            throw StorageError(.corrupt, "\(entry.path) is in none of the snapshots that this one builds on")
        }
        let file = try fileSystem.open(place.path, .read)
        defer { file.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, min(size, 1 << 20)), alignment: 4096)
        defer { buffer.deallocate() }
        var done = 0
        while done < size {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, size - done)])
            guard try file.read(into: piece, at: place.offset + done) == piece.count else {
                throw StorageError(.corrupt, "\(place.path): it ends too soon")
            }
            try body(UnsafeRawBufferPointer(piece))
            done += piece.count
        }
    }
}
