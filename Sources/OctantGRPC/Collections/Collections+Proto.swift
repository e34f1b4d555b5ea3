#if Server
import OctantModel
import OctantProtocol
import OctantService

extension OctantModel.CreateCollection {
    /// Reads `Create`.
    init(_ message: Qdrant_CreateCollection) throws(OctantError) {
        // The free-form part is read apart: its values have a form of their own.
        var rest = message
        rest.metadata = [:]
        try self.init(json: .object(try ConfigDocument.object(of: rest)))
        if !message.metadata.isEmpty { metadata = try Payload(message.metadata) }
    }
}

extension CollectionPatch {
    /// Reads `Update`.
    init(_ message: Qdrant_UpdateCollection) throws(OctantError) {
        var rest = message
        rest.metadata = [:]
        try self.init(json: .object(try ConfigDocument.object(of: rest, isChange: true)))
        if !message.metadata.isEmpty { metadata = try Payload(message.metadata).object }
    }
}

extension AliasAction {
    /// Reads one step of `UpdateAliases`.
    init(_ message: Qdrant_AliasOperations) throws(OctantError) {
        switch message.action {
        case .createAlias(let create): self = .create(alias: create.aliasName, collection: create.collectionName)
        case .renameAlias(let rename): self = .rename(from: rename.oldAliasName, to: rename.newAliasName)
        case .deleteAlias(let delete): self = .delete(alias: delete.aliasName)
        case nil: throw .json("data did not match any variant of alias operation")
        }
    }
}

extension Qdrant_ListAliasesResponse {
    /// Aliases and their collections.
    init(_ aliases: [OctantModel.AliasDescription]) {
        self.init()
        self.aliases = aliases.map { alias in
            var message = Qdrant_AliasDescription()
            message.aliasName = alias.alias
            message.collectionName = alias.collection
            return message
        }
    }
}

extension Qdrant_CollectionConfig {
    /// The configuration of a collection.
    init(_ config: OctantModel.CollectionConfig) throws(OctantError) {
        guard case .object(let object) = config.json else {
            self.init()
            return
        }
        self = try ConfigDocument.message(object)
        if let metadata = config.metadata { self.metadata = metadata.messages }
    }
}

extension Qdrant_CollectionInfo {
    /// The report of a collection.
    init(_ info: OctantModel.CollectionInfo) throws(OctantError) {
        self.init()
        status =
            switch info.status {
            case .green: .green
            case .yellow: .yellow
            case .grey: .grey
            case .red: .red
            }
        optimizerStatus.ok = info.optimizerError == nil
        optimizerStatus.error = info.optimizerError ?? ""
        segmentsCount = UInt64(clamping: info.segmentsCount)
        pointsCount = UInt64(clamping: info.pointsCount)
        indexedVectorsCount = UInt64(clamping: info.indexedVectorsCount)
        warnings = info.warnings.map { text in
            var warning = Qdrant_CollectionWarning()
            warning.message = text
            return warning
        }
        updateQueue.length = UInt64(clamping: info.updateQueueLength)
        if let count = info.deferredPoints { updateQueue.deferredPoints = UInt64(clamping: count) }
        config = try Qdrant_CollectionConfig(info.config)
        for (key, schema, points) in info.payloadSchema {
            var message = Qdrant_PayloadSchemaInfo()
            message.dataType = Qdrant_PayloadSchemaType(schema.type)
            message.points = UInt64(clamping: points)
            if let params = try ConfigDocument.indexParams(schema) { message.params = params }
            payloadSchema[key] = message
        }
    }
}

extension Qdrant_PayloadSchemaType {
    fileprivate init(_ type: FieldIndexType) {
        self =
            switch type {
            case .keyword: .keyword
            case .integer: .integer
            case .float: .float
            case .bool: .bool
            case .datetime: .datetime
            case .uuid: .uuid
            case .geo: .geo
            case .text: .text
            }
    }
}

extension Qdrant_CollectionClusterInfoResponse {
    /// One local shard, as a single server has it.
    init(_ info: OctantModel.CollectionInfo) {
        self.init()
        shardCount = 1
        var shard = Qdrant_LocalShardInfo()
        shard.pointsCount = UInt64(clamping: info.pointsCount)
        shard.state = .active
        localShards = [shard]
    }
}
#endif
