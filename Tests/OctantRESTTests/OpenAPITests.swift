import OctantModel
import OctantService
import Testing

@Suite struct OpenAPITests {
    @Test("Every operation of the table is described, and every description is JSON")
    func complete() {
        #expect(OpenAPIDocument.undescribed == [])
        #expect(OpenAPIDocument.malformed == [])
    }

    @Test("Every row of the table is in the document")
    func paths() {
        guard case .object(let paths)? = OpenAPIDocument.document["paths"] else {
            Issue.record("no paths")
            return
        }
        var count = 0
        for (_, members) in paths.pairs {
            if case .object(let verbs) = members { count += verbs.count }
        }
        let rows =
            Operation.allCases.compactMap(\.row) + Operation.clusterRows + Operation.absentRows
        #expect(count == rows.count)
    }
}
