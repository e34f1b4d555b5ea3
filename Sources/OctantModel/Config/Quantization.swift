/// How vectors are compressed.
public enum QuantizationConfig: Sendable, Hashable {
    /// One byte per dimension.
    case scalar(ScalarQuantization)
    /// One byte for several dimensions.
    case product(ProductQuantization)
    /// One to two bits per dimension.
    case binary(BinaryQuantization)
    /// One to eight bits per dimension of the rotated vector.
    case turbo(TurboQuantization)
}

/// Compression to one signed byte per dimension.
public struct ScalarQuantization: Sendable, Hashable {
    /// Share of component values inside the range that is kept apart, 0.5–1; unset: the full range.
    public var quantile: Double?
    /// Keep the codes resident even where the originals are on disk.
    public var alwaysRAM: Bool?
    /// Placement of the codes; wins over ``alwaysRAM``. Unset: that of the originals.
    public var memory: MemoryPlacement?

    /// Parameters.
    public init(quantile: Double? = nil, alwaysRAM: Bool? = nil, memory: MemoryPlacement? = nil) {
        self.quantile = quantile
        self.alwaysRAM = alwaysRAM
        self.memory = memory
    }
}

/// Compression of each group of components to the nearest of 256 centroids.
public struct ProductQuantization: Sendable, Hashable {
    /// How many times smaller the codes are than floats.
    public enum Compression: String, Sendable, Hashable, CaseIterable {
        case x4, x8, x16, x32, x64

        /// Components in a group.
        public var width: Int {
            switch self {
            case .x4: 1
            case .x8: 2
            case .x16: 4
            case .x32: 8
            case .x64: 16
            }
        }
    }

    /// The size of the codes.
    public var compression: Compression
    /// See ``ScalarQuantization/alwaysRAM``.
    public var alwaysRAM: Bool?
    /// See ``ScalarQuantization/memory``.
    public var memory: MemoryPlacement?

    /// Parameters.
    public init(compression: Compression, alwaysRAM: Bool? = nil, memory: MemoryPlacement? = nil) {
        self.compression = compression
        self.alwaysRAM = alwaysRAM
        self.memory = memory
    }
}

/// Compression to one bit per component, or a little more.
public struct BinaryQuantization: Sendable, Hashable {
    /// Bits of stored vectors.
    public enum Encoding: String, Sendable, Hashable, CaseIterable {
        case oneBit = "one_bit"
        case twoBits = "two_bits"
        case oneAndHalfBits = "one_and_half_bits"
    }

    /// Bits of queries. `default` is `binary`.
    public enum QueryEncoding: String, Sendable, Hashable, CaseIterable {
        case `default`, binary, scalar4bits, scalar8bits
    }

    /// Unset: one bit.
    public var encoding: Encoding?
    /// Unset: as stored vectors.
    public var queryEncoding: QueryEncoding?
    /// See ``ScalarQuantization/alwaysRAM``.
    public var alwaysRAM: Bool?
    /// See ``ScalarQuantization/memory``.
    public var memory: MemoryPlacement?

    /// Parameters.
    public init(
        encoding: Encoding? = nil, queryEncoding: QueryEncoding? = nil, alwaysRAM: Bool? = nil,
        memory: MemoryPlacement? = nil
    ) {
        self.encoding = encoding
        self.queryEncoding = queryEncoding
        self.alwaysRAM = alwaysRAM
        self.memory = memory
    }
}

/// Compression of the randomly rotated vector by a codebook for normally distributed numbers.
public struct TurboQuantization: Sendable, Hashable {
    /// Bits of a component. 1.5 bits are one bit over 1.5 times as many components.
    public enum Bits: String, Sendable, Hashable, CaseIterable {
        case bits1, bits1_5, bits2, bits4, bits8
    }

    /// Unset: four.
    public var bits: Bits?
    /// See ``ScalarQuantization/alwaysRAM``.
    public var alwaysRAM: Bool?
    /// See ``ScalarQuantization/memory``.
    public var memory: MemoryPlacement?

    /// Parameters.
    public init(bits: Bits? = nil, alwaysRAM: Bool? = nil, memory: MemoryPlacement? = nil) {
        self.bits = bits
        self.alwaysRAM = alwaysRAM
        self.memory = memory
    }
}

extension QuantizationConfig {
    /// See ``ScalarQuantization/alwaysRAM``.
    public var alwaysRAM: Bool? {
        switch self {
        case .scalar(let options): options.alwaysRAM
        case .product(let options): options.alwaysRAM
        case .binary(let options): options.alwaysRAM
        case .turbo(let options): options.alwaysRAM
        }
    }

    /// See ``ScalarQuantization/memory``.
    public var memory: MemoryPlacement? {
        switch self {
        case .scalar(let options): options.memory
        case .product(let options): options.memory
        case .binary(let options): options.memory
        case .turbo(let options): options.memory
        }
    }

    /// Whether searches that do not say score what they find again by the original vectors: where codes alone are too
    /// rough to be the answer.
    public var rescoresByDefault: Bool {
        switch self {
        case .scalar, .product: false
        case .binary: true
        case .turbo(let options): options.bits != nil && options.bits != .bits4 && options.bits != .bits8
        }
    }
}
