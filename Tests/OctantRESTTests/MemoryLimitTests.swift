import OctantService
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite struct MemoryLimitTests {
    /// A tree like that of `/sys/fs/cgroup`, with these files.
    private func withTree(_ files: [String: String], _ body: (String) throws -> Void) throws {
        var template = Array("/tmp/octant-groups-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        var folders = [root]
        defer {
            for name in files.keys { unlink("\(root)/\(name)") }
            for folder in folders.sorted(by: { $0.count > $1.count }) { rmdir(folder) }
        }
        for (name, text) in files {
            var folder = root
            for step in name.split(separator: "/").dropLast() {
                folder += "/\(step)"
                if mkdir(folder, 0o700) == 0 { folders.append(folder) }
            }
            let file = try #require(fopen("\(root)/\(name)", "w"))
            fputs(text, file)
            fclose(file)
        }
        try body(root)
    }

    @Test("The second version's limit is the least from the group up, and `max` is none")
    func secondVersion() throws {
        try withTree(["a/memory.max": "4096\n", "a/b/memory.max": "max\n"]) { root in
            #expect(SystemStatus.controlGroupLimit(membership: ["0::/a/b"], root: root) == 4096)
            #expect(SystemStatus.controlGroupLimit(membership: ["0::/"], root: root) == nil)
        }
        try withTree(["a/memory.max": "4096\n", "a/b/memory.max": "1024\n"]) { root in
            #expect(SystemStatus.controlGroupLimit(membership: ["0::/a/b"], root: root) == 1024)
        }
    }

    @Test("The first version's limit is found beside other controllers")
    func firstVersion() throws {
        try withTree([
            "memory/memory.limit_in_bytes": "9223372036854771712\n", "memory/x/memory.limit_in_bytes": "77\n",
        ]) {
            root in
            let membership = ["5:cpu,cpuacct:/y", "3:memory:/x", "0::/"]
            #expect(SystemStatus.controlGroupLimit(membership: membership, root: root) == 77)
        }
    }

    @Test("A path of the host's counts as the container's root")
    func container() throws {
        try withTree(["memory/memory.limit_in_bytes": "500\n"]) { root in
            #expect(SystemStatus.controlGroupLimit(membership: ["3:memory:/docker/abc"], root: root) == 500)
        }
    }

    @Test("Lines that are none are passed over")
    func damaged() {
        #expect(SystemStatus.controlGroupLimit(membership: ["", "a", "::", "1:memory"], root: "/nowhere") == nil)
    }
}
