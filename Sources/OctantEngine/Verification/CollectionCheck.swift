package import OctantModel
package import OctantStorage

/// What became of the files of one collection.
package struct CollectionCheck: Sendable {
    /// Its name.
    package var name: String
    package var uuid: UUIDBytes
    /// Its folder.
    package var path: String
    /// The newest manifest that can be read.
    package var manifest: Manifest?
    /// The manifests that cannot be read, the newest first, and why.
    package var damagedManifests: [(path: String, error: StorageError)] = []
    /// Whether a damaged manifest is newer than ``manifest``.
    package var isFallback = false
    /// The segments that the manifest names.
    package var segments: [SegmentCheck] = []
    /// Why the log cannot be read to its end.
    package var logError: StorageError?
    /// What the log holds, as far as it can be read.
    package var log: WriteAheadLog.RecoveryReport?
    /// See ``ShardLimits/logFileBytes``.
    package var logFileBytes: Int?
    /// What the manifest does not name.
    package var leftovers: [String] = []
    /// Graphs that jobs had begun, and what is wrong with them.
    package var savedBuilds: [(path: String, problem: String?)] = []
    /// Operations that ended the process while they were replayed.
    package var poison: LSN?
}

/// Reads all files of a collection. Changes nothing.
struct CollectionChecker {
    let fileSystem: any FileSystem
    let logFileBytes: Int?
    /// Called before each read with its bytes; `false` ends the check.
    let pace: (Int) -> Bool
    /// Called after each file.
    let onFile: () -> Void

    func check(_ name: String, _ uuid: UUIDBytes, path: String) -> CollectionCheck {
        var result = CollectionCheck(name: name, uuid: uuid, path: path, logFileBytes: logFileBytes)
        do throws(StorageError) { try readManifest(&result) } catch {
            result.damagedManifests.append((path, error))
            return result
        }
        guard let manifest = result.manifest else { return result }
        let checker = SegmentChecker(
            collectionPath: path, fileSystem: fileSystem, config: manifest.config, pace: pace)
        for entry in manifest.segments {
            result.segments.append(checker.check(entry))
            for _ in entry.files { onFile() }
        }
        result.leftovers = (try? Shard.leftovers(path, manifest, fileSystem)) ?? []
        result.savedBuilds = SavedBuilds.survey(collection: path, fileSystem, pace: pace)
        for _ in result.savedBuilds { onFile() }
        result.poison = ReplayMarker.poison(try? ReplayMarker.read(path, fileSystem))
        checkLog(&result, manifest)
        return result
    }

    private func readManifest(_ result: inout CollectionCheck) throws(StorageError) {
        let store = GenerationStore(
            directory: result.path, prefix: "MANIFEST", owner: result.uuid, fileSystem: fileSystem)
        for found in try store.survey() {
            onFile()
            do throws(StorageError) {
                let manifest = try Manifest(try found.result.get().body)
                if result.manifest == nil { result.manifest = manifest }
            } catch {
                result.damagedManifests.append((found.path, error))
                if result.manifest == nil { result.isFallback = true }
            }
        }
        if result.manifest == nil, result.damagedManifests.isEmpty {
            throw StorageError(.corrupt, "\(result.path): no manifest")
        }
    }

    private func checkLog(_ result: inout CollectionCheck, _ manifest: Manifest) {
        do {
            if try fileSystem.kind(result.path + LogRepair.completeMark) != nil {
                throw StorageError(.corrupt, "\(result.path): a repair of the log was cut short")
            }
            result.log = try WriteAheadLog.inspect(
                directory: result.path + "/s0/wal", fileSystem: fileSystem, collection: result.uuid, shard: 0,
                after: manifest.checkpoint, options: Shard.logOptions(manifest.config, fileBytes: logFileBytes)
            ) { record in
                _ = pace(record.payload.count)
                _ = try UpdateOperation(logType: record.type, record.payload)
            }
            for _ in 0..<(result.log?.files ?? 0) { onFile() }
        } catch let error as StorageError {
            result.logError = error
        } catch {
            result.logError = StorageError(.corrupt, "\(result.path)/s0/wal: \(error)")
        }
    }
}
