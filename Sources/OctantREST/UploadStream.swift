#if Server
import NIOCore
import OctantModel

/// Passes the body of an upload on to the threads that write it, and holds the client back while they are behind.
///
/// Lives on the event loop of its connection.
final class UploadStream {
    /// Bytes that wait to be written, above which nothing more is read from the client, and below which it is again.
    private static let (highMark, lowMark) = (4 << 20, 1 << 20)

    private let upload: SnapshotUpload
    private let channel: any Channel
    /// Told of the first error, after which nothing more is written.
    private let fail: (OctantError) -> Void
    private var waiting: [ByteBuffer] = []
    private var waitingBytes = 0
    /// Whether a thread has a piece.
    private(set) var isBusy = false
    private var isHeld = false
    private var isOver = false
    private var respond: (@Sendable (RESTResponse) -> Void)?

    init(_ upload: SnapshotUpload, _ channel: any Channel, fail: @escaping (OctantError) -> Void) {
        self.upload = upload
        self.channel = channel
        self.fail = fail
    }

    /// Takes the next bytes of the body.
    func receive(_ buffer: ByteBuffer) {
        guard !isOver else { return }
        waiting.append(buffer)
        waitingBytes += buffer.readableBytes
        if waitingBytes > Self.highMark { hold(true) }
        pump()
    }

    /// The body is complete: `respond` gets the answer, from any thread.
    func end(_ respond: @escaping @Sendable (RESTResponse) -> Void) {
        self.respond = respond
        pump()
    }

    /// Nobody waits for the rest.
    func abandon() {
        guard !isOver else { return }
        isOver = true
        waiting = []
        hold(false)
        let upload = upload
        // Behind the piece that is being written.
        upload.submit { upload.discard() }
    }

    private func pump() {
        guard !isBusy, !isOver else { return }
        if waiting.isEmpty {
            guard let respond else { return }
            isOver = true
            let upload = upload
            return upload.submit { upload.finish(respond) }
        }
        isBusy = true
        let (buffers, upload, loop) = (waiting, upload, channel.eventLoop)
        waiting = []
        let bound = NIOLoopBound(self, eventLoop: loop)
        upload.submit {
            var failure: OctantError?
            do throws(OctantError) {
                for buffer in buffers { try Self.write(buffer, upload) }
            } catch {
                failure = error
                upload.discard()
            }
            let count = buffers.reduce(0) { $0 + $1.readableBytes }
            loop.execute { [failure] in bound.value.wrote(count, failure) }
        }
    }

    private static func write(_ buffer: ByteBuffer, _ upload: SnapshotUpload) throws(OctantError) {
        var failure: OctantError?
        buffer.withUnsafeReadableBytes { bytes in
            do throws(OctantError) { try upload.receive(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func wrote(_ count: Int, _ failure: OctantError?) {
        isBusy = false
        waitingBytes -= count
        guard !isOver else { return }
        if let failure {
            isOver = true
            waiting = []
            hold(false)
            return fail(failure)
        }
        if waitingBytes < Self.lowMark { hold(false) }
        pump()
    }

    private func hold(_ holds: Bool) {
        guard holds != isHeld else { return }
        isHeld = holds
        // A channel that is closed has no options: then nothing is read anyway.
        _ = channel.setOption(ChannelOptions.autoRead, value: !holds)
        if !holds { channel.read() }
    }
}
#endif
