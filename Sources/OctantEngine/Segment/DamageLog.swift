package import OctantStorage
import Synchronization

/// What was found damaged in the files of a collection that is open: answers made of such bytes may be wrong, so none are
/// given and nothing is written on.
package final class DamageLog: Sendable {
    private let isAny = Atomic<Bool>(false)
    private let found = Mutex<[StorageError]>([])
    private let log: @Sendable (String) -> Void

    /// Findings that are kept.
    private static let countMax = 64

    /// `log` is told of each finding.
    package init(log: @escaping @Sendable (String) -> Void = { _ in }) { self.log = log }

    /// What was found first.
    package var first: StorageError? {
        guard isAny.load(ordering: .acquiring) else { return nil }
        return found.withLock { $0.first }
    }

    /// All findings, as far as they are kept.
    package var all: [StorageError] { found.withLock { $0 } }

    /// Notes damage. The same again is passed over.
    package func note(_ error: StorageError) {
        let isNew = found.withLock { found -> Bool in
            guard found.count < Self.countMax, !found.contains(where: { $0.message == error.message }) else {
                return false
            }
            found.append(error)
            return true
        }
        isAny.store(true, ordering: .releasing)
        if isNew { log("damage: \(error)") }
    }
}

/// Which blocks of a mapped file were compared with their checksums. A block is checked when it is first read.
final class CheckedBlocks: @unchecked Sendable {
    // SAFETY: the words are atomic and live as long as self.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let wordCount: Int
    private let file: BlockFile
    private let damage: DamageLog

    init(_ file: BlockFile, _ damage: DamageLog) {
        self.file = file
        self.damage = damage
        wordCount = file.data.count / BlockFile.blockBytes / 64 + 1
        words = .allocate(capacity: wordCount)
        for word in 0..<wordCount { (words + word).initialize(to: Atomic(0)) }
    }

    deinit { words.deallocate() }

    /// Whether the blocks that hold `range` of the data are what was written. If not, the damage is noted.
    func areIntact(_ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return true }
        for block in (range.lowerBound / BlockFile.blockBytes)...((range.upperBound - 1) / BlockFile.blockBytes) {
            let (word, bit) = (block >> 6, UInt64(1) << UInt64(block & 63))
            guard word < wordCount, words[word].load(ordering: .relaxed) & bit == 0 else { continue }
            do throws(StorageError) { try file.verifyBlock(block) } catch {
                damage.note(error)
                return false
            }
            words[word].bitwiseOr(bit, ordering: .relaxed)
        }
        return true
    }
}
