/// What ``HNSWConfig/inlineStorage`` means for one vector.
public enum InlineStorage: Sendable, Hashable {
    /// It was not asked for.
    case unset
    /// Codes of neighbours and originals are kept beside the links.
    case used
    /// It cannot be done for such vectors, or without quantization.
    case impossible(String)
    /// Graph or codes are in memory, where it would take room and spare nothing.
    case useless(String)

    /// The meaning for a vector of a collection.
    public init(_ vector: NamedVectorParams, config: CollectionConfig) {
        let hnsw = config.hnsw.applying(vector.params.hnsw)
        guard hnsw.inlineStorage == true else {
            self = .unset
            return
        }
        guard vector.params.multivector == nil else {
            self = .impossible("is not compatible with multivectors")
            return
        }
        guard let scheme = vector.params.quantization ?? config.quantization else {
            self = .impossible("requires quantization to be enabled")
            return
        }
        if hnsw.residence != .cold {
            self = .useless("has an effect only on a graph on disk")
        } else if scheme.residence(originalsOnDisk: vector.params.isOnDisk) != .cold {
            self = .useless("has an effect only with quantized vectors on disk")
        } else {
            self = .used
        }
    }

    /// What to tell the user whose setting has no effect, after the setting's name.
    public var warning: String? {
        switch self {
        case .unset, .used: nil
        case .impossible(let why), .useless(let why): "\(why). This option will be ignored."
        }
    }
}
