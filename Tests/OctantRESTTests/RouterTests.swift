import OctantREST
import OctantService
import Testing

@Suite struct RouterTests {
    let router = Router()

    private func found(_ verb: String, _ path: String) -> (Operation, [String])? {
        guard case .found(let operation, let parameters) = router.match(verb: verb, path: path) else { return nil }
        return (operation, parameters.map(\.value))
    }

    @Test("Every operation is reached by its own row")
    func everyRow() {
        for operation in Operation.allCases {
            guard let row = operation.row else { continue }
            let path = row.path.replacing("{collection}", with: "c").replacing("{id}", with: "7")
                .replacing("{field}", with: "f")
            #expect(found(row.verb.rawValue, path)?.0 == operation, "\(row.label)")
        }
        for row in Operation.absentRows {
            let path = row.path.replacing("{collection}", with: "c").replacing("{name}", with: "n")
            #expect(found(row.verb.rawValue, path)?.0 == .later, "\(row.label)")
        }
        for row in Operation.clusterRows {
            #expect(found(row.verb.rawValue, row.path)?.0 == .clusterOnly, "\(row.label)")
        }
    }

    @Test("Segments are percent-decoded after the path is split, and slashes at the end do not count")
    func decoding() {
        #expect(found("GET", "/collections/a%20b%C3%A9/")?.1 == ["a bé"])
        #expect(found("GET", "/collections/a%2Fb")?.1 == ["a/b"])
        #expect(found("DELETE", "/collections/c/index/a.b%5B%5D")?.1 == ["c", "a.b[]"])
        #expect(found("GET", "/")?.0 == .root)
        #expect(found("GET", "")?.0 == .root)
        #expect(found("GET", "/healthz///")?.0 == .healthz)
    }

    @Test("Fixed words win over parameters only where the verb fits")
    func precedence() {
        #expect(found("POST", "/collections/aliases")?.0 == .updateAliases)
        #expect(found("GET", "/collections/aliases")?.0 == .getCollection)
        #expect(found("POST", "/collections/c/points/search")?.0 == .search)
        #expect(found("GET", "/collections/c/points/search")?.0 == .getPoint)
    }

    @Test("An unknown path and a wrong verb are told apart")
    func misses() {
        for path in ["/nope", "/collections/c/points/1/2/3/4/5", "/collections//points", "//", "/%zz", "/%ff"] {
            if path == "//" { continue }
            guard case .unknownPath = router.match(verb: "GET", path: path) else {
                Issue.record("\(path) is known")
                continue
            }
        }
        guard case .wrongVerb = router.match(verb: "DELETE", path: "/aliases") else {
            Issue.record("DELETE /aliases is known")
            return
        }
    }

    @Test("Query items are decoded; malformed ones are left out")
    func query() {
        let items = Percent.query("wait=true&a=b%20c+d&flag&x=%zz&y=1=2")
        #expect(items.map(\.name) == ["wait", "a", "flag", "y"])
        #expect(items.map(\.value) == ["true", "b c d", "", "1=2"])
    }
}

@Suite struct AccessPolicyTests {
    @Test("Without keys everything is open; with keys each right needs its key")
    func keys() {
        let open = AccessPolicy()
        #expect(open.refusal(.manage, apiKey: nil, authorization: nil) == nil)
        let policy = AccessPolicy(keys: ["full", "other"], readOnlyKey: "ro")
        #expect(policy.refusal(.open, apiKey: nil, authorization: nil) == nil)
        #expect(policy.refusal(.read, apiKey: nil, authorization: nil) == .noKey)
        #expect(policy.refusal(.read, apiKey: "nope", authorization: nil) == .wrongKey)
        #expect(policy.refusal(.read, apiKey: "", authorization: nil) == .wrongKey)
        #expect(policy.refusal(.manage, apiKey: "full", authorization: nil) == nil)
        #expect(policy.refusal(.write, apiKey: nil, authorization: "Bearer other") == nil)
        #expect(policy.refusal(.read, apiKey: "ro", authorization: nil) == nil)
        #expect(policy.refusal(.write, apiKey: "ro", authorization: nil) == .noRight)
        #expect(policy.refusal(.write, apiKey: nil, authorization: "Basic full") == .noKey)
    }

    @Test("Without a key only pages of this machine may ask")
    func origins() {
        let open = AccessPolicy()
        for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:80", "http://127.9.9.9:1"] {
            #expect(open.allowedOrigin(origin) == origin)
            #expect(!open.refusesOrigin(origin))
        }
        for origin in [
            "http://evil.com", "http://127.0.0.1.evil.com", "null", "http://localhost.evil.com", "",
            "http://127.evil.1.1",
        ] {
            #expect(open.allowedOrigin(origin) == nil)
            #expect(open.refusesOrigin(origin))
        }
        #expect(AccessPolicy(keys: ["k"]).allowedOrigin("http://evil.com") == "*")
        #expect(AccessPolicy(keys: ["k"], corsEnabled: false).allowedOrigin("http://evil.com") == nil)
    }
}
