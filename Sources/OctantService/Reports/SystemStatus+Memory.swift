/// The memory that this process may have: the machine's, or what its control groups leave it.
extension SystemStatus {
    /// Bytes of memory the process may have: what the machine has, or less by the limit of a control group.
    package static var memoryLimit: Int? {
        let machine = machineMemory
        guard let membership = lines("/proc/self/cgroup"),
            let group = controlGroupLimit(membership: membership.map(String.init), root: "/sys/fs/cgroup")
        else { return machine }
        return machine.map { min($0, group) } ?? group
    }

    /// The smallest limit in bytes among the memory groups that `membership`, the lines of `/proc/self/cgroup`, names
    /// below `root`, where control groups are mounted; `nil`: none.
    package static func controlGroupLimit(membership: [String], root: String) -> Int? {
        var least: Int?
        for line in membership {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let found: Int?
            if parts[1].isEmpty {
                found = smallest("memory.max", from: parts[2], under: root)
            } else if parts[1].split(separator: ",").contains("memory") {
                found = smallest("memory.limit_in_bytes", from: parts[2], under: root + "/memory")
            } else {
                found = nil
            }
            if let found { least = min(least ?? found, found) }
        }
        return least
    }

    /// The smallest number in the files of a name from a group up to the root. In a container the group's path may be
    /// the host's, which is not there, while the root is the container's own group.
    private static func smallest(_ name: String, from group: Substring, under root: String) -> Int? {
        var least: Int?
        var path = group
        while true {
            while path.hasSuffix("/") { path.removeLast() }
            // "max" is no number: no limit. The first version says a number above all memory instead.
            if let line = lines("\(root)\(path)/\(name)")?.first, let limit = Int(line), limit > 0 {
                least = min(least ?? limit, limit)
            }
            guard let slash = path.lastIndex(of: "/") else { return least }
            path = path[..<slash]
        }
    }
}
