public import OctantModel

/// The same operations for Swift concurrency: they suspend instead of blocking a thread of the cooperative pool.
extension Collection {
    /// Writes; returns when the write is on disk and visible.
    @discardableResult
    public func update(
        _ operation: UpdateOperation, when condition: UpdateCondition? = nil
    ) async throws(OctantError) -> UpdateResult {
        try await withCheckedContinuation { continuation in
            update(operation, when: condition, wait: true) { continuation.resume(returning: $0) }
        }.get()
    }

    /// Points ranked by the request's query, on a thread of the search pool.
    public func query(_ request: QueryRequest) async throws(OctantError) -> [ScoredPoint] {
        try await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<[ScoredPoint], OctantError>, Never>) in
            onSearchThread { [self] in
                continuation.resume(returning: Result { () throws(OctantError) in try query(request) })
            }
        }.get()
    }
}
