#if Server
import OctantModel
import OctantProtocol

extension PointID {
    /// Reads an id. `path` is where it stands in the request.
    init(_ message: Qdrant_PointId, _ path: @autoclosure () -> String = "") throws(OctantError) {
        switch message.pointIDOptions {
        case .num(let number): self = .number(number)
        case .uuid(let text): try self.init(uuid: text)
        case nil: throw .json("\(path().isEmpty ? "id" : path()): expected one of `num`, `uuid`")
        }
    }

    /// Reads a list of ids.
    static func list(_ messages: [Qdrant_PointId], _ path: String = "ids") throws(OctantError) -> [PointID] {
        var ids: [PointID] = []
        ids.reserveCapacity(messages.count)
        for message in messages { ids.append(try PointID(message, "\(path)[\(ids.count)]")) }
        return ids
    }
}

extension Qdrant_PointId {
    /// The id as a message.
    init(_ id: PointID) {
        self.init()
        switch id {
        case .number(let number): pointIDOptions = .num(number)
        case .uuid(let uuid): pointIDOptions = .uuid(uuid.description)
        }
    }
}
#endif
