/// Why the bytes of codes or of a graph were refused.
package enum VectorFormatError: Error, Equatable {
    /// Shorter than the header says, or than a header.
    case truncated(expected: Int, found: Int)
    /// Not this kind of file.
    case badMagic
    /// Written by a later format.
    case unsupportedVersion(UInt32)
    /// A field is impossible; the text says which.
    case inconsistent(String)
}

/// The system would not give memory.
package struct VectorMemoryError: Error, Equatable {
    /// How many bytes were asked for.
    package let bytes: Int
}

/// Why building a graph ended early.
package enum HNSWBuildError: Error, Equatable {
    /// `isCancelled` said so.
    case cancelled
    /// The source has other rows than the builder was made for.
    case rowCountMismatch
}
