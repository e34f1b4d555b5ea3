extension MemoryUse {
    /// As an object of bytes.
    package var json: JSONObject {
        [
            "anonymous_bytes": .integer(Int64(anonymous)), "mapped_bytes": .integer(Int64(mapped)),
            "page_cache_bytes": .integer(Int64(cached)), "disk_bytes": .integer(Int64(disk)),
        ]
    }
}

extension MemoryReport {
    /// The answer of `GET /collections/{collection}/memory`.
    package func json(_ process: ProcessMemory) -> JSONObject {
        [
            "total": .object(total.json), "log": .object(log.json),
            "segments": .array(parts.filter { $0.uuid != nil }.map { .object($0.json) }),
            "memtables": .array(parts.filter { $0.uuid == nil }.map { .object($0.json) }),
            "process": .object(process.json),
        ]
    }
}

extension MemoryReport.Part {
    fileprivate var json: JSONObject {
        var object: JSONObject = [:]
        if let uuid { object["uuid"] = .string(uuid) }
        object["rows"] = .integer(Int64(rows))
        object["total"] = .object(total.json)
        object["structures"] = .array(
            structures.map { structure in
                var object: JSONObject = ["kind": .string(structure.kind)]
                if !structure.subject.isEmpty { object["name"] = .string(structure.subject) }
                if let residence = structure.residence { object["held"] = .string(residence.rawValue) }
                for (key, value) in structure.use.json.pairs { object[key] = value }
                return .object(object)
            })
        return object
    }
}

extension ProcessMemory {
    fileprivate var json: JSONObject {
        [
            "resident_bytes": .integer(Int64(resident)), "anonymous_bytes": .integer(Int64(anonymous)),
            "locked_bytes": .integer(Int64(locked)), "collections": .object(collections.json),
            "base_bytes": .integer(Int64(base)), "explained": .double((explained * 1000).rounded() / 1000),
            "disk_reads": .integer(Int64(diskReads)),
        ]
    }
}
