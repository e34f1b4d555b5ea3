#if Server
import OctantModel
import OctantProtocol

extension Query {
    /// Reads what a query ranks by.
    init(_ message: Qdrant_Query) throws(OctantError) {
        switch message.variant {
        case .nearest(let input): self = .nearest(try VectorInput(input))
        case .nearestWithMmr(let query):
            guard query.hasNearest else { throw .missing("nearest") }
            guard query.hasMmr else { throw .missing("mmr") }
            self = .mmr(try VectorInput(query.nearest), try MMR(query.mmr))
        case .recommend(let examples):
            self = .recommend(
                Recommendation(
                    positive: try VectorInput.list(examples.positive),
                    negative: try VectorInput.list(examples.negative),
                    strategy: try Recommendation.Strategy(examples.strategy)))
        case .discover(let query):
            guard query.hasTarget else { throw .missing("target") }
            guard query.hasContext else { throw .missing("context") }
            self = .discover(
                target: try VectorInput(query.target),
                context: try ContextPair.list(query.context.pairs, VectorInput.init))
        case .context(let context): self = .context(try ContextPair.list(context.pairs, VectorInput.init))
        case .orderBy(let order): self = .orderBy(try OrderBy(order))
        case .fusion(.rrf): self = .fusion(.rrf())
        case .fusion(.dbsf): self = .fusion(.dbsf)
        case .fusion(.UNRECOGNIZED(let value)): throw .unknown(value, "fusion")
        case .rrf(let rrf): self = .fusion(try Fusion(rrf))
        case .sample(.random): self = .sample
        case .sample(.UNRECOGNIZED(let value)): throw .unknown(value, "sample")
        case .formula(let formula): self = .formula(try Formula(formula))
        case .relevanceFeedback(let feedback): self = .feedback(try RelevanceFeedback(feedback))
        case .text: throw .unsupported("A `text` query is")
        case nil: throw .json("data did not match any variant of query")
        }
    }
}

extension MMR {
    fileprivate init(_ message: Qdrant_Mmr) throws(OctantError) {
        self.init()
        if message.hasDiversity {
            diversity = Float(try NumberBounds.diversity.check(Double(message.diversity), "mmr.diversity"))
        }
        if message.hasCandidatesLimit {
            candidatesLimit = try CountBounds.mmrCandidates.check(
                Int(clamping: message.candidatesLimit), "mmr.candidates_limit")
        }
    }
}

extension Fusion {
    fileprivate init(_ message: Qdrant_Rrf) throws(OctantError) {
        var weights: [Float] = []
        for weight in message.weights { weights.append(try weight.checked("rrf.weights[\(weights.count)]")) }
        guard message.hasK else {
            self = .rrf(weights: weights.isEmpty ? nil : weights)
            return
        }
        self = .rrf(
            k: try CountBounds.rrfK.check(Int(clamping: message.k), "rrf.k"), weights: weights.isEmpty ? nil : weights)
    }
}

extension Float {
    /// The number; throws if it is none.
    fileprivate func checked(_ path: @autoclosure () -> String) throws(OctantError) -> Float {
        guard !isNaN else { return Float(try NumberBounds.any.check(Double(self), path())) }
        return self
    }
}

extension Recommendation.Strategy {
    /// Reads a strategy.
    init(_ message: Qdrant_RecommendStrategy) throws(OctantError) {
        switch message {
        case .averageVector: self = .averageVector
        case .bestScore: self = .bestScore
        case .sumScores: self = .sumScores
        case .UNRECOGNIZED(let value): throw .unknown(value, "strategy")
        }
    }
}

/// A pair of a context, of the present or the older form.
protocol ContextPairMessage {
    associatedtype Example
    var hasPositive: Bool { get }
    var positive: Example { get }
    var hasNegative: Bool { get }
    var negative: Example { get }
}

extension Qdrant_ContextInputPair: ContextPairMessage {}
extension Qdrant_ContextExamplePair: ContextPairMessage {}

extension ContextPair {
    /// Reads pairs, their examples by `read`.
    static func list<Message: ContextPairMessage>(
        _ messages: [Message], _ read: (Message.Example) throws(OctantError) -> VectorInput
    ) throws(OctantError) -> [ContextPair] {
        var pairs: [ContextPair] = []
        for message in messages {
            guard message.hasPositive else { throw .missing("positive") }
            guard message.hasNegative else { throw .missing("negative") }
            pairs.append(ContextPair(positive: try read(message.positive), negative: try read(message.negative)))
        }
        return pairs
    }
}

extension RelevanceFeedback {
    fileprivate init(_ message: Qdrant_RelevanceFeedbackInput) throws(OctantError) {
        guard message.hasTarget else { throw .missing("target") }
        guard message.hasStrategy else { throw .missing("strategy") }
        guard case .naive(let naive)? = message.strategy.variant else { throw .missing("naive", in: "strategy") }
        var items: [Item] = []
        for item in message.feedback {
            guard item.hasExample else { throw .missing("example") }
            items.append(
                Item(
                    example: try VectorInput(item.example),
                    score: try item.score.checked("feedback[\(items.count)].score")))
        }
        self.init(
            target: try VectorInput(message.target), feedback: items, a: try naive.a.checked("strategy.naive.a"),
            b: Float(try NumberBounds.feedbackExponent.check(Double(naive.b), "strategy.naive.b")),
            c: try naive.c.checked("strategy.naive.c"))
    }
}
#endif
