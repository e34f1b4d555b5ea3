#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import OctantVectors

/// Seconds of processor time of the whole process.
func processSeconds() -> Double {
    var t = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t)
    return Double(t.tv_sec) + Double(t.tv_nsec) * 1e-9
}

/// Seconds on the wall.
func wallSeconds() -> Double {
    var t = timespec()
    clock_gettime(CLOCK_MONOTONIC, &t)
    return Double(t.tv_sec) + Double(t.tv_nsec) * 1e-9
}

/// A field of /proc/self/status in MB.
func status(_ field: String) -> Double {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix(field + ":") else { continue }
        let digits = text.filter(\.isNumber)
        return (Double(digits) ?? 0) / 1024
    }
    return 0
}

/// Forgets the highest resident size so far.
func resetPeak() {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return }
    fputs("5", file)
    fclose(file)
}

/// The data part of an .npy file of two dimensions.
struct Array2D {
    let region: HugeRegion
    let rows: Int
    let columns: Int

    init(path: String, type: String, bytes: Int) throws {
        guard let file = fopen(path, "rb") else { throw Arguments.Failure(description: "cannot open \(path)") }
        defer { fclose(file) }
        var head = [UInt8](repeating: 0, count: 10)
        guard fread(&head, 1, 10, file) == 10, head[1...5].elementsEqual("NUMPY".utf8), head[6] == 1 else {
            throw Arguments.Failure(description: "\(path) is no .npy file of version 1")
        }
        var text = [UInt8](repeating: 0, count: Int(head[8]) | Int(head[9]) << 8)
        guard fread(&text, 1, text.count, file) == text.count else {
            throw Arguments.Failure(description: "\(path) ends early")
        }
        let header = String(decoding: text, as: UTF8.self)
        guard header.contains("'\(type)'"), let open = header.lastIndex(of: "("), let close = header.lastIndex(of: ")")
        else { throw Arguments.Failure(description: "\(path) is not of type \(type)") }
        let shape = header[header.index(after: open)..<close].split(separator: ",").compactMap {
            Int($0.filter(\.isNumber))
        }
        guard shape.count == 2 else { throw Arguments.Failure(description: "\(path) has not two dimensions") }
        rows = shape[0]
        columns = shape[1]
        region = try HugeRegion(byteCount: rows * columns * bytes)
        guard fread(region.base, bytes, rows * columns, file) == rows * columns else {
            throw Arguments.Failure(description: "\(path) ends early")
        }
    }
}
