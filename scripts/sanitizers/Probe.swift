// What the sanitizers must report, and what they must not: `clean` has to pass, each other argument has to be reported.
import Glibc
import Synchronization

final class Shared: @unchecked Sendable {
    // SAFETY: that `count` has no guard is the point of it.
    let values = Mutex([Int](repeating: 0, count: 64))
    var count = 0
}

final class Cycle {
    var next: Cycle?
}

enum Global {
    static let shared = Shared()
}

/// Two barriers: all four threads have begun; all have raced. Who ends before another begins may not be told from it.
nonisolated(unsafe) let barriers = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 2)
pthread_barrier_init(barriers, nil, 4)
pthread_barrier_init(barriers + 1, nil, 4)

let mode = CommandLine.arguments.last ?? "clean"

/// Threads that change an array in place and read copies of it, both by a mutex for which they contend.
func work(_ thread: Int) {
    pthread_barrier_wait(barriers)
    if mode == "race" { for _ in 0..<1000 { Global.shared.count += 1 } }
    pthread_barrier_wait(barriers + 1)
    var sum = 0
    for round in 0..<20_000 {
        if round % 3 == thread % 3 {
            Global.shared.values.withLock { $0[round & 63] = round }
        } else {
            sum &+= Global.shared.values.withLock { $0 }.reduce(0, &+)
        }
        if sum == 1 { print(thread) }
    }
}

var threads: [pthread_t] = []
for thread in 0..<4 {
    var handle = pthread_t()
    pthread_create(
        &handle, nil,
        { argument in
            work(Int(bitPattern: argument) - 1)
            return nil
        }, UnsafeMutableRawPointer(bitPattern: thread + 1))
    threads.append(handle)
}
for thread in threads { pthread_join(thread, nil) }

if mode == "freed" {
    let freed = UnsafeMutablePointer<Int>.allocate(capacity: 8)
    freed.initialize(repeating: 1, count: 8)
    freed.deallocate()
    print(freed[threads.count])
}

@inline(never)
func leak() {
    for _ in 0..<8 {
        let one = Cycle()
        let other = Cycle()
        one.next = other
        other.next = one
    }
}

if mode == "leak" { leak() }
