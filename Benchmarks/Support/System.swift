#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
package import OctantVectors

/// Seconds of processor time of the whole process.
package func processSeconds() -> Double {
    var t = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t)
    return Double(t.tv_sec) + Double(t.tv_nsec) * 1e-9
}

/// Seconds on the wall.
package func wallSeconds() -> Double {
    var t = timespec()
    clock_gettime(CLOCK_MONOTONIC, &t)
    return Double(t.tv_sec) + Double(t.tv_nsec) * 1e-9
}

/// A field of /proc/self/status in MB.
package func status(_ field: String) -> Double {
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

/// What the process has read from disk since its start.
package struct DiskTraffic {
    /// Bytes that came from the device.
    package let bytes: Int
    /// Page faults that waited for the device.
    package let majorFaults: Int

    /// Until now.
    package init() {
        var usage = rusage()
        #if canImport(Glibc)
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
        getrusage(RUSAGE_SELF, &usage)
        #endif
        bytes = Int(usage.ru_inblock) * 512
        majorFaults = Int(usage.ru_majflt)
    }

    private init(bytes: Int, majorFaults: Int) {
        self.bytes = bytes
        self.majorFaults = majorFaults
    }

    /// What was read between two moments.
    package static func - (a: DiskTraffic, b: DiskTraffic) -> DiskTraffic {
        DiskTraffic(bytes: a.bytes - b.bytes, majorFaults: a.majorFaults - b.majorFaults)
    }
}

/// Forgets the highest resident size so far.
package func resetPeak() {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return }
    fputs("5", file)
    fclose(file)
}

/// The data part of an .npy file of two dimensions.
package struct Array2D {
    package let region: HugeRegion
    package let rows: Int
    package let columns: Int

    package init(path: String, type: String, bytes: Int) throws {
        guard let file = fopen(path, "rb") else { throw BenchFailure(description: "cannot open \(path)") }
        defer { fclose(file) }
        var head = [UInt8](repeating: 0, count: 10)
        guard fread(&head, 1, 10, file) == 10, head[1...5].elementsEqual("NUMPY".utf8), head[6] == 1 else {
            throw BenchFailure(description: "\(path) is no .npy file of version 1")
        }
        var text = [UInt8](repeating: 0, count: Int(head[8]) | Int(head[9]) << 8)
        guard fread(&text, 1, text.count, file) == text.count else {
            throw BenchFailure(description: "\(path) ends early")
        }
        let header = String(decoding: text, as: UTF8.self)
        guard header.contains("'\(type)'"), let open = header.lastIndex(of: "("), let close = header.lastIndex(of: ")")
        else { throw BenchFailure(description: "\(path) is not of type \(type)") }
        let shape = header[header.index(after: open)..<close].split(separator: ",").compactMap {
            Int($0.filter(\.isNumber))
        }
        guard let first = shape.first, shape.count <= 2 else {
            throw BenchFailure(description: "\(path) has not one or two dimensions")
        }
        rows = first
        columns = shape.count == 2 ? shape[1] : 1
        region = try HugeRegion(byteCount: rows * columns * bytes)
        guard fread(region.base, bytes, rows * columns, file) == rows * columns else {
            throw BenchFailure(description: "\(path) ends early")
        }
    }

    /// A row of 32-bit floats.
    package func floats(_ row: Int) -> [Float] {
        let base = region.base.assumingMemoryBound(to: Float.self)
        return Array(UnsafeBufferPointer(start: base + row * columns, count: columns))
    }

    /// A row of 16-bit floats.
    package func halves(_ row: Int) -> [Float] {
        let base = region.base.assumingMemoryBound(to: UInt16.self)
        return [Float](unsafeUninitializedCapacity: columns) { out, count in
            if let start = out.baseAddress { DenseKernels.halves(base + row * columns, count: columns, out: start) }
            count = columns
        }
    }

    /// A row of 32-bit integers.
    package func integers(_ row: Int) -> [Int32] {
        let base = region.base.assumingMemoryBound(to: Int32.self)
        return Array(UnsafeBufferPointer(start: base + row * columns, count: columns))
    }
}

/// What is wrong with a benchmark's arguments or files.
package struct BenchFailure: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// The lines of a text file.
package func readLines(_ path: String) throws -> [String] {
    guard let file = fopen(path, "r") else { throw BenchFailure(description: "cannot open \(path)") }
    defer { fclose(file) }
    var lines: [String] = []
    var buffer: UnsafeMutablePointer<CChar>?
    var size = 0
    while getline(&buffer, &size, file) > 0 {
        if let buffer { lines.append(String(cString: buffer)) }
    }
    free(buffer)
    return lines
}

/// Prints fields as one line of JSON; the values are JSON already, or one of the words of `kind`.
package func report(_ fields: [(String, String)]) {
    print("{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
    fflush(nil)
}

/// A number with three digits behind the point.
package func decimal(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }

/// A thread that runs a body to its end.
package final class BenchThread {
    private final class Box {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private let handle: pthread_t

    package init(_ body: @escaping () -> Void) {
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            }, box.toOpaque())
        handle = thread
    }

    package func join() { pthread_join(handle, nil) }
}
