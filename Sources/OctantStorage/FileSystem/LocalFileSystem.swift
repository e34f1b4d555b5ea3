import COctantKernels
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The operating system's files.
package struct LocalFileSystem: FileSystem {
    /// The one there is.
    package init() {}

    package func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        let flags: Int32 =
            switch mode {
            case .read: O_RDONLY
            case .readWrite: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            case .createOrTruncate: O_RDWR | O_CREAT | O_TRUNC
            case .createOrOpen: O_RDWR | O_CREAT
            }
        return LocalFile(
            try retrying("open", path) { openDescriptor(path, flags | O_CLOEXEC) }, path: path)
    }

    package func rename(_ from: String, to: String) throws(StorageError) {
        _ = try retrying("rename", from) { systemRename(from, to) }
    }

    package func unlink(_ path: String) throws(StorageError) {
        _ = try retrying("unlink", path) { systemUnlink(path) }
    }

    package func link(_ existing: String, to: String) throws(StorageError) {
        _ = try retrying("link", to) { systemLink(existing, to) }
    }

    package func makeDirectory(_ path: String) throws(StorageError) {
        _ = try retrying("mkdir", path) { mkdir(path, 0o700) }
    }

    package func removeDirectory(_ path: String) throws(StorageError) {
        _ = try retrying("rmdir", path) { rmdir(path) }
    }

    package func list(_ path: String) throws(StorageError) -> [String] {
        guard let directory = opendir(path) else { throw StorageError(errno: errno, call: "opendir", path: path) }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw StorageError(errno: errno, call: "readdir", path: path) }
        return names.sorted()
    }

    package func syncDirectory(_ path: String) throws(StorageError) {
        let descriptor = try retrying("open", path) { openDescriptor(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { _ = closeDescriptor(descriptor) }
        let number = octant_sync_all(descriptor)
        guard number == 0 else { throw StorageError(errno: number, call: "fsync", path: path) }
    }

    package func kind(_ path: String) throws(StorageError) -> FileKind? {
        var info = stat()
        guard lstat(path, &info) == 0 else {
            let number = errno
            if number == ENOENT || number == ENOTDIR { return nil }
            throw StorageError(errno: number, call: "lstat", path: path)
        }
        switch info.st_mode & S_IFMT {
        case S_IFREG: return .file(Int(info.st_size))
        case S_IFDIR: return .directory
        default: return .other
        }
    }

    package func freeSpace(_ path: String) throws(StorageError) -> FreeSpace {
        var space = FreeSpace(available: 0, total: 0)
        let number = octant_free_space(path, &space.available, &space.total)
        guard number == 0 else { throw StorageError(errno: number, call: "statvfs", path: path) }
        return space
    }
}

/// A descriptor of `LocalFileSystem`.
final class LocalFile: File {
    let path: String
    private let descriptor: Atomic<Int32>

    init(_ descriptor: Int32, path: String) {
        self.descriptor = Atomic(descriptor)
        self.path = path
    }

    deinit { close() }

    func close() {
        let old = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        if old >= 0 { _ = closeDescriptor(old) }
    }

    func size() throws(StorageError) -> Int {
        let descriptor = try current()
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw StorageError(errno: errno, call: "fstat", path: path) }
        return Int(info.st_size)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int {
        let descriptor = try current()
        guard let base = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw StorageError(errno: errno, call: "pread", path: path, offset: offset + done)
            }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        let descriptor = try current()
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, base + done, bytes.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw StorageError(
                    errno: count < 0 ? errno : ENOSPC, call: "pwrite", path: path, offset: offset + done)
            }
            done += count
        }
    }

    func sync() throws(StorageError) {
        let number = octant_sync_all(try current())
        guard number == 0 else { throw StorageError(errno: number, call: "fsync", path: path) }
    }

    func syncData() throws(StorageError) {
        let number = octant_sync_data(try current())
        guard number == 0 else { throw StorageError(errno: number, call: "fdatasync", path: path) }
    }

    func truncate(to length: Int) throws(StorageError) {
        let descriptor = try current()
        _ = try retrying("ftruncate", path) { ftruncate(descriptor, off_t(length)) }
    }

    func allocate(_ length: Int) throws(StorageError) {
        let number = octant_allocate(try current(), Int64(length))
        if number == 0 { return }
        guard number == EOPNOTSUPP || number == ENOSYS else {
            throw StorageError(errno: number, call: "fallocate", path: path)
        }
        // A file system without preallocation: zeros reserve the blocks.
        let chunk = [UInt8](repeating: 0, count: 1 << 20)
        var offset = try size()
        while offset < length {
            let count = min(chunk.count, length - offset)
            try chunk.withRawBytes { (raw) throws(StorageError) in
                try write(UnsafeRawBufferPointer(rebasing: raw[..<count]), at: offset)
            }
            offset += count
        }
    }

    func map(length: Int) throws(StorageError) -> MappedRegion {
        let descriptor = try current()
        guard length > 0 else { throw StorageError(errno: EINVAL, call: "mmap", path: path) }
        guard let start = mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED else {
            throw StorageError(errno: errno, call: "mmap", path: path)
        }
        return MappedRegion(start: start, count: length, isOfFile: true)
    }

    func dropCached(_ range: Range<Int>) {
        let descriptor = descriptor.load(ordering: .acquiring)
        if descriptor >= 0 { octant_drop_cached(descriptor, Int64(range.lowerBound), Int64(range.count)) }
    }

    func nextData(from offset: Int) -> Int {
        let descriptor = descriptor.load(ordering: .acquiring)
        return descriptor >= 0 ? Int(clamping: octant_next_data(descriptor, Int64(offset))) : offset
    }

    func tryLock() throws(StorageError) -> Bool {
        let descriptor = try current()
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            guard errno == EINTR else { throw StorageError(errno: errno, call: "flock", path: path) }
        }
        return true
    }

    private func current() throws(StorageError) -> Int32 {
        let value = descriptor.load(ordering: .acquiring)
        guard value >= 0 else { throw StorageError(.closed, "\(path): the file is closed") }
        return value
    }
}

/// Repeats a call that a signal interrupted; other failures become errors.
private func retrying(_ call: String, _ path: String, _ body: () -> Int32) throws(StorageError) -> Int32 {
    while true {
        let result = body()
        if result >= 0 { return result }
        guard errno == EINTR else { throw StorageError(errno: errno, call: call, path: path) }
    }
}

// Methods of the types above hide the libc functions of the same name; these reach them.
private func openDescriptor(_ path: String, _ flags: Int32) -> Int32 { open(path, flags, 0o600) }
private func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func systemRename(_ from: String, _ to: String) -> Int32 { rename(from, to) }
private func systemUnlink(_ path: String) -> Int32 { unlink(path) }
private func systemLink(_ existing: String, _ to: String) -> Int32 { link(existing, to) }
