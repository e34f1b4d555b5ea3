// octant-index-bench: the vector index in one process, on a folder with vectors.f16.npy, queries.f32.npy and
// gt_top100.i32.npy. Builds from floats and from codes, then measures searches one at a time on one thread.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import OctantModel
import OctantVectors

var arguments = Arguments()
do {
    let product = CommandLine.arguments.dropFirst().first == "product"
    try arguments.parse(CommandLine.arguments.dropFirst(product ? 2 : 1))
    if product { try ProductBench(bench: Bench(arguments)).run() } else { try Bench(arguments).run() }
} catch {
    let text = Array("octant-index-bench: \(error)\n".utf8)
    _ = write(2, text, text.count)
    exit(1)
}
