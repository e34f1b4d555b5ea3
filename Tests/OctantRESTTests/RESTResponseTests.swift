import OctantModel
import OctantREST
import Testing

@Suite struct RESTResponseTests {
    @Test("A result stands in its envelope")
    func result() throws {
        let response = RESTResponse.result(since: .now) { $0.value(true) }
        #expect(response.status == 200)
        guard case .object(let envelope) = try JSONParser.parse(response.body) else {
            Issue.record("no object")
            return
        }
        #expect(envelope.pairs.map(\.key) == ["result", "status", "time"])
        #expect(envelope["result"] == .bool(true))
        #expect(envelope["status"] == .string("ok"))
        guard case .double(let seconds)? = envelope["time"] else {
            Issue.record("time is no float")
            return
        }
        #expect(seconds >= 0)
    }

    @Test(
        "Errors have the status and the prefix of their kind",
        arguments: [
            (OctantError(.badInput, "x"), 400, "Wrong input: x"), (OctantError(.badRequest, "x"), 400, "Bad request: x"),
            (OctantError(.validation, "x"), 422, "x"), (OctantError(.format, "x"), 400, "x"),
            (OctantError(.alreadyExists, "x"), 409, "Wrong input: x"), (OctantError(.notFound, "x"), 404, "Not found: x"),
            (OctantError(.service, "x"), 500, "Service internal error: x"),
            (OctantError(.forbidden, "x"), 403, "Forbidden: x"), (OctantError(.timeout, "x"), 408, "Timeout: x"),
            (OctantError(.unavailable, "x"), 503, "x"), (OctantError(.insufficientStorage, "x"), 507, "x"),
            (OctantError(.notImplemented, "x"), 501, "x"),
        ])
    func errors(error: OctantError, status: Int, text: String) {
        let response = RESTResponse.error(error, seconds: 0)
        #expect(response.status == status)
        #expect(String(decoding: response.body, as: UTF8.self) == #"{"status":{"error":"\#(text)"},"time":0.0}"#)
    }
}
