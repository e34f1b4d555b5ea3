#if Server
import NIOCore
import NIOHTTP1
import OctantModel
import OctantService

/// Sends a download over a connection: one piece is on its way at a time, and the thread that reads the next waits until the
/// client has taken it. A client that takes nothing loses its connection by the idle timeout, and the thread goes on.
struct DownloadStream: Sendable {
    /// The connection, on its event loop.
    let connection: NIOLoopBound<RESTChannelHandler>
    let loop: any EventLoop

    /// Bytes of a piece: smaller ones are put together.
    private static let pieceBytes = 64 << 10

    /// Sends all bytes. Blocks; throws if the connection ends before.
    func send(_ download: SnapshotDownload) throws(OctantError) {
        var piece = ByteBuffer()
        try download.send { (bytes) throws(OctantError) in
            piece.writeBytes(bytes)
            guard piece.readableBytes >= Self.pieceBytes else { return }
            try write(piece)
            piece = ByteBuffer()
        }
        if piece.readableBytes > 0 { try write(piece) }
    }

    private func write(_ piece: ByteBuffer) throws(OctantError) {
        let promise = loop.makePromise(of: Void.self)
        loop.execute { connection.value.writePiece(piece, promise) }
        do {
            try promise.futureResult.wait()
        } catch {
            throw OctantError(.unavailable, "the connection ended: \(error)")
        }
    }
}
#endif
