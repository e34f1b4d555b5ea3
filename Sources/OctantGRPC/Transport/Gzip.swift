#if Server
import CZlib

/// gzip (RFC 1952) by zlib.
enum Gzip {
    /// Windows of 32 KB with a gzip header.
    private static let windowBits = MAX_WBITS + 16
    /// Output is made in pieces of this many bytes.
    private static let pieceBytes = 64 << 10

    /// The original of a compressed message, at most `limit` bytes: a few kilobytes can stand for gigabytes.
    static func decompress(_ bytes: [UInt8], limit: Int) throws(GRPCStatus) -> [UInt8] {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, size) == Z_OK else {
            throw GRPCStatus(.internal, "cannot decompress: no memory")
        }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        let status = run(&stream, bytes, into: &output, limit: limit) { inflate($0, Z_NO_FLUSH) }
        if output.count > limit {
            throw GRPCStatus(
                .resourceExhausted, "a message is larger than the limit of \(limit) bytes after decompression")
        }
        guard status == Z_STREAM_END, stream.avail_in == 0 else {
            throw GRPCStatus(.internal, "a message that is marked as compressed is no gzip data")
        }
        return output
    }

    /// The compressed form; `nil` if it could not be made or saves nothing.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        // The fastest level: answers are vectors and payloads, for which higher ones gain little.
        guard
            deflateInit2_(&stream, Z_BEST_SPEED, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
                == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        var output: [UInt8] = []
        let status = run(&stream, bytes, into: &output, limit: bytes.count) { deflate($0, Z_FINISH) }
        return status == Z_STREAM_END && output.count < bytes.count ? output : nil
    }

    /// Runs a step until the input is used up, the output exceeds the limit or an error comes; the last status.
    private static func run(
        _ stream: inout z_stream, _ bytes: [UInt8], into output: inout [UInt8], limit: Int,
        _ step: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> Int32 {
        bytes.withUnsafeBufferPointer { input in
            // zlib does not write to its input.
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.avail_in = UInt32(clamping: input.count)
            while true {
                var status: Int32 = Z_OK
                let room = output.count
                output.append(contentsOf: repeatElement(0, count: pieceBytes))
                output.withUnsafeMutableBufferPointer { piece in
                    stream.next_out = piece.baseAddress.map { $0 + room }
                    stream.avail_out = UInt32(pieceBytes)
                    status = step(&stream)
                }
                output.removeLast(Int(stream.avail_out))
                let isStuck = stream.avail_out > 0 && status != Z_STREAM_END
                if status != Z_OK && status != Z_BUF_ERROR || isStuck || output.count > limit { return status }
            }
        }
    }
}
#endif
