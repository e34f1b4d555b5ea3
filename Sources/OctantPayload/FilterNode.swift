import OctantModel

/// A run of rows an index knows to match.
struct RowSlice {
    var rows: UnsafePointer<UInt32>
    var count: Int
    /// Whether the rows ascend without repetition.
    var isAscending: Bool
}

/// Values a payload is compared with; each list ascends.
struct ValueSet {
    /// By length, then by bytes.
    var strings: UnsafePointer<UnsafeRawBufferPointer>
    var stringCount = 0
    var integers: UnsafePointer<Int64>
    var integerCount = 0
    var hasTrue = false
    var hasFalse = false
    /// Matched by value: the key has a uuid index.
    var uuids: UnsafePointer<UUIDValue>
    var uuidCount = 0
    /// Whether an integral double counts as the integer: the key has an integer index.
    var integralDoubles = false
}

/// A compiled condition: a plain value in an ``Arena``, so that evaluation follows addresses and counts no references.
struct FilterNode {
    enum Operation: UInt8 {
        case always, never
        /// Clauses over `children`.
        case and, or, not, atLeast
        /// The row's bit in `bitmap`.
        case bitmap
        /// The row holds the code `low`, one of the few in `codes`, one marked in `bitmap`, or one not marked there.
        case keyword, keywords, keywordMap, keywordExcept
        /// The row holds a code in `low...high`.
        case keywordRange
        /// The row holds an integer in `low...high`, one of `set`, or one not in `set`.
        case integerRange, integers, integerExcept
        /// The row holds a number in `lowFloat...highFloat`.
        case floatRange
        /// The row's words contain `codes` one after the other.
        case phrase
        /// The row holds a point in `shape`.
        case geo
        /// The row has the vector `name`.
        case hasVector
        /// The id is in slice `low` of `high`.
        case slice
        // Tests of the payload.
        case match, except, range, dates, prefix, substring, inShape, text, count, notEmpty, null, nullInside,
            nested
    }

    var operation: Operation
    var children: UnsafePointer<UnsafePointer<FilterNode>>?
    var childCount = 0
    /// `atLeast`: how many children must hold.
    var needed = 0

    // Indexed conditions.
    var offsets: UnsafePointer<UInt32>?
    var values: UnsafeRawPointer?
    var bitmap: UnsafePointer<UInt64>?
    var codes: UnsafePointer<UInt32>?
    var codeCount = 0
    var low: Int64 = 0
    var high: Int64 = 0
    var lowFloat = 0.0
    var highFloat = 0.0
    /// All matching rows, where the index has them together.
    var slices: UnsafePointer<RowSlice>?
    var sliceCount = 0

    // Conditions on the payload.
    var steps: UnsafePointer<PathStep>?
    var stepCount = 0
    var set: UnsafePointer<ValueSet>?
    var numbers = NumberRange()
    var counts = CountRange()
    /// UTF-8 of `prefix` and `substring`.
    var text = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The compiler keeps it alive.
    var shape: Unmanaged<ShapeTest>?
    /// The compiler keeps it alive.
    var query: Unmanaged<TextQuery>?
    /// Number of the vector name.
    var name = 0

    // Planning.
    var estimate = Estimate()
    /// Nanoseconds to test one row, roughly.
    var testCost = 1.0
    /// Nanoseconds to list all matching rows, roughly.
    var listCost = 0.0
    /// Whether no payload is read, save of the few rows an index names.
    var isIndexed = true

    /// How many rows match.
    struct Estimate {
        var min = 0
        var expected = 0.0
        var max = 0
    }

    /// Whether this is a test of the payload itself.
    var readsPayload: Bool { operation.rawValue >= Operation.match.rawValue }

    /// Nanoseconds to add all matching rows to a bitmap, roughly: a posting costs nothing to hand on, but here it is
    /// read.
    var fillCost: Double {
        guard sliceCount == 1, let slices else { return listCost }
        return max(listCost, Double(slices[0].count))
    }

    init(_ operation: Operation) { self.operation = operation }
}
