import OctantEngine
public import OctantModel
package import OctantStorage

extension Database {
    /// Reads every file of a data folder that no process has open and compares it with its checksums, its manifest and its
    /// format. Changes nothing but the text of `LOCK`.
    ///
    /// - Parameter onProgress: called before each read.
    /// - Throws: `unavailable` if another process has the folder, it is none of ours or of a newer format.
    public static func verify(
        path: String, onProgress: @escaping (IntegrityProgress) -> Void = { _ in }
    ) throws(OctantError) -> IntegrityReport {
        try verify(path: path, fileSystem: LocalFileSystem(), onProgress: onProgress)
    }

    /// As ``verify(path:onProgress:)``, by another file layer.
    package static func verify(
        path: String, fileSystem: any FileSystem, logFileBytes: Int? = nil,
        onProgress: @escaping (IntegrityProgress) -> Void = { _ in }
    ) throws(OctantError) -> IntegrityReport {
        try locked(path, fileSystem) { () throws(StorageError) in
            var verifier = FolderVerifier(
                path, fileSystem: fileSystem, logFileBytes: logFileBytes, onProgress: onProgress)
            try verifier.run()
            return verifier.report
        }
    }

    /// Makes a damaged data folder one that opens, of what can be verified. What is replaced goes to `quarantine/repair-…`,
    /// of which nothing is ever deleted. Nothing is done where nothing is damaged.
    ///
    /// - Parameter isPlan: only say what would be done.
    /// - Throws: as ``verify(path:onProgress:)``.
    public static func repair(
        path: String, isPlan: Bool, onProgress: @escaping (IntegrityProgress) -> Void = { _ in }
    ) throws(OctantError) -> RepairReport {
        try repair(path: path, isPlan: isPlan, fileSystem: LocalFileSystem(), onProgress: onProgress)
    }

    /// As ``repair(path:isPlan:onProgress:)``, by another file layer.
    package static func repair(
        path: String, isPlan: Bool, fileSystem: any FileSystem, logFileBytes: Int? = nil,
        onProgress: @escaping (IntegrityProgress) -> Void = { _ in }
    ) throws(OctantError) -> RepairReport {
        try locked(path, fileSystem) { () throws(StorageError) in
            var repair = FolderRepair(
                path, fileSystem: fileSystem, isPlan: isPlan, logFileBytes: logFileBytes, onProgress: onProgress)
            try repair.run()
            return repair.report
        }
    }

    private static func locked<Result>(
        _ path: String, _ fileSystem: any FileSystem, _ body: () throws(StorageError) -> Result
    ) throws(OctantError) -> Result {
        do throws(StorageError) {
            do throws(StorageError) {
                switch try SuperblockStore.inspect(directory: path, fileSystem: fileSystem) {
                case .missing, .empty: throw StorageError(.notFound, "\(path): no data folder")
                case .present: break
                }
            } catch {
                // Damaged superblocks are a finding like others.
                guard error.code == .corrupt else { throw error }
            }
            let lock = try FolderLock(directory: path, fileSystem: fileSystem)
            defer { lock.release() }
            return try body()
        } catch { throw OctantError(error) }
    }
}
