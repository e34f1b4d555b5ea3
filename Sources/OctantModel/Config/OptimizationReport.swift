/// What background work does, has done and will do to a collection's segments.
public struct OptimizationReport: Sendable {
    /// A segment.
    public struct Segment: Sendable, Hashable {
        /// Its id, as text.
        public var uuid: String
        /// Its living points.
        public var points: Int

        /// A segment.
        public init(uuid: String, points: Int) {
            self.uuid = uuid
            self.points = points
        }
    }

    /// How a job stands.
    public enum Status: Sendable, Hashable {
        /// It is running.
        case optimizing
        /// It is done.
        case done
        /// It was given up, for this reason.
        case cancelled(String)
        /// It failed.
        case error(String)
    }

    /// A part of a job, such as building one graph.
    public struct Stage: Sendable, Hashable {
        /// What is made, and of what: `graph text`.
        public var name: String
        /// When it began, in milliseconds since 1970.
        public var startedAt: Int64
        /// When it ended, in milliseconds since 1970; `nil`: it has not.
        public var finishedAt: Int64?
        /// How long it took, in seconds.
        public var seconds: Double?
        /// Rows that are done, where they are counted.
        public var done: Int?
        /// Rows there are.
        public var total: Int?
        /// Of the rows that are done, those that were done before a restart; `nil`: none.
        public var resumed: Int?

        /// A stage that begins.
        public init(name: String, startedAt: Int64, total: Int? = nil) {
            self.name = name
            self.startedAt = startedAt
            self.total = total
        }
    }

    /// What a job takes.
    public struct Cost: Sendable, Hashable {
        /// Bytes of memory it was expected to need at its peak, by the sizes of its segments, before it began.
        public var estimatedMemory = 0
        /// The most bytes of memory it had allocated at once, so far.
        public var peakMemory = 0
        /// Bytes of the files it wrote so far, which are on disk beside those that they replace.
        public var extraDisk = 0

        /// Nothing yet.
        public init() {}
    }

    /// A job: segments that are replaced by one.
    public struct Job: Sendable, Hashable {
        /// The job's own id, as text.
        public var uuid: String
        /// Why it is done: `indexing`, `merge`, `vacuum`, `config mismatch`.
        public var reason: String
        /// The segments.
        public var segments: [Segment]
        /// How it stands.
        public var status: Status
        /// When it began, in milliseconds since 1970.
        public var startedAt: Int64
        /// When it ended, in milliseconds since 1970.
        public var finishedAt: Int64?
        /// How long it took, in seconds.
        public var seconds: Double?
        /// Its parts so far, in their order.
        public var stages: [Stage] = []
        /// What it takes.
        public var cost = Cost()

        /// A job.
        public init(
            uuid: String, reason: String, segments: [Segment], status: Status, startedAt: Int64,
            finishedAt: Int64? = nil, seconds: Double? = nil
        ) {
            self.uuid = uuid
            self.reason = reason
            self.segments = segments
            self.status = status
            self.startedAt = startedAt
            self.finishedAt = finishedAt
            self.seconds = seconds
        }
    }

    /// A job that is due.
    public struct Pending: Sendable, Hashable {
        /// Why.
        public var reason: String
        /// The segments it would replace.
        public var segments: [Segment]
        /// Bytes of memory it is expected to need at its peak.
        public var estimatedMemory: Int

        /// A job that is due.
        public init(reason: String, segments: [Segment], estimatedMemory: Int = 0) {
            self.reason = reason
            self.segments = segments
            self.estimatedMemory = estimatedMemory
        }
    }

    /// Jobs that run.
    public var running: [Job]
    /// Jobs that are due by what is known now, in their order.
    public var queued: [Pending]
    /// Jobs that have ended, the latest first.
    public var completed: [Job]
    /// Segments that need no work.
    public var idle: [Segment]

    /// A report.
    public init(running: [Job], queued: [Pending], completed: [Job], idle: [Segment]) {
        self.running = running
        self.queued = queued
        self.completed = completed
        self.idle = idle
    }
}
