import OctantModel
import OctantService

extension RESTHandler {
    /// What the server tells of itself and of its background work.
    func runReports(_ request: RESTRequest) throws(OctantError) -> RESTResponse {
        let start = request.start
        try request.checkTimeout()
        switch request.operation {
        case .telemetry:
            var options = Service.TelemetryOptions()
            options.detailsLevel = try request.number("details_level") ?? 0
            options.anonymize = try request.flag("anonymize")
            options.perCollection = try request.flag("per_collection")
            let report = service.telemetryReport(options)
            return .result(since: start) { $0.value(report) }
        case .metrics:
            return .text(
                service.metricsText(
                    perCollection: try request.flag("per_collection"), anonymize: try request.flag("anonymize")))
        case .optimizations:
            let details = try Self.optimizationDetails(request)
            let report = try service.optimizations(try request.collection())
            return .result(since: start) { $0.value(report.json(details)) }
        case .collectionMemory:
            let report = try service.memoryReport(try request.collection())
            return .result(since: start) { $0.value(report) }
        case .issues:
            let report = service.issuesReport
            return .result(since: start) { $0.value(report) }
        case .clearIssues:
            service.issues.clear()
            return .result(since: start) { $0.value(true) }
        case .quotas:
            let report = service.quotaReport
            return .result(since: start) { $0.value(report) }
        case .updateQuotas:
            _ = try request.flag("wait")
            try service.updateQuotas(try JSONParser.parse(request.body))
            return .result(since: start) { $0.value(true) }
        default:
            _ = try service.collectionInfo(try request.collection())
            return .result(since: start) { $0.value(["shard_keys": .null]) }
        }
    }

    private static func optimizationDetails(
        _ request: RESTRequest
    ) throws(OctantError) -> OptimizationReport.Details {
        var details = OptimizationReport.Details()
        details.completedLimit = try request.number("completed_limit") ?? details.completedLimit
        for name in (request.item("with") ?? "").split(separator: ",") {
            switch name {
            case "queued": details.queued = true
            case "completed": details.completed = true
            case "idle_segments": details.idleSegments = true
            default:
                throw OctantError(
                    .format,
                    "Query deserialize error: unknown variant `\(name)`, expected one of `queued`, `completed`, "
                        + "`idle_segments`")
            }
        }
        return details
    }
}
