/// Bounds that hold for every request, far above normal use. Each is what keeps one request from hurting the others.
public enum Limits {
    /// Dimensions of a dense vector.
    public static let dimensionMax = 65_536
    /// Numbers in all rows of a multivector.
    public static let multivectorNumbersMax = (1 << 20) - 1
    /// Nesting of JSON values.
    public static let jsonDepthMax = 100
    /// Nesting of filters.
    public static let filterDepthMax = 100
    /// Conditions of one request.
    public static let filterConditionsMax = 10_000
    /// Bytes of a text to match.
    public static let matchTextBytesMax = 65_536
    /// Points of one ring of a polygon.
    public static let polygonPointsMax = 100_000
    /// Rings inside a polygon.
    public static let polygonInteriorsMax = 1_000
    /// Unicode scalars of a token of the tokenizer `prefix`: of a long word all beginnings would be tokens.
    public static let prefixTokenLengthMax = 256
    /// Queries of one batch.
    public static let batchQueriesMax = 1_000
    /// Bytes of a collection's name.
    public static let collectionNameBytesMax = 255
    /// Bytes of a vector's name.
    public static let vectorNameBytesMax = 200
    /// Bytes of a JSON body.
    public static let bodyBytesMax = 32 << 20
}
