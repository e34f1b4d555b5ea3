/// How much memory there is for the process.
package enum MachineMemory {
    /// Bytes that the process may have: the machine's memory, or less where its control groups allow less. `nil` where
    /// the system does not say.
    ///
    /// - Parameter root: what stands before the paths of the system's files.
    package static func limit(root: String = "") -> Int? {
        let machine = text(root + "/proc/meminfo").split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
            .flatMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } }.map { $0 << 10 }
        return ([machine] + groupLimits(root)).compactMap { $0 }.min()
    }

    /// The limits of the groups the process is in, and of those around them.
    private static func groupLimits(_ root: String) -> [Int?] {
        text(root + "/proc/self/cgroup").split(separator: "\n").flatMap { line -> [Int?] in
            // number:controllers:path; version 2 has the number 0 and names no controllers.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return [] }
            let folder: String
            let file: String
            if parts[1].isEmpty {
                (folder, file) = ("/sys/fs/cgroup", "memory.max")
            } else if parts[1].split(separator: ",").contains("memory") {
                (folder, file) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else {
                return []
            }
            var path = ""
            var places = [root + folder + "/" + file]
            for step in parts[2].split(separator: "/") {
                path += "/" + step
                places.append(root + folder + path + "/" + file)
            }
            // "max", and in version 1 a number beyond all memory, stand for no limit.
            return places.map { text($0).split(separator: "\n").first.flatMap { Int($0) } }
        }
    }

    /// What a file of the system says; nothing if it is not there. Such files do not know their length beforehand.
    private static func text(_ path: String) -> String {
        guard let file = try? LocalFileSystem().open(path, .read) else { return "" }
        defer { file.close() }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = piece.withUnsafeMutableBytes { (try? file.read(into: $0, at: bytes.count)) ?? 0 }
            bytes += piece[..<count]
            if count < piece.count { return String(decoding: bytes, as: UTF8.self) }
        }
    }
}
