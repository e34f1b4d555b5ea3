import Octant
import OctantModel
import OctantService

extension RESTHandler {
    /// The structured report, at its smallest.
    func telemetry(_ request: RESTRequest) -> RESTResponse {
        let names = service.database.collectionNames
        var requests = JSONObject()
        for (key, tally) in service.telemetry.all {
            guard let label = key.operation.row?.label else { continue }
            var statuses: JSONObject = [:]
            if case .object(let seen)? = requests[label] { statuses = seen }
            statuses[String(key.status)] = .object([
                "count": .integer(Int64(clamping: tally.count)),
                "avg_duration_micros": .double(tally.seconds * 1e6 / Double(max(tally.count, 1))),
            ])
            requests[label] = .object(statuses)
        }
        let report: JSONObject = [
            "id": .string(service.telemetry.id),
            "app": .object([
                "name": .string("octant"), "version": .string(Service.version),
                "startup": .string(service.telemetry.startup),
            ]),
            "collections": .object(["number_of_collections": .integer(Int64(names.count))]),
            "cluster": .object(["enabled": .bool(false)]),
            "requests": .object([
                "rest": .object(["responses": .object(requests)]), "grpc": .object(["responses": .object([:])]),
            ]),
        ]
        return .result(since: request.start) { $0.value(report) }
    }

    /// The counters in Prometheus' text form.
    func metrics() -> String {
        var text = ""
        func metric(_ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: String)]) {
            guard !samples.isEmpty else { return }
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
            for sample in samples { text += "\(name)\(sample.labels) \(sample.value)\n" }
        }
        let names = service.database.collectionNames
        let infos = names.compactMap { name in
            // A collection that is dropped meanwhile has no sample.
            (try? service.collectionInfo(name)).map { (name, $0) }
        }
        func label(_ name: String) -> String {
            var writer = JSONWriter()
            writer.value(name)
            return "{collection=\(String(decoding: writer.bytes, as: UTF8.self))}"
        }
        metric(
            "app_info", "gauge", "information about the server",
            [("{name=\"octant\",version=\"\(Service.version)\"}", "1")])
        metric("collections_total", "gauge", "number of collections", [("", "\(names.count)")])
        metric(
            "collection_points", "gauge", "points per collection", infos.map { (label($0.0), "\($0.1.pointsCount)") })
        metric(
            "collection_update_queue_length", "gauge", "writes that are not applied yet",
            infos.map { (label($0.0), "\($0.1.updateQueueLength)") })
        if let bytes = Telemetry.residentBytes {
            metric("memory_resident_bytes", "gauge", "resident memory", [("", "\(bytes)")])
        }
        let answers = service.telemetry.all.compactMap { key, tally in
            key.operation.row.map { row in
                (
                    labels: "{method=\"\(row.verb.rawValue)\",endpoint=\"\(row.path)\",status=\"\(key.status)\"}",
                    tally: tally
                )
            }
        }
        metric(
            "rest_responses_total", "counter", "answers by endpoint and status",
            answers.map { ($0.labels, "\($0.tally.count)") })
        metric(
            "rest_responses_avg_duration_seconds", "gauge", "average duration",
            answers.map { ($0.labels, "\($0.tally.seconds / Double(max($0.tally.count, 1)))") })
        return text
    }
}
