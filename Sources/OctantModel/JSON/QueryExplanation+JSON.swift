extension QueryExplanation {
    /// The explanation as JSON; times are microseconds.
    public var json: JSONObject {
        [
            "plan_us": .double(planMicroseconds), "run_us": .double(runMicroseconds),
            "payload_us": .double(payloadMicroseconds),
            "searches": .array(searches.map { .object($0.json) }),
        ]
    }
}

extension QueryExplanation.Search {
    fileprivate var json: JSONObject {
        [
            "vector": .string(using), "limit": .integer(Int64(limit)), "search_us": .double(searchMicroseconds),
            "rescore_us": .double(rescoreMicroseconds), "merge_us": .double(mergeMicroseconds),
            "parts": .array(parts.map { .object($0.json) }),
        ]
    }
}

extension QueryExplanation.Part {
    fileprivate var json: JSONObject {
        [
            "segment": segment.map { .string($0) } ?? .null, "points": .integer(Int64(points)),
            "plan": .string(plan.rawValue), "gave_up_walk": .bool(gaveUpWalk),
            "ef": ef.map { .integer(Int64($0)) } ?? .null, "scored_by_codes": .integer(Int64(scoredByCodes)),
            "scored_by_originals": .integer(Int64(scoredByOriginals)), "rescored": .integer(Int64(rescored)),
            "pages_from_disk": .integer(Int64(absentPages)), "filter_us": .double(filterMicroseconds),
            "search_us": .double(searchMicroseconds),
        ]
    }
}
