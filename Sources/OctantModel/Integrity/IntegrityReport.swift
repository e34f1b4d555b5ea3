/// What was found in the files of a data folder.
public struct IntegrityReport: Sendable {
    /// One thing that is not as it was written, or worth knowing.
    public struct Finding: Sendable, Hashable {
        /// How much it matters.
        public enum Weight: String, Sendable {
            /// Bytes are not what was written, or missing.
            case damage
            /// Nothing that counts is affected.
            case note
        }

        /// How much it matters.
        public var weight: Weight
        /// The collection; `nil`: the folder as a whole.
        public var collection: String?
        /// The file or folder.
        public var file: String
        /// The byte in the file, if one is known.
        public var offset: Int?
        /// What is wrong.
        public var problem: String
        /// What follows from it.
        public var meaning: String

        /// A finding.
        public init(
            _ weight: Weight, collection: String?, file: String, offset: Int? = nil, problem: String, meaning: String
        ) {
            self.weight = weight
            self.collection = collection
            self.file = file
            self.offset = offset
            self.problem = problem
            self.meaning = meaning
        }
    }

    /// What was found, in the order in which it was.
    public var findings: [Finding] = []
    /// Collections looked at.
    public var collections = 0
    /// Files looked at.
    public var files = 0
    /// Bytes read.
    public var bytes = 0

    /// Nothing was looked at yet.
    public init() {}

    /// Whether everything is as it was written.
    public var isClean: Bool { !findings.contains { $0.weight == .damage } }
}

/// How far a check of a data folder has come.
public struct IntegrityProgress: Sendable {
    /// The collection being looked at.
    public var collection: String
    /// Files done.
    public var files: Int
    /// Bytes done.
    public var bytes: Int

    /// A state of progress.
    public init(collection: String, files: Int, bytes: Int) {
        self.collection = collection
        self.files = files
        self.bytes = bytes
    }
}

/// What a repair did, or would do.
public struct RepairReport: Sendable {
    /// One thing that was done.
    public struct Step: Sendable, Hashable {
        /// The collection; `nil`: the folder as a whole.
        public var collection: String?
        /// What was done.
        public var action: String
        /// What is lost by it; `nil`: nothing.
        public var lost: String?

        /// A step.
        public init(collection: String?, action: String, lost: String? = nil) {
            self.collection = collection
            self.action = action
            self.lost = lost
        }
    }

    /// What was done, in order.
    public var steps: [Step] = []
    /// Damage that was left as it is, and why.
    public var left: [Step] = []
    /// What the folder held before.
    public var before = IntegrityReport()
    /// Whether nothing was changed because only a plan was asked for.
    public var isPlan: Bool

    /// Nothing was done yet.
    public init(isPlan: Bool) { self.isPlan = isPlan }
}
