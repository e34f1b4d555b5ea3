/// The number of a record in one shard's log: 1, 2, 3, … without gaps.
package typealias LSN = UInt64

/// A record as replay hands it out.
package struct LogRecord {
    /// Its number.
    package let lsn: LSN
    /// What the writer called it.
    package let type: UInt8
    /// The bytes; valid during the call only.
    package let payload: UnsafeRawBufferPointer
}

/// The first 64 bytes of a log file.
///
///     0  magic "OCTANTWL"    8  version u16     10 back u16    12 shard u32    16 collection UUID
///     32 sequence u64        40 first LSN u64   48 salt u64    56 chain CRC at the predecessor's end u32
///     60 CRC-32C of bytes 0–59
///
/// `back` is how many sequence numbers before this one the predecessor has; 0: none.
struct WALFileHeader: Equatable {
    var back: UInt16
    var shard: UInt32
    var collection: UUIDBytes
    var sequence: UInt64
    var firstLSN: LSN
    var salt: UInt64
    var previousCRC: UInt32

    static let size = 64
    static let version: UInt16 = 1
    static let magic = Array("OCTANTWL".utf8)

    /// The 64 bytes; the last four are the header's CRC, where the file's chain begins.
    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: WALFileHeader.size)
        writer.raw(WALFileHeader.magic)
        writer.u16(WALFileHeader.version)
        writer.u16(back)
        writer.u32(shard)
        writer.uuid(collection)
        writer.u64(sequence)
        writer.u64(firstLSN)
        writer.u64(salt)
        writer.u32(previousCRC)
        writer.u32(CRC32C.extend(0, writer.bytes))
        return writer.bytes
    }

    /// The header and its CRC.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String
    ) throws(StorageError) -> (header: WALFileHeader, crc: UInt32) {
        var reader = ByteReader(bytes, name: path)
        guard bytes.count >= size else { throw .corrupt(path, offset: bytes.count, "file too short") }
        guard try reader.raw(8).elementsEqual(magic) else { throw .corrupt(path, offset: 0, "wrong magic") }
        let version = try reader.u16()
        let header = WALFileHeader(
            back: try reader.u16(), shard: try reader.u32(), collection: try reader.uuid(),
            sequence: try reader.u64(), firstLSN: try reader.u64(), salt: try reader.u64(),
            previousCRC: try reader.u32())
        let crc = try reader.u32()
        guard crc == CRC32C.extend(0, UnsafeRawBufferPointer(rebasing: bytes[..<60])) else {
            throw .corrupt(path, offset: 60, "wrong header checksum")
        }
        guard version <= WALFileHeader.version else {
            throw StorageError(.incompatible, "\(path): written by a newer version (\(version))")
        }
        return (header, crc)
    }
}

/// A frame inside a file's bytes.
///
///     0  payload length u32   4  type u8   5  flags u8   6  zero u16
///     8  LSN u64   16 durable LSN u64   24 clock tag u64
///     32 payload, zeros up to a multiple of 8 less 4, CRC-32C u32
///
/// The CRC starts from the chain: the CRC before (the previous frame's, or the file header's), then the file's salt.
/// A stale frame of a recycled file, another file's frame and a frame out of order all fail it.
struct WALFrame {
    var offset: Int
    var length: Int
    var type: UInt8
    var flags: UInt8
    var lsn: LSN
    var durable: LSN

    static let headerSize = 32
    static let overhead = 36
    /// A frame without payload: the seal.
    static let smallest = 40

    /// Bits of `flags`.
    static let first: UInt8 = 1
    static let last: UInt8 = 2
    static let seal: UInt8 = 4
    static let whole: UInt8 = first | last

    /// Bytes on disk of a frame with `length` payload bytes.
    static func size(_ length: Int) -> Int { (length + overhead + 7) & ~7 }

    var size: Int { WALFrame.size(length) }
    var end: Int { offset + size }
    var isSeal: Bool { flags & WALFrame.seal != 0 }

    /// Reads the frame header at `offset` of a whole file's bytes when its lengths and flags are possible. Nothing is
    /// checksummed yet.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard offset >= 0, offset <= bytes.count else { return nil }
        self.init(header: UnsafeRawBufferPointer(rebasing: bytes[offset...]), at: offset, of: bytes.count)
    }

    /// As ``init(_:at:)``, of the bytes that begin at `offset` of a file of `fileSize` bytes; of them the first
    /// ``smallest`` are looked at.
    init?(header: UnsafeRawBufferPointer, at offset: Int, of fileSize: Int) {
        guard header.count >= WALFrame.smallest else { return nil }
        let length = Int(UInt32(littleEndian: header.loadUnaligned(as: UInt32.self)))
        type = header[4]
        flags = header[5]
        lsn = UInt64(littleEndian: header.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        durable = UInt64(littleEndian: header.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        self.offset = offset
        self.length = length
        guard header[6] == 0, header[7] == 0, flags < 8,
            flags & WALFrame.seal == 0 || (flags == WALFrame.seal && length == 0),
            WALFrame.size(length) <= fileSize - offset, lsn > 0, durable <= lsn
        else { return nil }
    }

    /// Where the payload lies.
    var payload: Range<Int> {
        let start = offset + WALFrame.headerSize
        return start..<(start + length)
    }

    static func word(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt32 {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}

/// Bytes on their way to a log file: frames are encoded one behind the other.
final class WALBuffer {
    private(set) var storage: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(capacity: Int) { storage = .allocate(byteCount: capacity, alignment: 16) }
    deinit { storage.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[..<count]) }
    func removeAll() { count = 0 }

    /// Appends a frame and returns its CRC.
    func append(
        type: UInt8, flags: UInt8, lsn: LSN, durable: LSN, payload: UnsafeRawBufferPointer, previous: UInt32,
        salt: UInt64
    ) -> UInt32 {
        let size = WALFrame.size(payload.count)
        if storage.count - count < size { grow(to: count + size) }
        let frame = UnsafeMutableRawBufferPointer(rebasing: storage[count..<(count + size)])
        frame.storeBytes(of: UInt32(truncatingIfNeeded: payload.count).littleEndian, toByteOffset: 0, as: UInt32.self)
        frame[4] = type
        frame[5] = flags
        frame.storeBytes(of: 0, toByteOffset: 6, as: UInt16.self)
        frame.storeBytes(of: lsn.littleEndian, toByteOffset: 8, as: UInt64.self)
        frame.storeBytes(of: durable.littleEndian, toByteOffset: 16, as: UInt64.self)
        frame.storeBytes(of: 0, toByteOffset: 24, as: UInt64.self)
        let end = WALFrame.headerSize + payload.count
        UnsafeMutableRawBufferPointer(rebasing: frame[WALFrame.headerSize..<end]).copyMemory(from: payload)
        for index in end..<(size - 4) { frame[index] = 0 }
        let crc = CRC32C.extend(
            CRC32C.extend(previous, salt), UnsafeRawBufferPointer(rebasing: frame[..<(size - 4)]))
        frame.storeBytes(of: crc.littleEndian, toByteOffset: size - 4, as: UInt32.self)
        count += size
        return crc
    }

    private func grow(to wanted: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(wanted, storage.count * 2), alignment: 16)
        larger.copyMemory(from: bytes)
        storage.deallocate()
        storage = larger
    }
}
