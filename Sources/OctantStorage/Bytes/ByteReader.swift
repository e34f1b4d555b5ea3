/// Reads a little-endian byte string. Every length is checked, so damaged input gives `.corrupt` and never a trap.
///
/// The reader borrows its bytes: it must not outlive the buffer, and slices it hands out point into it.
package struct ByteReader {
    private let all: UnsafeRawBufferPointer
    private var position: Int
    private let end: Int
    private let name: String

    /// Reads `bytes`; `name` (a file, a record) begins the error messages.
    package init(_ bytes: UnsafeRawBufferPointer, name: String = "record") {
        all = bytes
        position = 0
        end = bytes.count
        self.name = name
    }

    private init(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int, name: String) {
        all = bytes
        position = start
        self.end = end
        self.name = name
    }

    /// Runs `body` with a reader over `bytes`.
    package static func reading<R, E: Error>(
        _ bytes: [UInt8], name: String = "record", _ body: (inout ByteReader) throws(E) -> R
    ) throws(E) -> R {
        try bytes.withRawBytes { (raw) throws(E) in
            var reader = ByteReader(raw, name: name)
            return try body(&reader)
        }
    }

    /// Bytes consumed, counted from the beginning of the buffer.
    package var offset: Int { position }
    /// Bytes not yet read.
    package var remaining: Int { end - position }
    /// Whether everything was read.
    package var isAtEnd: Bool { position == end }

    /// One byte.
    package mutating func u8() throws(StorageError) -> UInt8 { try fixed(UInt8.self) }
    /// Two bytes.
    package mutating func u16() throws(StorageError) -> UInt16 { try fixed(UInt16.self) }
    /// Four bytes.
    package mutating func u32() throws(StorageError) -> UInt32 { try fixed(UInt32.self) }
    /// Eight bytes.
    package mutating func u64() throws(StorageError) -> UInt64 { try fixed(UInt64.self) }
    /// Eight bytes, two's complement.
    package mutating func i64() throws(StorageError) -> Int64 { Int64(bitPattern: try u64()) }
    /// IEEE 754 single.
    package mutating func f32() throws(StorageError) -> Float { Float(bitPattern: try u32()) }
    /// IEEE 754 double.
    package mutating func f64() throws(StorageError) -> Double { Double(bitPattern: try u64()) }

    /// LEB128 of at most ten bytes; longer or overflowing forms are refused.
    package mutating func varint() throws(StorageError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try u8()
            let bits = UInt64(byte & 0x7F)
            guard shift < 63 || (shift == 63 && bits <= 1) else { throw damaged("varint too long") }
            value |= bits << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
    }

    /// A varint that counts things of at least `unit` bytes each; refused when they cannot fit in the rest.
    /// Use it before reserving memory.
    package mutating func count(unit: Int = 1) throws(StorageError) -> Int {
        let value = try varint()
        guard let count = Int(exactly: value), count <= remaining / max(unit, 1) else {
            throw damaged("count \(value) exceeds the \(remaining) bytes left")
        }
        return count
    }

    /// Sixteen bytes of a UUID.
    package mutating func uuid() throws(StorageError) -> UUIDBytes {
        let high = try u64().byteSwapped
        return UUIDBytes(high: high, low: try u64().byteSwapped)
    }

    /// `count` bytes in place; valid as long as the buffer.
    package mutating func raw(_ count: Int) throws(StorageError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw damaged("\(count) bytes wanted, \(remaining) left") }
        let slice = UnsafeRawBufferPointer(rebasing: all[position..<(position + count)])
        position += count
        return slice
    }

    /// A varint length and that many bytes, in place.
    package mutating func bytes() throws(StorageError) -> UnsafeRawBufferPointer { try raw(try count()) }

    /// A varint length and that much UTF-8; refused when it is not valid UTF-8.
    package mutating func string() throws(StorageError) -> String {
        let slice = try bytes()
        guard let text = String(validating: slice, as: UTF8.self) else { throw damaged("invalid UTF-8") }
        return text
    }

    /// A reader over the next `count` bytes, which this one skips.
    package mutating func slice(_ count: Int) throws(StorageError) -> ByteReader {
        let start = position
        _ = try raw(count)
        return ByteReader(all, from: start, to: position, name: name)
    }

    /// Skips `count` bytes.
    package mutating func skip(_ count: Int) throws(StorageError) { _ = try raw(count) }

    /// Refuses bytes left over.
    package func finish() throws(StorageError) {
        guard isAtEnd else { throw damaged("\(remaining) bytes left over") }
    }

    /// A `.corrupt` error at the current place.
    package func damaged(_ what: String) -> StorageError { .corrupt(name, offset: position, what) }

    private mutating func fixed<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(StorageError) -> T {
        let size = MemoryLayout<T>.size
        guard size <= remaining else { throw damaged("\(size) bytes wanted, \(remaining) left") }
        let value = all.loadUnaligned(fromByteOffset: position, as: T.self)
        position += size
        return T(littleEndian: value)
    }
}

extension Array where Element == UInt8 {
    /// `withUnsafeBytes` that keeps the error's type.
    package func withRawBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withUnsafeBufferPointer { (buffer) throws(E) in try body(UnsafeRawBufferPointer(buffer)) }
    }
}
