import FuzzDecoders

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The entry point that libFuzzer calls. `OCTANT_DECODER` names the decoder; see `scripts/fuzz_decoders.sh`.
private let decoder: FuzzDecoder = {
    let name = getenv("OCTANT_DECODER").map { String(cString: $0) } ?? ""
    guard let decoder = FuzzDecoder(rawValue: name) else {
        print("OCTANT_DECODER must be one of " + FuzzDecoder.allCases.map(\.rawValue).joined(separator: " "))
        exit(2)
    }
    return decoder
}()

/// Runs one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    decoder.accepts(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
