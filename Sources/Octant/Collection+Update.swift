import OctantEngine
public import OctantModel
import Synchronization

/// A write that was checked and whose vectors are in stored form.
package struct PreparedUpdate: Sendable {
    fileprivate var operation: UpdateOperation
    fileprivate var condition: UpdateCondition?
}

extension Collection {
    /// Validates and logs a write on this thread; `completion` is called once, from a thread of the engine.
    ///
    /// - Parameters:
    ///   - condition: which points of an upsert or a change of vectors are written.
    ///   - wait: answer `completed` when the write is on disk and visible; else `acknowledged` when the operating system
    ///     has it (it then survives the end of the process, and is synced within milliseconds).
    ///   - deadline: when to stop waiting. A write that is logged and not visible by then is answered `waitTimeout`; it
    ///     is made all the same.
    public func update(
        _ operation: UpdateOperation, when condition: UpdateCondition? = nil, wait: Bool,
        deadline: ContinuousClock.Instant? = nil,
        completion: @escaping @Sendable (Result<UpdateResult, OctantError>) -> Void
    ) {
        let prepared: PreparedUpdate
        do throws(OctantError) { prepared = try self.prepared(UpdateRequest(operation, when: condition)) } catch {
            completion(.failure(error))
            return
        }
        submit(prepared, wait: wait, deadline: deadline, completion: completion)
    }

    /// Writes and returns when the write is on disk and visible.
    @discardableResult
    public func update(
        _ operation: UpdateOperation, when condition: UpdateCondition? = nil
    ) throws(OctantError) -> UpdateResult {
        let done = Monitor<Result<UpdateResult, OctantError>?>(nil)
        update(operation, when: condition, wait: true) { result in done.change { $0 = result } }
        return try done.wait { $0 }.get()
    }

    /// Logs a write that ``prepared(_:)`` checked; otherwise as ``update(_:when:wait:deadline:completion:)``.
    package func submit(
        _ prepared: PreparedUpdate, wait: Bool, deadline: ContinuousClock.Instant?,
        completion: @escaping @Sendable (Result<UpdateResult, OctantError>) -> Void
    ) {
        guard wait, let deadline else {
            shard.submit(prepared.operation, when: prepared.condition, wait: wait, completion: completion)
            return
        }
        let answer = FirstAnswer(completion)
        let lsn = shard.submit(
            prepared.operation, when: prepared.condition, wait: true, hasDeadline: true
        ) { [self] result in
            if let token = answer.give(result) { cancelCall(token) }
        }
        guard let lsn else { return }
        let token = call(at: deadline) {
            _ = answer.give(.success(UpdateResult(operationID: lsn, status: .waitTimeout)))
        }
        if answer.isGiven(noting: token) { cancelCall(token) }
    }

    /// Checks everything that can be wrong with a write before it reaches the log, and brings vectors into stored form.
    package func prepared(_ request: UpdateRequest) throws(OctantError) -> PreparedUpdate {
        #if !Snowball
        try shard.view.check(request)
        #endif
        return PreparedUpdate(operation: try validated(request.operation), condition: request.condition)
    }
}

/// A completion that several may call; the first counts.
private final class FirstAnswer: Sendable {
    private struct State: Sendable {
        var completion: (@Sendable (Result<UpdateResult, OctantError>) -> Void)?
        var token: UInt64?
    }

    private let state: Mutex<State>

    init(_ completion: @escaping @Sendable (Result<UpdateResult, OctantError>) -> Void) {
        state = Mutex(State(completion: completion))
    }

    /// Answers, if nobody has. Returns the noted token.
    func give(_ result: Result<UpdateResult, OctantError>) -> UInt64? {
        let (completion, token) = state.withLock { state in
            defer { state.completion = nil }
            return (state.completion, state.token)
        }
        completion?(result)
        return token
    }

    /// Notes the token of the timer's call; whether the answer is given already.
    func isGiven(noting token: UInt64) -> Bool {
        state.withLock { state in
            state.token = token
            return state.completion == nil
        }
    }
}
