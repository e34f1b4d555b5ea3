#if Server
import OctantModel
import OctantProtocol

extension FieldIndexSchema {
    /// Reads the schema of `CreateFieldIndex`.
    init(_ message: Qdrant_CreateFieldIndexCollection) throws(OctantError) {
        if let schema = try ConfigDocument.schema(message.fieldIndexParams) {
            try self.init(json: .object(schema))
            return
        }
        guard message.hasFieldType else { throw Self.missing }
        switch message.fieldType {
        case .keyword: self.init(type: .keyword)
        case .integer: self.init(type: .integer)
        case .float: self.init(type: .float)
        case .geo: self.init(type: .geo)
        case .text: self.init(type: .text)
        case .bool: self.init(type: .bool)
        case .datetime: self.init(type: .datetime)
        case .uuid: self.init(type: .uuid)
        case .UNRECOGNIZED(let value): throw .unknown(value, "field_type")
        }
    }
}

extension VectorDefinition {
    /// Reads the vector of `CreateVectorName`.
    init(_ message: Qdrant_CreateVectorNameRequest) throws(OctantError) {
        try self.init(name: message.vectorName, json: .object(try ConfigDocument.object(of: message)))
    }
}
#endif
