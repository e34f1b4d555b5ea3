package import OctantModel

#if Snowball
import CStemmer
import Synchronization
#endif

/// Brings words of one language to their stems.
///
/// English is this module's own ``EnglishStemmer`` in every build: what most texts need is there without the library, and
/// one index has the same tokens in all builds. It gives the same stems as libstemmer 2.2 for the 107,806 words of a
/// hundred thousand package descriptions, and the tests compare the two over random words. The other languages are
/// libstemmer's.
struct WordStemmer: Sendable {
    #if Snowball
    private let pool: SnowballPool?
    #endif

    /// The stemmer of a language; `nil` if this build has none.
    init?(_ stemmer: TextAnalysis.Stemmer) {
        #if Snowball
        pool = stemmer == .english ? nil : SnowballPool.of(stemmer)
        guard stemmer == .english || pool != nil else { return nil }
        #else
        guard stemmer == .english else { return nil }
        #endif
    }

    /// Replaces a word by its stem.
    func stem(_ word: inout [UInt8]) {
        #if Snowball
        if let pool { return pool.stem(&word) }
        #endif
        EnglishStemmer.stem(&word)
    }
}

extension TextAnalysis {
    /// Throws if this build has no stemmer for the language: then there can be no tokens.
    package func checkAvailable() throws(OctantError) {
        guard let stemmer, WordStemmer(stemmer) == nil else { return }
        throw OctantError(
            .badInput,
            "The stemmer for `\(stemmer.rawValue)` is not in this build: build with the package trait `Snowball` and the "
                + "C library libstemmer, or use the stemmer {\"type\": \"none\"}")
    }
}

#if Snowball
/// The stemmers of one language that nobody uses at the moment. A stemmer holds the word it works on, so that it serves
/// one thread at a time; taking one from here costs a lock, making one an allocation.
final class SnowballPool: Sendable {
    /// A stemmer of the C library.
    private struct Stemmer: @unchecked Sendable {
        // SAFETY: whoever took it out of the pool is its only user.
        let pointer: OpaquePointer
    }

    /// More than can be in use at once, in practice; what is above is freed.
    private static let idleMax = 64

    private let name: String
    private let idle: Mutex<[Stemmer]>

    private static let pools: [TextAnalysis.Stemmer: SnowballPool] = {
        var pools: [TextAnalysis.Stemmer: SnowballPool] = [:]
        for stemmer in TextAnalysis.Stemmer.allCases { pools[stemmer] = SnowballPool(stemmer.rawValue) }
        return pools
    }()

    /// The pool of a language, English too; `nil` if the library does not know it.
    static func of(_ stemmer: TextAnalysis.Stemmer) -> SnowballPool? { pools[stemmer] }

    private init?(_ name: String) {
        self.name = name
        guard let first = sb_stemmer_new(name, nil) else { return nil }
        idle = Mutex([Stemmer(pointer: first)])
    }

    private func take() -> Stemmer? {
        if let stemmer = idle.withLock({ $0.popLast() }) { return stemmer }
        return sb_stemmer_new(name, nil).map { Stemmer(pointer: $0) }
    }

    private func give(_ stemmer: Stemmer) {
        let isFull = idle.withLock { idle in
            guard idle.count < Self.idleMax else { return true }
            idle.append(stemmer)
            return false
        }
        if isFull { sb_stemmer_delete(stemmer.pointer) }
    }

    /// Replaces a word by its stem; without memory for a stemmer, and for words of absurd length, it stays.
    func stem(_ word: inout [UInt8]) {
        guard let length = Int32(exactly: word.count), length > 0, let stemmer = take() else { return }
        defer { give(stemmer) }
        let stem = word.withUnsafeBufferPointer { sb_stemmer_stem(stemmer.pointer, $0.baseAddress, length) }
        let count = Int(sb_stemmer_length(stemmer.pointer))
        // An empty stem would be no token: the word stays.
        guard let stem, count > 0 else { return }
        word = Array(UnsafeBufferPointer(start: stem, count: count))
    }
}
#endif
