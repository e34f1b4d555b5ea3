import OctantModel

/// Points in plain arrays, and every kind of query over them written as simply as it can be.
struct QueryOracle {
    struct Entry {
        var id: PointID
        var vector: [Float]
        var payload: JSONObject
    }

    typealias Scores = [(id: PointID, score: Double)]

    var distance: Distance
    var entries: [Entry]

    /// What a query returns; ties by id.
    func run(_ request: QueryRequest) -> Scores {
        let hidden = request.widened.referencedIDs
        return Array(run(request.widened, entries.filter { !hidden.contains($0.id) }).dropFirst(request.offset))
    }

    private func run(_ query: Prefetch, _ visible: [Entry]) -> Scores {
        let visible = visible.filter { passes(query.filter, $0) }
        let lists = query.prefetch.map { run($0, visible) }
        let union = Set(lists.joined().map(\.id))
        let pool = query.prefetch.isEmpty ? visible : visible.filter { union.contains($0.id) }
        var scores: Scores
        switch query.query {
        case nil: scores = pool.map { ($0.id, 0) }
        case .nearest(let input)?:
            let example = prepared(vector(input))
            scores = pool.map { ($0.id, reported(similarity(example, $0.vector))) }
            return threshold(query, sorted(scores)).prefixed(query.limit)
        case .recommend(let examples)? where examples.strategy == .averageVector:
            let example = prepared(average(examples))
            scores = pool.map { ($0.id, reported(similarity(example, $0.vector))) }
            return threshold(query, sorted(scores)).prefixed(query.limit)
        case .fusion(let fusion)?: scores = fused(lists, fusion)
        case let kind?: scores = pool.map { ($0.id, custom(kind, $0.vector)) }
        }
        scores.sort { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }
        // A threshold takes the direction of the distance even where larger scores are better: the limit comes first.
        return threshold(query, scores.prefixed(query.limit))
    }

    private func sorted(_ scores: Scores) -> Scores {
        scores.sorted {
            if $0.score == $1.score { return $0.id < $1.id }
            return distance.largerIsBetter ? $0.score > $1.score : $0.score < $1.score
        }
    }

    private func threshold(_ query: Prefetch, _ scores: Scores) -> Scores {
        guard let bound = query.scoreThreshold.map({ Double($0) }) else { return scores }
        switch query.query {
        case .fusion?, .formula?: return scores.filter { $0.score >= bound }
        default: return scores.filter { distance.largerIsBetter ? $0.score > bound : $0.score < bound }
        }
    }

    private func passes(_ filter: Filter?, _ entry: Entry) -> Bool {
        guard let filter else { return true }
        return filter.must.allSatisfy { condition in
            guard case .field(let field) = condition, case .value(.integer(let wanted))? = field.match,
                case .integer(let value)? = entry.payload[field.key.description]
            else { return false }
            return value == wanted
        }
    }

    func vector(_ input: VectorInput) -> [Float] {
        switch input {
        case .vector(let vector): if case .dense(let components) = vector { components } else { [] }
        case .id(let id): entries.first { $0.id == id }?.vector ?? []
        }
    }

    func prepared(_ vector: [Float]) -> [Float] {
        guard distance == .cosine else { return vector }
        let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        return vector.map { Float(Double($0) / length) }
    }

    private func average(_ examples: Recommendation) -> [Float] {
        func mean(_ inputs: [VectorInput]) -> [Double] {
            let vectors = inputs.map(vector)
            return vectors[0].indices.map { place in
                vectors.reduce(0) { $0 + Double($1[place]) } / Double(vectors.count)
            }
        }
        let positive = mean(examples.positive)
        guard !examples.negative.isEmpty else { return positive.map { Float($0) } }
        return zip(positive, mean(examples.negative)).map { Float(2 * $0 - $1) }
    }

    func similarity(_ a: [Float], _ b: [Float]) -> Double {
        let pairs = zip(a, b).map { (Double($0), Double($1)) }
        return switch distance {
        case .cosine, .dot: pairs.reduce(0) { $0 + $1.0 * $1.1 }
        case .euclid: -pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        case .manhattan: -pairs.reduce(0) { $0 + abs($1.0 - $1.1) }
        }
    }

    private func reported(_ similarity: Double) -> Double {
        switch distance {
        case .cosine, .dot: similarity
        case .euclid: abs(similarity).squareRoot()
        case .manhattan: abs(similarity)
        }
    }

    private func custom(_ query: Query, _ point: [Float]) -> Double {
        func near(_ input: VectorInput) -> Double { similarity(prepared(vector(input)), point) }
        func fast(_ x: Double) -> Double { x / (1 + abs(x)) }
        func scaled(_ x: Double) -> Double { 0.5 * (fast(x) + 1) }
        switch query {
        case .recommend(let examples) where examples.strategy == .sumScores:
            return examples.positive.map(near).reduce(0, +) - examples.negative.map(near).reduce(0, +)
        case .recommend(let examples):
            let positive = examples.positive.map(near).max()
            let negative = examples.negative.map(near).max()
            guard let positive else { return -scaled(negative ?? 0) }
            guard let negative else { return scaled(positive) }
            return positive > negative ? scaled(positive) : -scaled(negative)
        case .discover(let target, let context):
            let ranks = context.map { pair in
                near(pair.positive) > near(pair.negative) ? 1.0 : near(pair.positive) < near(pair.negative) ? -1 : 0
            }
            return ranks.reduce(0, +) + scaled(near(target))
        case .context(let pairs):
            return pairs.reduce(0) {
                $0 + fast(min(near($1.positive) - near($1.negative) - Double(Float.ulpOfOne), 0))
            }
        case .feedback(let feedback):
            var score = Double(feedback.a) * near(feedback.target)
            for high in feedback.feedback {
                for low in feedback.feedback where high.score > low.score {
                    var weight = Double(feedback.c)
                    // The tests use whole exponents.
                    for _ in 0..<Int(feedback.b) { weight *= Double(high.score - low.score) }
                    score += weight * (near(high.example) - near(low.example))
                }
            }
            return score
        default: return .nan
        }
    }

    private func fused(_ lists: [Scores], _ fusion: Fusion) -> Scores {
        var sums: [PointID: Double] = [:]
        for (number, list) in lists.enumerated() {
            switch fusion {
            case .rrf(let k, let weights):
                let weight = Double(weights?[number] ?? 1)
                for (rank, entry) in list.enumerated() {
                    sums[entry.id, default: 0] += weight > 0 ? 1 / (Double(rank + 1) / weight + Double(k) - 1) : 0
                }
            case .dbsf:
                let mean = list.map(\.score).reduce(0, +) / Double(max(list.count, 1))
                let variance = list.map { ($0.score - mean) * ($0.score - mean) }.reduce(0, +) / Double(list.count - 1)
                let deviation = variance.squareRoot()
                for entry in list {
                    let flat = list.count < 2 || deviation == 0
                    sums[entry.id, default: 0] += flat ? 0.5 : (entry.score - mean + 3 * deviation) / (6 * deviation)
                }
            }
        }
        return sums.map { (id: $0.key, score: $0.value) }
    }
}

extension Array {
    fileprivate func prefixed(_ count: Int) -> [Element] { Array(prefix(count)) }
}
