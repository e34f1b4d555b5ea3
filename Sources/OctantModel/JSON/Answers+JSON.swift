extension JSONWriter {
    /// Writes an id.
    package mutating func value(_ id: PointID) {
        switch id {
        case .number(let number): value(number)
        case .uuid(let uuid): value(uuid.description)
        }
    }

    /// Writes vectors: the unnamed one bare, named ones as a map.
    package mutating func value(_ vectors: NamedVectors) {
        if vectors.entries.count == 1, let only = vectors.entries.first, only.name.isEmpty {
            value(only.vector)
            return
        }
        beginObject()
        for entry in vectors.entries {
            key(entry.name)
            value(entry.vector)
        }
        endObject()
    }

    /// Writes a vector.
    package mutating func value(_ vector: Vector) {
        switch vector {
        case .dense(let floats): value(floats)
        case .sparse(let sparse):
            beginObject()
            key("indices")
            beginArray()
            for index in sparse.indices { value(UInt64(index)) }
            endArray()
            key("values")
            value(sparse.values)
            endObject()
        case .multiDense(let rows):
            beginArray()
            for row in rows { value(row) }
            endArray()
        case .document: null()  // no answer has one
        }
    }

    /// Writes a point that was read.
    package mutating func value(_ record: Record) {
        beginObject()
        key("id")
        value(record.id)
        parts(record.payload, record.vectors, record.orderValue)
        endObject()
    }

    /// Writes a point that was found.
    package mutating func value(_ point: ScoredPoint) {
        beginObject()
        key("id")
        value(point.id)
        key("version")
        value(point.version)
        key("score")
        value(point.score)
        parts(point.payload, point.vectors, point.orderValue)
        endObject()
    }

    private mutating func parts(_ payload: Payload?, _ vectors: NamedVectors?, _ orderValue: OrderValue?) {
        if let payload {
            key("payload")
            value(payload)
        }
        if let vectors {
            key("vector")
            value(vectors)
        }
        if let orderValue {
            key("order_value")
            switch orderValue {
            case .integer(let integer): value(integer)
            case .double(let double): value(double)
            }
        }
    }

    /// Writes points that were found.
    package mutating func value(_ points: [ScoredPoint]) {
        beginArray()
        for point in points { value(point) }
        endArray()
    }

    /// Writes points that were read.
    package mutating func value(_ records: [Record]) {
        beginArray()
        for record in records { value(record) }
        endArray()
    }

    /// Writes what became of a write.
    package mutating func value(_ result: UpdateResult) {
        beginObject()
        key("operation_id")
        value(result.operationID)
        key("status")
        value(result.status.rawValue)
        endObject()
    }

    /// Writes the report of a collection.
    package mutating func value(_ info: CollectionInfo) {
        beginObject()
        key("status")
        value(info.status.rawValue)
        key("optimizer_status")
        if let error = info.optimizerError {
            beginObject()
            key("error")
            value(error)
            endObject()
        } else {
            value("ok")
        }
        if !info.warnings.isEmpty {
            key("warnings")
            value(JSONValue.array(info.warnings.map { .object(["message": .string($0)]) }))
        }
        key("indexed_vectors_count")
        value(info.indexedVectorsCount)
        key("points_count")
        value(info.pointsCount)
        key("segments_count")
        value(info.segmentsCount)
        key("config")
        value(info.config.json)
        key("payload_schema")
        beginObject()
        for (name, schema, points) in info.payloadSchema {
            key(name)
            beginObject()
            key("data_type")
            value(schema.type.rawValue)
            if let params = schema.params {
                key("params")
                value(params)
            }
            key("points")
            value(points)
            endObject()
        }
        endObject()
        key("update_queue")
        beginObject()
        key("length")
        value(info.updateQueueLength)
        if let count = info.deferredPoints {
            key("deferred_points")
            value(count)
        }
        endObject()
        endObject()
    }
}
