package import OctantService

/// Finds the operation of a verb and a path. Built from the operation table.
package struct Router: Sendable {
    private enum Segment: Sendable {
        case text(String)
        case parameter(String)
    }

    private struct Route: Sendable {
        var verb: Verb
        var segments: [Segment]
        /// How many segments are texts: of several routes that match, the one with most is meant.
        var texts: Int
        var operation: Operation
    }

    /// Routes by their number of segments.
    private var routes: [[Route]] = []

    /// A router for all operations.
    package init() {
        for operation in Operation.allCases {
            if let row = operation.row { add(row, operation) }
        }
        for row in Operation.absentRows { add(row, .later) }
        for row in Operation.clusterRows { add(row, .clusterOnly) }
    }

    private mutating func add(_ row: Operation.Row, _ operation: Operation) {
        let segments = row.path.split(separator: "/").map { part -> Segment in
            part.first == "{" ? .parameter(String(part.dropFirst().dropLast())) : .text(String(part))
        }
        let texts = segments.reduce(0) { count, segment in
            if case .text = segment { count + 1 } else { count }
        }
        while routes.count <= segments.count { routes.append([]) }
        routes[segments.count].append(Route(verb: row.verb, segments: segments, texts: texts, operation: operation))
    }

    /// What a request line leads to.
    package enum Match: Sendable {
        /// An operation with the parameters of its path.
        case found(Operation, parameters: [(name: String, value: String)])
        /// No operation has this path.
        case unknownPath
        /// The path has operations, but none with this verb.
        case wrongVerb
    }

    /// Routes a request. `path` is as it came, without the query; its segments are percent-decoded here.
    package func match(verb: String, path: String) -> Match {
        var parts: [String] = []
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            guard let decoded = Percent.decode(part) else { return .unknownPath }
            parts.append(decoded)
        }
        // A path begins with a slash, and slashes at its end do not count.
        if parts.first == "" { parts.removeFirst() }
        while parts.last == "" { parts.removeLast() }
        guard parts.count < routes.count else { return .unknownPath }
        var best: Route?
        var isPath = false
        for route in routes[parts.count] where Self.fits(route.segments, parts) {
            isPath = true
            if route.verb.rawValue == verb, route.texts >= best?.texts ?? 0 { best = route }
        }
        guard let best else { return isPath ? .wrongVerb : .unknownPath }
        var parameters: [(name: String, value: String)] = []
        for (segment, part) in zip(best.segments, parts) {
            if case .parameter(let name) = segment { parameters.append((name, part)) }
        }
        if best.operation == .later {
            parameters.append(("operation", "\(verb) /\(parts.joined(separator: "/"))"))
        }
        return .found(best.operation, parameters: parameters)
    }

    private static func fits(_ segments: [Segment], _ parts: [String]) -> Bool {
        for (segment, part) in zip(segments, parts) {
            switch segment {
            case .text(let text): if text != part { return false }
            case .parameter: if part.isEmpty { return false }
            }
        }
        return true
    }
}
