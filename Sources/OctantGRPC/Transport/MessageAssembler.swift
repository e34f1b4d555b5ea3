#if Server
/// Puts messages together from the bytes of a stream: a flag for compression, four bytes of length, the message.
///
/// Memory is taken as bytes come, not as a prefix announces them.
struct MessageAssembler {
    /// A message as it was sent.
    struct Message {
        var isCompressed: Bool
        var bytes: [UInt8]
    }

    private static let prefixBytes = 5
    /// Bytes of a message.
    let messageBytesMax: Int
    private var prefix: [UInt8] = []
    private var length = 0
    private var bytes: [UInt8] = []

    init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

    /// Whether a message has begun and not ended.
    var isInside: Bool { !prefix.isEmpty }

    /// Bytes of a message that is not complete.
    var heldBytes: Int { bytes.count }

    /// Takes bytes from the front of `input` and gives the next message that is complete, if there is one.
    mutating func next(_ input: inout UnsafeRawBufferPointer.SubSequence) throws(GRPCStatus) -> Message? {
        while prefix.count < Self.prefixBytes {
            guard let byte = input.popFirst() else { return nil }
            prefix.append(byte)
            if prefix.count == Self.prefixBytes { try begin() }
        }
        let taken = min(length - bytes.count, input.count)
        if bytes.capacity < bytes.count + taken {
            // Doubling by hand, so that the last step does not go far beyond the length.
            bytes.reserveCapacity(min(length, max(bytes.count + taken, bytes.count * 2)))
        }
        bytes.append(contentsOf: input.prefix(taken))
        input = input.dropFirst(taken)
        guard bytes.count == length else { return nil }
        let message = Message(isCompressed: prefix[0] == 1, bytes: bytes)
        prefix.removeAll(keepingCapacity: true)
        bytes = []
        return message
    }

    private mutating func begin() throws(GRPCStatus) {
        guard prefix[0] <= 1 else {
            throw GRPCStatus(.internal, "the compression flag of a message is \(prefix[0]), it must be 0 or 1")
        }
        length = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
        guard length <= messageBytesMax else {
            throw GRPCStatus(
                .resourceExhausted, "a message of \(length) bytes is larger than the limit of \(messageBytesMax) bytes")
        }
        if length <= 64 << 10 { bytes.reserveCapacity(length) }
    }

    /// A message with its prefix.
    static func prefix(compressed: Bool, length: Int) -> [UInt8] {
        let size = UInt32(clamping: length)
        return [compressed ? 1 : 0] + (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * UInt32($0))) }
    }
}
#endif
