extension GenerationStore {
    /// A numbered document as it lies in the folder.
    package struct Surveyed: Sendable {
        /// The file.
        package var path: String
        /// Its number.
        package var number: UInt64
        /// What it holds, or what is wrong with it.
        package var result: Result<Generation, StorageError>
        /// The checksum of the generation before, if it could be read.
        package var previousCRC: UInt32?
    }

    /// Reads every generation there is, the newest first. Changes nothing, also not what may be published.
    package func survey() throws(StorageError) -> [Surveyed] {
        var all: [Surveyed] = []
        for number in try published().reversed() {
            do throws(StorageError) {
                let found = try read(number)
                all.append(
                    Surveyed(
                        path: path(number), number: number, result: .success(found.generation),
                        previousCRC: found.previousCRC))
            } catch {
                all.append(Surveyed(path: path(number), number: number, result: .failure(error), previousCRC: nil))
            }
        }
        for place in all.indices.dropLast() {
            guard case .success(let older) = all[place + 1].result, let previous = all[place].previousCRC,
                previous != older.crc
            else { continue }
            all[place].result = .failure(
                .corrupt(all[place].path, offset: 32, "the file does not follow \(all[place + 1].path)"))
        }
        return all
    }
}

extension SuperblockStore {
    /// The slots that are there, and what is wrong with each. Reads only.
    package static func survey(
        directory: String, fileSystem: any FileSystem
    ) throws(StorageError) -> [(path: String, result: Result<Superblock, StorageError>)] {
        let names = try fileSystem.list(directory)
        return slots.filter(names.contains).map { slot in
            let path = directory + "/" + slot
            let result = Result { () throws(StorageError) in
                try Superblock.decode(try fileSystem.readAll(path, limit: 1 << 20), path: path)
            }
            return (path, result)
        }
    }

    /// Writes the slot that is not in force anew: for a slot that is damaged or missing.
    package mutating func renewOtherSlot() throws(StorageError) { try update { _ in } }
}
