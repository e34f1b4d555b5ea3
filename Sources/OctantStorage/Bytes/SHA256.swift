import COctantKernels

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
///
/// The checksum that clients know snapshots by. Our own, because the engine depends on nothing but the toolchain; it
/// guards against damage and mistakes, and nothing secret passes through it.
package struct SHA256: Sendable {
    private var state: SIMD8<UInt32> = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    /// Bytes that do not fill a block yet.
    private var pending: [UInt8] = []
    private var length: UInt64 = 0
    private let isPortable: Bool

    private static let blockSize = 64

    /// The digest of nothing, to be continued.
    package init() { self.init(portable: false) }

    /// With `portable`, without the processor's instructions: for tests.
    init(portable: Bool) { isPortable = portable }

    /// Continues with `bytes`.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        length &+= UInt64(bytes.count)
        var rest = bytes
        if !pending.isEmpty {
            let count = min(Self.blockSize - pending.count, rest.count)
            pending.append(contentsOf: rest[..<count])
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            guard pending.count == Self.blockSize else { return }
            let block = pending
            block.withUnsafeBytes { mix($0) }
            pending.removeAll(keepingCapacity: true)
        }
        let whole = rest.count / Self.blockSize * Self.blockSize
        mix(UnsafeRawBufferPointer(rebasing: rest[..<whole]))
        pending.append(contentsOf: rest[whole...])
    }

    /// Continues with `bytes`.
    package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The 32 bytes of the digest of all bytes so far. More may follow.
    package var digest: [UInt8] {
        var last = self
        var tail: [UInt8] = [0x80]
        let used = (pending.count + 1 + 8) % Self.blockSize
        tail.append(contentsOf: repeatElement(0, count: used == 0 ? 0 : Self.blockSize - used))
        withUnsafeBytes(of: (length &* 8).bigEndian) { tail.append(contentsOf: $0) }
        last.update(tail)
        return (0..<8).flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: last.state[word] >> (24 - 8 * $0)) } }
    }

    /// The digest as 64 lower-case hexadecimal digits.
    package var text: String { Self.text(digest) }

    /// Bytes as lower-case hexadecimal digits.
    package static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private mutating func mix(_ blocks: UnsafeRawBufferPointer) {
        guard let base = blocks.baseAddress, blocks.count >= Self.blockSize else { return }
        let (count, isPortable) = (blocks.count / Self.blockSize, isPortable)
        withUnsafeMutableBytes(of: &state) { words in
            let words = words.assumingMemoryBound(to: UInt32.self).baseAddress
            if isPortable {
                octant_sha256_blocks_portable(words, base, count)
            } else {
                octant_sha256_blocks(words, base, count)
            }
        }
    }
}
