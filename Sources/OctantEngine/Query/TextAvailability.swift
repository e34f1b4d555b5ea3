package import OctantModel
import OctantPayload

/// A build without the C library of stemmers opens collections whose text indexes need it. It leaves those indexes out of
/// new segments and refuses to filter by them; all else works.
extension FieldIndexSchema {
    /// Throws if this build lacks the stemmer that the index needs.
    package func checkAvailable() throws(OctantError) { try text?.checkAvailable() }

    /// Whether this build can make the index.
    package var isAvailable: Bool {
        #if Snowball
        return true
        #else
        do throws(OctantError) { try checkAvailable() } catch { return false }
        return true
        #endif
    }
}

extension ReadView {
    /// Throws if a filter tests a key whose index this build cannot make.
    package func check(_ filter: Filter?) throws(OctantError) {
        #if !Snowball
        guard let filter, !filter.isEmpty else { return }
        for index in fieldIndexes where filter.testsText(of: index.key) { try index.schema.checkAvailable() }
        #endif
    }

    /// Throws as ``check(_:)`` for the filters of a query and of all inside it.
    package func check(_ query: Prefetch) throws(OctantError) {
        #if !Snowball
        try check(query.filter)
        try check(query.params.idfCorpus)
        for inner in query.prefetch { try check(inner) }
        #endif
    }

    #if !Snowball
    /// Throws as ``check(_:)`` for the filters of a write.
    package func check(_ request: UpdateRequest) throws(OctantError) {
        try check(request.condition?.filter)
        switch request.operation {
        case .delete(.filter(let filter)), .setPayload(_, .filter(let filter), _),
            .overwritePayload(_, .filter(let filter)), .deletePayload(_, .filter(let filter)),
            .clearPayload(.filter(let filter)), .deleteVectors(_, .filter(let filter)):
            try check(filter)
        default: return
        }
    }
    #endif
}

#if !Snowball
extension Filter {
    /// Whether a condition matches text at a key. Inside arrays of objects, where keys are parts of keys, the end counts.
    fileprivate func testsText(of key: PayloadPath) -> Bool {
        [must, should, mustNot, minShould?.conditions ?? []].joined().contains { condition in
            switch condition {
            case .field(let field):
                switch field.match {
                case .text, .textAny, .phrase: key.description.hasSuffix(field.key.description)
                default: false
                }
            case .filter(let filter), .nested(_, let filter): filter.testsText(of: key)
            default: false
            }
        }
    }
}
#endif
