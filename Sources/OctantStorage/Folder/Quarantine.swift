#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder `quarantine` of a data folder or of a collection: where goes what no catalog and no manifest names.
///
/// Leftovers of work that a crash cut short are `<16 hexadecimal digits: seconds since 1970>-<name>` and stay for a day,
/// less if there are many or the disk is nearly full. What `octant repair` set aside is in folders `repair-…`, which
/// nothing removes.
package struct Quarantine: Sendable {
    /// Seconds that a leftover stays.
    package static let keepSeconds: UInt64 = 24 * 3600
    /// Leftovers that stay, at most: where each start is followed by a crash, the newest say as much as all.
    package static let keepCount = 4
    /// The name of the folder.
    package static let folder = "quarantine"

    /// The folder.
    package let path: String
    private let fileSystem: any FileSystem
    private let now: UInt64

    /// The quarantine of the folder `parent`. `now` is in seconds since 1970.
    package init(of parent: String, fileSystem: any FileSystem, now: UInt64 = Self.seconds) {
        path = parent + "/" + Self.folder
        self.fileSystem = fileSystem
        self.now = now
    }

    /// What the clock shows, in seconds since 1970; in a simulation, since its own beginning.
    package static var seconds: UInt64 {
        Simulation.current.map { $0.milliseconds / 1000 } ?? UInt64(max(0, time(nil)))
    }

    /// Moves a file or a folder in, or removes it where there is no room even for a name. What a crash leaves half moved
    /// is moved by the next opening.
    package func take(_ original: String) throws(StorageError) {
        do throws(StorageError) {
            try fileSystem.makeDirectories(path)
            try move(original, to: free(path + "/" + hexName(now) + "-" + lastPathComponent(original)))
        } catch {
            guard error.code == .diskFull else { throw error }
            try fileSystem.removeTree(original)
        }
    }

    /// A new folder for what a repair sets aside.
    package func repairFolder() throws(StorageError) -> String {
        try fileSystem.makeDirectories(path)
        let folder = try free(path + "/repair-" + hexName(now))
        try fileSystem.makeDirectories(folder)
        return folder
    }

    /// Moves a file, or a folder file by file, to a name that is free.
    package func move(_ original: String, to target: String) throws(StorageError) {
        if try fileSystem.kind(original) == .directory {
            try fileSystem.makeDirectories(target)
            for name in try fileSystem.list(original) { try move(original + "/" + name, to: target + "/" + name) }
            try fileSystem.removeDirectory(original)
        } else {
            try fileSystem.rename(original, to: target)
        }
    }

    /// Removes leftovers that have been there for a day, those beyond ``keepCount``, and all where less than a tenth of
    /// the file system is free. Failures cost room until the next opening.
    package func purge() {
        guard (try? fileSystem.kind(path)) == .directory, let names = try? fileSystem.list(path) else { return }
        let leftovers = names.filter { Self.seconds(of: $0) != nil }
        let space = try? fileSystem.freeSpace(path)
        let isTight = space.map { $0.available < $0.total / 10 } ?? false
        for (place, name) in leftovers.enumerated() {
            let since = Self.seconds(of: name) ?? 0
            let isOld = now >= since && now - since >= Self.keepSeconds
            guard isOld || isTight || place < leftovers.count - Self.keepCount else { continue }
            try? fileSystem.removeTree(path + "/" + name)
        }
        // Fails while something is left in it.
        try? fileSystem.removeDirectory(path)
    }

    /// When a leftover was moved in; `nil` for anything else.
    private static func seconds(of name: String) -> UInt64? {
        guard name.utf8.count > 17, name.utf8.dropFirst(16).first == UInt8(ascii: "-") else { return nil }
        return parseHexName(name.prefix(16))
    }

    private func free(_ wanted: String) throws(StorageError) -> String {
        var name = wanted
        var number = 1
        while try fileSystem.kind(name) != nil {
            number += 1
            name = wanted + ".\(number)"
        }
        return name
    }
}
