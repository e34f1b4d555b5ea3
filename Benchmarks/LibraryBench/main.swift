import BenchSupport
import Octant

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

// The library on real data, in this process: load, index, and then answer measuring commands on standard input.
//
//   octant-library-bench --data FOLDER --storage FOLDER [--payload FILE] [--int8] [--on-disk] [--graph-on-disk]
//      [--vectors PLACEMENT] [--graph PLACEMENT] [--codes PLACEMENT] [--threads N] [--search-threads N] [--segments N] [--wal-mb N]
//
// FOLDER has vectors.f16.npy, queries.f32.npy and gt_top100.i32.npy; FILE has one JSON object a line. Each line on
// standard input is a JSON object {"ef": …, "rescore": …, "oversampling": …, "exact": …, "ignore": …, "filter": {…},
// "truth": FILE, "clients": N}; each answer is a line with recall@10 and CPU microseconds a query, over all queries once.

// With --sparse as the first word: the folder's sparse_*.npy instead, all queries asked once for each line read.

// With `build` or `serve` as the first word (corners.py, quantizers.py): a collection of the configuration in --config, a
// body of a request to create one; see CornerBench.

do {
    let words = CommandLine.arguments
    if words.count > 1, words[1] == "build" || words[1] == "serve" {
        let bench = try CornerBench(words.dropFirst(2))
        if words[1] == "build" { try bench.build() } else { try bench.serve() }
        exit(0)
    }
    if words.count == 6, words[1] == "--sparse", words[2] == "--data", words[4] == "--storage" {
        try SparseBench(data: words[3], storage: words[5]).run()
        exit(0)
    }
    let bench = try LibraryBench(CommandLine.arguments.dropFirst())
    try bench.load()
    bench.serve()
    bench.close()
} catch {
    print("octant-library-bench: \(error)")
    exit(1)
}
