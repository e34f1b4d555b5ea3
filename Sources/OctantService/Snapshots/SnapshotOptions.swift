package import Octant
package import OctantModel

/// Takes bytes one piece after another, and makes who gives them wait while it is behind.
package typealias ByteSink = (UnsafeRawBufferPointer) throws(OctantError) -> Void

/// A snapshot on its way out.
package struct SnapshotDownload: Sendable {
    /// The file's name for the one who receives it.
    package var name: String
    /// Bytes of the whole; `nil`: known only at the end.
    package var length: Int?
    /// Gives all bytes to a sink. Called once at most, on a thread that may wait.
    package var send: @Sendable (_ sink: ByteSink) throws(OctantError) -> Void

    /// A download.
    package init(
        name: String, length: Int?, send: @escaping @Sendable (_ sink: ByteSink) throws(OctantError) -> Void
    ) {
        self.name = name
        self.length = length
        self.send = send
    }
}

/// Where finished snapshots are kept, if not in the folder they are made in. Its functions block.
package protocol SnapshotObjectStore: Sendable {
    /// Keeps a file, whole or not at all.
    func put(_ scope: SnapshotScope, _ description: SnapshotDescription, path: String) throws(OctantError)
    /// Whether a snapshot of this name is kept.
    func contains(_ scope: SnapshotScope, name: String) throws(OctantError) -> Bool
    /// The snapshots that are kept.
    func list(_ scope: SnapshotScope) throws(OctantError) -> [SnapshotDescription]
    /// A snapshot, to be sent. Throws `notFound`.
    func get(_ scope: SnapshotScope, name: String) throws(OctantError) -> SnapshotDownload
    /// Removes a snapshot. Throws `notFound`.
    func delete(_ scope: SnapshotScope, name: String) throws(OctantError)
}

/// Fetches snapshots that are at a URL.
package protocol SnapshotSource: Sendable {
    /// Writes what is at a URL into a file. Blocks.
    ///
    /// - Parameter apiKey: What the other server wants to see, as `api-key`.
    func fetch(_ url: String, apiKey: String?, into file: TransferFile) throws(OctantError)

    /// Posts a manifest to another server and writes the partial snapshot that it answers with into a file. Blocks.
    ///
    /// - Parameters:
    ///   - peer: the server; of the URL only scheme, host and port count.
    ///   - target: the path there.
    ///   - apiKey: What the other server wants to see, as `api-key`.
    /// - Returns: `false` if it answers that nothing differs.
    func fetchPartial(
        _ peer: String, target: String, manifest: [UInt8], apiKey: String?, into file: TransferFile
    ) throws(OctantError) -> Bool
}

/// What a service does with snapshots beyond what the engine does.
package struct SnapshotOptions: Sendable {
    /// Where they are kept; `nil`: in the engine's folder.
    package var store: (any SnapshotObjectStore)?
    /// Fetches them from URLs; `nil`: recovery from URLs is off.
    package var source: (any SnapshotSource)?
    /// Where messages for the operator go.
    package var log: @Sendable (String) -> Void = { _ in }

    /// In the engine's folder, and not from URLs.
    package init() {}
}
