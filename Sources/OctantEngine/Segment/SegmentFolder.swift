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
    /// Where it is noted what is opened; `nil`: nowhere.
    package var ledger: StructureLedger?
    /// How much of vectors and payload is checked when they are opened.
    package var verification = OpeningChecks.resident
    /// Where damage is noted that is found later.
    package var damage = DamageLog()

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
        let mapped = try BlockFile(
            path: path + "/" + file.summary.name, type: type, expected: file.summary, uuid: uuid, fileSystem: fileSystem
        )
        ledger?.note(file, nil, mapped)
        return mapped
    }

    /// The verified bytes of a file and what keeps them: the mapping, or a copy.
    package func load(
        _ file: SegmentEntry.FileEntry, _ type: BlockFileType, _ residence: Residence
    ) throws(StorageError) -> (UnsafeRawBufferPointer, AnyObject) {
        var unnoted = self
        unnoted.ledger = nil
        let mapped = try unnoted.open(file, type)
        let byteCount = mapped.data.count
        let residence = residence.limited(by: lowMemory)
        switch residence {
        case .cold:
            try mapped.verifyLeavingCold()
            mapped.advise(.random)
            ledger?.note(file, residence, mapped)
            return (mapped.data, mapped)
        case .copied, .pinned:
            // Without memory for a copy, the mapping serves too.
            guard byteCount > 0, let region = try? HugeRegion(byteCount: byteCount) else { fallthrough }
            try mapped.copyVerified(to: UnsafeMutableRawBufferPointer(start: region.base, count: byteCount))
            if residence == .pinned { region.lock() }
            ledger?.note(file, residence, region)
            return (UnsafeRawBufferPointer(start: region.base, count: byteCount), region)
        case .cached:
            try mapped.warmVerified()
            ledger?.note(file, .cached, mapped)
            return (mapped.data, mapped)
        }
    }

    /// Prepares the mapping of data that is read in place. What is read ahead is checked on the way; of the rest, the
    /// blocks are to be checked when they are first read, by what this returns.
    func place(_ mapped: BlockFile, _ residence: Residence) throws(StorageError) -> CheckedBlocks? {
        let residence = residence.limited(by: lowMemory)
        ledger?.place(mapped, residence)
        guard residence == .cold else {
            mapped.populate()
            if verification != .later { try mapped.verify() }
            return nil
        }
        if verification == .full { try mapped.verifyLeavingCold() }
        mapped.advise(.random)
        mapped.unload()
        return verification == .full ? nil : CheckedBlocks(mapped, damage)
    }

    /// Runs a decoder of file contents and names the file in its error.
    package func decode<Result>(
        _ file: SegmentEntry.FileEntry, _ body: () throws -> Result
    ) throws(StorageError) -> Result {
        do { return try body() } catch {
            throw StorageError(.corrupt, "\(path)/\(file.summary.name): \(error)")
        }
    }

    /// Loads a file and reads it by `body`, which gets its bytes, what keeps them, and whether they are on disk. What of
    /// a cold file was touched on the way does not stay in memory.
    package func load<Result>(
        _ file: SegmentEntry.FileEntry, _ type: BlockFileType, _ residence: Residence,
        _ body: (UnsafeRawBufferPointer, AnyObject, Bool) throws -> Result
    ) throws(StorageError) -> Result {
        let (bytes, owner) = try load(file, type, residence)
        let isCold = residence.limited(by: lowMemory) == .cold
        let result = try decode(file) { try body(bytes, owner, isCold) }
        if isCold { (owner as? BlockFile)?.unload() }
        return result
    }
}
