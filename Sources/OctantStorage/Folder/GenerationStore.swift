import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Numbered full copies of one small document in a folder (`MANIFEST-<16 hex digits>`), of which the last two stay.
///
///     0  magic "OCTANTGN"   8  version u16     10 flags u16 (0)   12 CRC-32C of the prefix u32
///     16 generation u64     24 body length u64 32 CRC of the previous generation u32
///     36 owner UUID         52 zero u64        60 CRC-32C of bytes 0–59 and the body
///     64 body
///
/// Publishing writes a temporary file, syncs it, renames it and syncs the folder; a crash at any point leaves the
/// old or the new generation as the newest.
package final class GenerationStore: Sendable {
    /// One generation.
    package struct Generation: Sendable, Equatable {
        /// Its number, from 1.
        package let number: UInt64
        /// The document.
        package let body: [UInt8]
        /// The checksum that the next generation repeats.
        package let crc: UInt32
    }

    /// What `loadNewest` found.
    package enum Loaded: Sendable {
        /// No generation was ever published.
        case empty
        /// The newest generation, intact.
        case newest(Generation)
        /// The newest is damaged, an older one verifies. Nothing can be published until `acceptFallback`.
        case fallback(Generation, damaged: [StorageError])
    }

    private struct State {
        var last: (number: UInt64, crc: UInt32)?
        var damagedPaths: [String] = []
        var failure: StorageError?
        var loaded = false
    }

    private let directory: String
    private let prefix: String
    private let owner: UUIDBytes
    private let fileSystem: any FileSystem
    private let state = Mutex(State())

    private static let magic = Array("OCTANTGN".utf8)
    private static let version: UInt16 = 1
    private static let headerSize = 64
    private static let bodyLimit = 1 << 30

    /// The store of `prefix` in `directory`; `owner` (a collection) is written to and checked in every file.
    package init(directory: String, prefix: String, owner: UUIDBytes = .zero, fileSystem: any FileSystem) {
        self.directory = directory
        self.prefix = prefix
        self.owner = owner
        self.fileSystem = fileSystem
    }

    /// Reads the newest generation that verifies, and makes sure that it stays the newest. Deletes nothing.
    ///
    /// Throws `.corrupt` when files exist and none verifies, or when the last two do not belong together;
    /// `.incompatible` when the newest was written by a newer version.
    package func loadNewest() throws(StorageError) -> Loaded {
        let numbers = try published()
        var damaged: [StorageError] = []
        var damagedPaths: [String] = []
        var found: (generation: Generation, previousCRC: UInt32)?
        for number in numbers.reversed() {
            let candidate: (generation: Generation, previousCRC: UInt32)
            do throws(StorageError) { candidate = try read(number) } catch {
                // A damaged predecessor takes nothing from an intact newest one.
                if found != nil { break }
                // EIO: a bad sector is damage too. Other failures say nothing about the file.
                guard error.code == .corrupt || error.code == .io(EIO) else { throw error }
                damaged.append(error)
                damagedPaths.append(path(number))
                continue
            }
            guard let newer = found else {
                found = candidate
                continue
            }
            // One step back is enough to see a file that was exchanged for another.
            guard newer.previousCRC == candidate.generation.crc else {
                throw StorageError(.corrupt, "\(path(newer.generation.number)): does not follow \(path(number))")
            }
            break
        }
        guard let found else {
            if let first = damaged.first { throw first }
            state.withLock { $0.loaded = true }
            return .empty
        }
        // Its publisher may have ended between the rename and this. Who loads it removes what it does not name, and it
        // must not be taken back then.
        try fileSystem.syncDirectory(directory)
        state.withLock {
            $0.last = (max(numbers.last ?? 0, found.generation.number), found.generation.crc)
            $0.damagedPaths = damagedPaths
            $0.loaded = true
        }
        return damaged.isEmpty ? .newest(found.generation) : .fallback(found.generation, damaged: damaged)
    }

    /// The operator agreed to continue from the older generation: the damaged files are set aside under
    /// `<name>.damaged` and publishing is possible again.
    package func acceptFallback() throws(StorageError) {
        let paths = state.withLock { $0.damagedPaths }
        for path in paths { try fileSystem.rename(path, to: path + ".damaged") }
        try fileSystem.syncDirectory(directory)
        state.withLock { $0.damagedPaths = [] }
    }

    /// Makes `body` the newest generation; durable when it returns. Call `loadNewest` once before.
    ///
    /// After an error at or behind the rename, but for a full disk at the rename, it is unknown which generation a
    /// crash would leave: the store then refuses every further publication (`failure`), and no file that either generation names may be deleted.
    package func publish(_ body: [UInt8]) throws(StorageError) -> Generation {
        let result = state.withLock { state in
            Result { () throws(StorageError) in try publish(body, &state) }
        }
        return try result.get()
    }

    /// Why nothing more can be published, after a failed publication.
    package var failure: StorageError? { state.withLock { $0.failure } }

    private func publish(_ body: [UInt8], _ state: inout State) throws(StorageError) -> Generation {
        if let failure = state.failure { throw failure }
        guard state.loaded, state.damagedPaths.isEmpty else {
            throw StorageError(.corrupt, "\(directory)/\(prefix): the newest generation was not read or is damaged")
        }
        guard body.count <= GenerationStore.bodyLimit else {
            throw StorageError(
                .io(EFBIG), "\(directory)/\(prefix): \(body.count) bytes are too many for one generation")
        }
        let number = (state.last?.number ?? 0) &+ 1
        let (bytes, crc) = encode(body, number: number, previousCRC: state.last?.crc ?? 0)
        let temporary = path(number) + ".tmp"
        do throws(StorageError) { try fileSystem.writeAndSync(temporary, bytes) } catch {
            // Overwritten by the next attempt in any case.
            try? fileSystem.unlink(temporary)
            throw error
        }
        do throws(StorageError) {
            try fileSystem.rename(temporary, to: path(number))
        } catch {
            // Without room for the name nothing was renamed; after any other error nobody knows.
            if error.code == .diskFull { try? fileSystem.unlink(temporary) } else { state.failure = error }
            throw error
        }
        do throws(StorageError) { try fileSystem.syncDirectory(directory) } catch {
            state.failure = error
            throw error
        }
        state.last = (number, crc)
        prune(before: number &- 1)
        return Generation(number: number, body: body, crc: crc)
    }

    /// Removes generations older than the last two. What cannot be removed now is removed next time.
    private func prune(before number: UInt64) {
        guard let numbers = try? published() else { return }
        for old in numbers where old < number { try? fileSystem.unlink(path(old)) }
    }

    private func path(_ number: UInt64) -> String { "\(directory)/\(prefix)-\(hexName(number))" }

    /// The numbers of the published generations, ascending.
    private func published() throws(StorageError) -> [UInt64] {
        try fileSystem.list(directory).compactMap { name in
            name.hasPrefix(prefix + "-") ? parseHexName(name.dropFirst(prefix.utf8.count + 1)) : nil
        }.sorted()
    }

    private func encode(_ body: [UInt8], number: UInt64, previousCRC: UInt32) -> ([UInt8], UInt32) {
        var writer = ByteWriter(capacity: GenerationStore.headerSize + body.count)
        writer.raw(GenerationStore.magic)
        writer.u16(GenerationStore.version)
        writer.u16(0)
        writer.u32(CRC32C.extend(0, Array(prefix.utf8)))
        writer.u64(number)
        writer.u64(UInt64(body.count))
        writer.u32(previousCRC)
        writer.uuid(owner)
        writer.u64(0)
        let crc = CRC32C.extend(CRC32C.extend(0, writer.bytes), body)
        writer.u32(crc)
        writer.raw(body)
        return (writer.bytes, crc)
    }

    private func read(_ number: UInt64) throws(StorageError) -> (generation: Generation, previousCRC: UInt32) {
        let path = path(number)
        let bytes = try fileSystem.readAll(path, limit: GenerationStore.bodyLimit + GenerationStore.headerSize)
        return try ByteReader.reading(bytes, name: path) { (reader) throws(StorageError) in
            guard try reader.raw(8).elementsEqual(GenerationStore.magic) else {
                throw reader.damaged("wrong magic")
            }
            let version = try reader.u16()
            let flags = try reader.u16()
            let tag = try reader.u32()
            let generation = try reader.u64()
            let length = try reader.u64()
            let previousCRC = try reader.u32()
            let owner = try reader.uuid()
            try reader.skip(8)
            let crc = try reader.u32()
            guard UInt64(reader.remaining) == length else { throw reader.damaged("wrong body length \(length)") }
            let body = Array(try reader.raw(reader.remaining))
            guard CRC32C.extend(CRC32C.extend(0, Array(bytes[..<60])), body) == crc else {
                throw StorageError.corrupt(path, offset: 60, "wrong checksum")
            }
            guard version <= GenerationStore.version, flags == 0 else {
                throw StorageError(.incompatible, "\(path): written by a newer version (\(version), flags \(flags))")
            }
            guard generation == number, tag == CRC32C.extend(0, Array(prefix.utf8)), owner == self.owner else {
                throw StorageError.corrupt(path, offset: 12, "the file belongs elsewhere")
            }
            return (Generation(number: number, body: body, crc: crc), previousCRC)
        }
    }
}
