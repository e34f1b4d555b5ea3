#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the operating system says of this process. Where it says nothing, there is `nil`.
package enum SystemStatus {
    /// Milliseconds since 1970.
    package static var unixMilliseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// Bytes of memory: all that is resident, and what of it is not backed by files.
    package static var memory: (resident: Int, anonymous: Int)? {
        let fields = kilobytes(of: ["VmRSS", "RssAnon"], in: "/proc/self/status")
        guard let resident = fields["VmRSS"] else { return nil }
        return (resident << 10, (fields["RssAnon"] ?? resident) << 10)
    }

    /// Bytes of memory the machine has.
    package static var machineMemory: Int? {
        kilobytes(of: ["MemTotal"], in: "/proc/meminfo")["MemTotal"].map { $0 << 10 }
    }

    /// Threads of the process.
    package static var threads: Int? { kilobytes(of: ["Threads"], in: "/proc/self/status")["Threads"] }

    /// Mappings of the process, and how many it may have.
    package static var mappings: (open: Int, max: Int)? {
        guard let maps = lines("/proc/self/maps")?.count,
            let max = lines("/proc/sys/vm/max_map_count")?.first.flatMap({ Int($0) })
        else { return nil }
        return (maps, max)
    }

    /// File descriptors of the process, and how many it may have.
    package static var descriptors: (open: Int, max: Int)? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        var limit = rlimit()
        #if canImport(Glibc)
        let status = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
        let status = getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        // The two dots and the folder itself are counted too.
        return status == 0 ? (max(0, count - 3), Int(clamping: limit.rlim_cur)) : nil
    }

    /// Page faults of the process since its start: without and with a read from disk.
    package static var pageFaults: (minor: Int, major: Int)? {
        var usage = rusage()
        #if canImport(Glibc)
        let status = getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
        let status = getrusage(RUSAGE_SELF, &usage)
        #endif
        return status == 0 ? (usage.ru_minflt, usage.ru_majflt) : nil
    }

    /// Percent of the disk of a folder that is used.
    package static func diskUsagePercent(_ path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0, status.f_blocks > 0 else { return nil }
        return Int(100 - Double(status.f_bavail) * 100 / Double(status.f_blocks))
    }

    /// Numbers of lines such as `VmRSS:  123 kB`.
    private static func kilobytes(of names: Set<String>, in path: String) -> [String: Int] {
        var found: [String: Int] = [:]
        for line in lines(path) ?? [] {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, names.contains(String(parts[0])) else { continue }
            let number = parts[1].split { $0 == " " || $0 == "\t" }.first
            if let number, let value = Int(number) { found[String(parts[0])] = value }
        }
        return found
    }

    static func lines(_ path: String) -> [Substring]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}
