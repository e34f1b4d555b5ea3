/// How much of vectors and payload is compared with its checksums when a collection is opened. Everything else is
/// always checked then.
public enum OpeningChecks: String, Sendable, CaseIterable {
    /// What is read into memory; what stays on disk when it is first read.
    case resident
    /// All of it.
    case full
    /// Nothing: vectors are checked by the scrubber and before they are rewritten, payload when it is first read.
    case later
}
