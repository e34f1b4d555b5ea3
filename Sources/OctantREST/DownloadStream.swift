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

    /// Sends all bytes. Blocks; throws if the connection ends before.
    func send(_ download: SnapshotDownload) throws(OctantError) {
        try download.send { (bytes) throws(OctantError) in
            guard !bytes.isEmpty else { return }
            let promise = loop.makePromise(of: Void.self)
            let buffer = ByteBuffer(bytes: bytes)
            loop.execute { connection.value.writePiece(buffer, promise) }
            do {
                try promise.futureResult.wait()
            } catch {
                throw OctantError(.unavailable, "the connection ended: \(error)")
            }
        }
    }
}
#endif
