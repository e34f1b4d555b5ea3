#if Server
import OctantModel
import Testing

@testable import OctantGRPC

@Suite struct TransportTests {
    @Test(
        "A timeout is up to eight digits and a unit",
        arguments: [
            ("1H", Duration.seconds(3600)), ("2M", .seconds(120)), ("3S", .seconds(3)), ("40m", .milliseconds(40)),
            ("5u", .microseconds(5)), ("99999999n", .nanoseconds(99_999_999)), ("0S", .zero),
        ])
    func timeouts(text: String, expected: Duration) { #expect(GRPCHeaders.timeout(text) == expected) }

    @Test("What is no timeout is refused", arguments: ["", "1", "S", "-1S", "1.5S", "999999999S", "1x", "1 S", "٣S"])
    func noTimeouts(text: String) { #expect(GRPCHeaders.timeout(text) == nil) }

    @Test("Messages in headers are percent-encoded as bytes")
    func percent() {
        #expect(GRPCHeaders.percentEncoded("Not found: `x`") == "Not found: `x`")
        #expect(GRPCHeaders.percentEncoded("100 %\nü") == "100 %25%0A%C3%BC")
    }

    @Test("Content types of gRPC")
    func contentTypes() {
        #expect(GRPCHeaders.isGRPC(contentType: "application/grpc"))
        #expect(GRPCHeaders.isGRPC(contentType: "application/grpc+proto; x=1"))
        #expect(!GRPCHeaders.isGRPC(contentType: "application/json"))
        #expect(!GRPCHeaders.isGRPC(contentType: "application/grpc-web"))
        #expect(!GRPCHeaders.isGRPC(contentType: nil))
        #expect(GRPCHeaders.namesGzip("identity, gzip"))
        #expect(!GRPCHeaders.namesGzip("identity,deflate"))
    }

    /// All messages in `bytes`, which come in pieces of `piece` bytes.
    private func assemble(
        _ bytes: [UInt8], piece: Int, limit: Int = 1000
    ) throws -> (messages: [[UInt8]], isInside: Bool) {
        var assembler = MessageAssembler(messageBytesMax: limit)
        var messages: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            try bytes[start..<min(start + piece, bytes.count)].withUnsafeBytes { piece in
                var rest = piece[...]
                while let message = try assembler.next(&rest) { messages.append(message.bytes) }
                #expect(rest.isEmpty)
            }
        }
        return (messages, assembler.isInside)
    }

    @Test("Messages are put together from pieces of any size", arguments: [1, 2, 3, 5, 6, 7, 300, 5000])
    func pieces(piece: Int) throws {
        let sent: [[UInt8]] = [[], [1], Array(repeating: 7, count: 299), [1, 2, 3]]
        let bytes = sent.flatMap { MessageAssembler.prefix(compressed: false, length: $0.count) + $0 }
        let (messages, isInside) = try assemble(bytes, piece: piece)
        #expect(messages == sent)
        #expect(!isInside)
        #expect(try assemble(bytes.dropLast(), piece: piece).isInside)
    }

    @Test("A message above the limit and a strange flag are refused by the prefix alone")
    func refusals() throws {
        let large = MessageAssembler.prefix(compressed: false, length: 1001)
        #expect(throws: GRPCStatus.self) { try assemble(large, piece: 5) }
        #expect(try assemble(MessageAssembler.prefix(compressed: true, length: 1000), piece: 5).isInside)
        #expect(throws: GRPCStatus.self) { try assemble([2, 0, 0, 0, 0], piece: 5) }
        #expect(throws: GRPCStatus.self) { try assemble([0, 255, 255, 255, 255], piece: 5) }
    }

    @Test("gzip gives back what it took", arguments: [0, 1, 100, 65_536, 65_537, 300_000])
    func gzip(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 100) }
        guard let smaller = Gzip.compress(bytes) else {
            #expect(count <= 100)
            return
        }
        #expect(smaller.count < count)
        #expect(try Gzip.decompress(smaller, limit: count) == bytes)
        #expect(throws: GRPCStatus.self) { try Gzip.decompress(smaller, limit: count - 1) }
        #expect(throws: GRPCStatus.self) { try Gzip.decompress(smaller.dropLast(), limit: count) }
        #expect(throws: GRPCStatus.self) { try Gzip.decompress(smaller + [0], limit: count) }
    }

    @Test("What is no gzip data is refused")
    func noGzip() {
        #expect(throws: GRPCStatus.self) { try Gzip.decompress([1, 2, 3, 4], limit: 100) }
        #expect(throws: GRPCStatus.self) { try Gzip.decompress([], limit: 100) }
    }

    @Test("Errors have the codes and texts of the protocol")
    func statuses() {
        #expect(GRPCStatus(.unknownCollection("x")).message == "Not found: Collection `x` doesn't exist!")
        #expect(GRPCStatus(.unknownCollection("x")).code == .notFound)
        let validation = OctantError(.validation, "Validation error in JSON body: [a: b]")
        #expect(GRPCStatus(validation) == GRPCStatus(.invalidArgument, "Validation error in body: [a: b]"))
        #expect(
            GRPCStatus(OctantError(.insufficientStorage, "full")).metadata.first?.name == "qdrant-insufficient-storage")
    }
}
#endif
