#if Server && canImport(Glibc)
import Glibc
import Octant
import OctantModel
import OctantNetwork
import OctantREST
import OctantService
import Testing

/// A server over an empty database, on a port of its own.
private func withServer(
    bodyBytesMax: Int = 1 << 20, keys: [String] = [], _ body: (Int, Listener) throws -> Void
) throws {
    var template = Array("/tmp/octant-rest-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let database = try Database.open(DatabaseOptions(path: path))
    let handler = RESTHandler(service: Service(database: database))
    let threads = NetworkThreads(count: 1)
    let server = try RESTServer.start(
        RESTServerOptions(
            listener: ListenerOptions(port: 0), bodyBytesMax: bodyBytesMax, policy: AccessPolicy(keys: keys)),
        handler: handler, threads: threads)
    defer {
        server.shutdown()
        threads.shutdown()
        database.close()
        _ = system("rm -rf \(path)")
    }
    try body(server.port, server)
}

private let fourDimensions = #"{"vectors":{"size":4,"distance":"Dot"}}"#

@Suite struct RESTServerTests {
    @Test("A collection is made, filled, searched and dropped over one connection")
    func walk() throws {
        try withServer { port, _ in
            let client = try #require(HTTPClient(port: port))
            defer { client.close() }
            #expect(client.call("GET", "/")?.1 == #"{"title":"qdrant - vector search engine","version":"1.19.0"}"#)
            #expect(client.call("PUT", "/collections/c", fourDimensions)?.0 == 200)
            #expect(client.call("PUT", "/collections/c", fourDimensions)?.0 == 409)
            let points = #"{"points":[{"id":1,"vector":[1,0,0,0],"payload":{"a":1}},{"id":2,"vector":[0,1,0,0]}]}"#
            let upsert = client.call("PUT", "/collections/c/points?wait=true", points)
            #expect(upsert?.0 == 200)
            #expect(upsert?.1.contains(#""status":"completed""#) == true)
            let found = client.call(
                "POST", "/collections/c/points/query", #"{"query":[1,0,0,0],"limit":1,"with_payload":true}"#)
            #expect(found?.1.contains(#""score":1.0,"payload":{"a":1}"#) == true, "\(found?.1 ?? "")")
            let legacy = client.call("POST", "/collections/c/points/search", #"{"vector":[0,1,0,0],"limit":1}"#)
            #expect(legacy?.1.hasPrefix(#"{"result":[{"id":2,"#) == true)
            let scroll = client.call("POST", "/collections/c/points/scroll", #"{"limit":1}"#)
            #expect(scroll?.1.contains(#""next_page_offset":2"#) == true)
            #expect(client.call("POST", "/collections/c/points/count", "{}")?.1.contains(#"{"count":2}"#) == true)
            #expect(client.call("GET", "/collections/c/points/7")?.0 == 404)
            let batch = client.call(
                "POST", "/collections/c/points/batch?wait=true",
                #"{"operations":[{"delete":{"points":[1]}},{"upsert":{"points":[{"id":3,"vector":[0,0,1,0]}]}}]}"#)
            #expect(batch?.0 == 200)
            #expect(client.call("GET", "/collections/c/points/1")?.0 == 404)
            #expect(client.call("GET", "/collections/c/points/3")?.0 == 200)
            #expect(client.call("DELETE", "/collections/c")?.1.contains(#""result":true"#) == true)
            #expect(client.call("DELETE", "/collections/c")?.1.contains(#""result":false"#) == true)
            #expect(client.call("GET", "/collections/c")?.0 == 404)
        }
    }

    @Test("Pipelined requests are answered in their order")
    func pipelining() throws {
        try withServer { port, _ in
            let client = try #require(HTTPClient(port: port))
            defer { client.close() }
            var bytes: [UInt8] = []
            for number in 0..<100 { bytes += HTTPClient.request("GET", "/collections/c\(number)") }
            client.send(bytes)
            for number in 0..<100 {
                let answer = try #require(client.answer())
                #expect(answer.0 == 404)
                #expect(answer.1.contains("`c\(number)`"))
            }
        }
    }

    @Test("A body over the limit is refused in the envelope, then the connection ends")
    func largeBody() throws {
        try withServer(bodyBytesMax: 1000) { port, _ in
            for chunked in [false, true] {
                let client = try #require(HTTPClient(port: port))
                defer { client.close() }
                let body = String(repeating: " ", count: 5000)
                if chunked {
                    client.send(
                        Array(
                            "PUT /collections/c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n\(body)\r\n0\r\n\r\n"
                                .utf8))
                } else {
                    client.send(HTTPClient.request("PUT", "/collections/c", body))
                }
                let answer = try #require(client.answer())
                #expect(answer.0 == 400)
                #expect(answer.1.hasPrefix(#"{"status":{"error":"JSON payload"#))
                #expect(answer.1.hasSuffix(#""time":0.0}"#))
                #expect(client.isAtEnd())
            }
        }
    }

    @Test("Clients that leave in the middle of a request do no harm")
    func disconnects() throws {
        try withServer { port, _ in
            for round in 0..<100 {
                let client = try #require(HTTPClient(port: port))
                let whole = HTTPClient.request("PUT", "/collections/c\(round)", fourDimensions)
                client.send(Array(whole[..<(round % 2 == 0 ? whole.count / 2 : whole.count)]))
                client.close()
            }
            let client = try #require(HTTPClient(port: port))
            defer { client.close() }
            #expect(client.call("GET", "/healthz")?.1 == "healthz check passed")
            // What was sent by half was not done.
            #expect(client.call("GET", "/collections/c0")?.0 == 404)
        }
    }

    @Test("Malformed requests get an answer, not a crash")
    func malformed() throws {
        try withServer { port, _ in
            for (verb, path, body, status) in [
                ("PUT", "/collections/c", "{", 400),
                ("PUT", "/collections/c", #"{"vectors":{"size":0,"distance":"Dot"}}"#, 422),
                ("PUT", "/collections/a%3Cb", "{}", 422), ("GET", "/nowhere", "", 404),
                ("DELETE", "/aliases", "", 405),
                ("PUT", "/collections/c/points?wait=maybe", "{}", 400), ("POST", "/collections/c/facet", "{}", 400),
                ("POST", "/collections/c/points/query", String(repeating: "[", count: 10_000), 400),
                ("PUT", "/collections/none/points", #"{"points":[]}"#, 404),
            ] {
                let client = try #require(HTTPClient(port: port))
                defer { client.close() }
                let answer = try #require(client.call(verb, path, body))
                #expect(answer.0 == status, "\(verb) \(path): \(answer.1)")
                #expect(answer.1.hasPrefix(#"{"status":{"error":""#))
            }
        }
    }

    @Test("With a key set, only its holders are let in")
    func keys() throws {
        try withServer(keys: ["secret"]) { port, _ in
            let client = try #require(HTTPClient(port: port))
            defer { client.close() }
            #expect(client.call("GET", "/")?.0 == 200)
            #expect(client.call("GET", "/collections")?.0 == 401)
            #expect(client.call("GET", "/collections", "", "api-key: wrong\r\n")?.0 == 401)
            #expect(client.call("GET", "/collections", "", "api-key: secret\r\n")?.0 == 200)
            #expect(client.call("GET", "/collections", "", "Authorization: Bearer secret\r\n")?.0 == 200)
        }
    }

    @Test("A server that stops ends the connections that wait and listens no more")
    func stop() throws {
        try withServer { port, server in
            let client = try #require(HTTPClient(port: port))
            defer { client.close() }
            #expect(client.call("GET", "/healthz")?.0 == 200)
            server.shutdown()
            #expect(client.isAtEnd())
            #expect(HTTPClient(port: port) == nil)
        }
    }
}
#endif
