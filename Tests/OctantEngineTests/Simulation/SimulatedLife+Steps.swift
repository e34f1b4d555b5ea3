import Octant
import OctantEngine
import OctantModel
import OctantStorage

extension SimulatedLife {
    /// One thing that happens.
    func step() throws {
        let place = [0, 0, 0, 0, 0, 1, 1, 1, 2][Int.random(in: 0..<9, using: &random)]
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<58: try write(place)
        case 58..<61: try takeSnapshot(place, incremental: Bool.random(using: &random))
        case 61..<63:
            let target = Bool.random(using: &random) ? place : Int.random(in: 0..<3, using: &random)
            try recoverSnapshot(of: place, as: target)
        case 63: try deleteSnapshot(place)
        case 64..<70: try onCollection(place, "drive") { $0.shard.runDue() }
        case 70..<73: try onCollection(place, "seal") { $0.shard.runDue(sealing: true) }
        case 73..<79: try onCollection(place, "flush") { $0.shard.flushDue() }
        case 79..<85:
            try onCollection(place, "optimise") { collection in
                guard collection.shard.optimizeOnce(threads: 1) else { return }
                count("optimised")
                let job = collection.shard.optimizationReport.completed.first
                if job?.stages.contains(where: { $0.resumed != nil }) == true { count("resumed") }
            }
        case 85..<87: try onCollection(place, "freeze") { $0.shard.freeze() }
        case 87..<91: try changeSettings(place)
        case 91: try changeVectors(place)
        case 92: try createOrDrop(place)
        case 93:
            note("close and open")
            try close()
        case 94..<97: armCrash(within: 60)
        default:
            note("check \(histories[place].name)")
            try check(place, searches: Bool.random(using: &random))
        }
    }

    private func onCollection(_ place: Int, _ what: String, _ body: (Collection) throws -> Void) throws {
        guard let collection = try opened(place) else { return }
        note("\(what) \(collection.name)")
        count(what)
        try body(collection)
    }

    /// Whether an error may be the fault of a call that was failed.
    var mayFail: Bool { !files.failures.isEmpty || crash != nil }

    // MARK: Writes

    /// Writes something, or this operation, which is waited for.
    func write(_ place: Int, _ chosen: UpdateOperation? = nil) throws {
        guard let collection = try opened(place) else { return try create(place) }
        let operation = chosen ?? requests[place].operation()
        var condition: UpdateCondition?
        if chosen == nil, Int.random(in: 0..<8, using: &random) == 0 {
            condition = UpdateCondition(
                mode: UpdateMode.allCases.randomElement(using: &random) ?? .upsert,
                filter: Bool.random(using: &random) ? requests[place].filter() : nil)
        }
        let wait = chosen != nil || Int.random(in: 0..<3, using: &random) > 0
        let newest = histories[place].newest
        var model = newest.model
        let isRefused = !model.apply(operation, when: condition)
        let lsn = collection.shard.lastLSN + 1
        let sequence = histories[place].append(
            lsn: lsn, model: isRefused ? newest.model : model, extra: newest.extra)
        let log = collection.shard.path + "/s0/wal/"
        let isFenced = files.failures.contains { $0.call == .sync && $0.path.hasPrefix(log) }
        note(
            "\(collection.name) \(operation.summary)\(condition == nil ? "" : " if")\(wait ? "" : " unwaited") = \(lsn)"
        )
        count(operation.summary)
        let name = collection.name
        collection.update(operation, when: condition, wait: wait) { [self] result in
            switch result {
            case .success(let answer):
                if isFenced { violate("\(name): operation \(lsn) was acknowledged after a failed sync of the log") }
                if answer.operationID != lsn { violate("\(name): operation \(lsn) was answered as \(answer)") }
                if wait, isRefused { violate("\(name): operation \(lsn) must be refused") }
                histories[place].promise.written = max(histories[place].promise.written, sequence)
                if wait { histories[place].promise.synced = max(histories[place].promise.synced, sequence) }
            case .failure(let error):
                if !isRefused, !mayFail {
                    violate("\(name): operation \(lsn) failed without a fault: \(error.message)")
                }
                if mayFail, !isRefused { noteError(error.message) }
            }
        }
        guard collection.shard.lastLSN < lsn else { return }
        // It never came into the log.
        histories[place].states.removeLast()
        if collection.shard.failure != nil { mustReopen = Int.random(in: 0..<3, using: &random) == 0 }
    }

    func noteError(_ text: String) {
        note("failed: \(text)")
        errors.append(text)
    }

    private func violate(_ text: String) {
        if violation == nil { violation = text }
    }

    // MARK: Settings

    func changeSettings(_ place: Int) throws {
        guard let collection = try opened(place) else { return }
        let n = try PayloadPath("n")
        let t = try PayloadPath("t")
        var patch = CollectionPatch()
        switch Int.random(in: 0..<7, using: &random) {
        case 0: try createIndex(place, collection, n, Bool.random(using: &random) ? .integer : .float)
        case 1, 2: try createIndex(place, collection, t, .keyword)
        case 3:
            let key = Bool.random(using: &random) ? n : t
            try change(place, collection, "drop index \(key)") {
                collection.shard.view.fieldIndexes.filter { $0.key != key }
            } by: {
                try collection.deleteFieldIndex(key)
            }
        case 4:
            var hnsw = HNSWConfigDiff()
            hnsw.m = [0, 4, 6][Int.random(in: 0..<3, using: &random)]
            patch.hnsw = hnsw
            try apply(place, collection, patch)
        case 5:
            var optimizer = OptimizerConfigDiff()
            optimizer.defaultSegmentNumber = Int.random(in: 1...3, using: &random)
            optimizer.deletedThreshold = [0.1, 0.5][Int.random(in: 0..<2, using: &random)]
            patch.optimizer = optimizer
            try apply(place, collection, patch)
        default:
            patch.vectors = [VectorPatch(name: "a", onDisk: Bool.random(using: &random))]
            patch.onDiskPayload = Bool.random(using: &random)
            patch.quantization =
                Bool.random(using: &random) ? .disabled : .set(.scalar(ScalarQuantization(quantile: 0.99)))
            try apply(place, collection, patch)
        }
    }

    func createIndex(_ place: Int, _ collection: Collection, _ key: PayloadPath, _ type: FieldIndexType) throws {
        let index = Manifest.FieldIndexEntry(key: key, schema: FieldIndexSchema(type: type))
        try change(place, collection, "index \(key) \(type)") {
            collection.shard.view.fieldIndexes.filter { $0.key != key } + [index]
        } by: {
            try collection.createFieldIndex(key, index.schema)
        }
    }

    func apply(_ place: Int, _ collection: Collection, _ patch: CollectionPatch) throws {
        let changed = try collection.config.applying(patch)
        try change(place, collection, "patch", config: changed) {
            collection.shard.view.fieldIndexes
        } by: {
            try collection.patch(patch)
        }
    }

    private func change(
        _ place: Int, _ collection: Collection, _ what: String, config: CollectionConfig? = nil,
        _ indexes: () -> [Manifest.FieldIndexEntry], by body: () throws -> Void
    ) throws {
        note("\(collection.name) \(what)")
        count("settings")
        let before = History.Settings(collection.config, collection.shard.view.fieldIndexes)
        let after = History.Settings(config ?? collection.config, indexes())
        histories[place].promise.settings.append(after)
        do {
            try body()
            histories[place].promise.settings = [after]
            let now = History.Settings(collection.config, collection.shard.view.fieldIndexes)
            try demand(now == after, "settings are \(now), not \(after)")
        } catch let error as OctantError {
            noteError(error.message)
            try demand(mayFail, "settings failed without a fault: \(error.message)")
            let now = History.Settings(collection.config, collection.shard.view.fieldIndexes)
            try demand(now == before, "settings are \(now) after a failed change, not \(before)")
        }
    }

    // MARK: Vectors

    /// Adds the vector "x", or removes it from all points.
    func changeVectors(_ place: Int) throws {
        guard requests[place].allKinds, let collection = try opened(place) else { return }
        let newest = histories[place].newest
        var model = newest.model
        let definition = newest.extra == nil ? requests[place].definition() : nil
        if definition == nil { for id in model.points.keys { model.points[id]?.vectors["x"] = nil } }
        note("\(collection.name) \(definition == nil ? "removes" : "adds") x")
        count("vectors")
        let sequence = histories[place].append(lsn: collection.shard.lastLSN, model: model, extra: definition)
        do {
            if let definition {
                try collection.addVector("x", definition)
            } else {
                try collection.removeVector("x")
            }
            requests[place].extra = definition
            histories[place].promise.synced = max(histories[place].promise.synced, sequence)
            histories[place].promise.written = max(histories[place].promise.written, sequence)
        } catch {
            noteError(error.message)
            try demand(mayFail, "a change of vectors failed without a fault: \(error.message)")
            mustReopen = true
        }
    }

    // MARK: Names

    func createOrDrop(_ place: Int) throws {
        guard let collection = try opened(place) else { return try create(place) }
        note("drop \(collection.name)")
        count("drop")
        histories[place].promise.existence = .dropping
        histories[place].forgetSnapshots()
        do {
            let done = try database?.deleteCollection(collection.name) ?? false
            try demand(done, "\(collection.name) was not there to be dropped")
            histories[place].promise.existence = .absent
        } catch let error as OctantError {
            noteError(error.message)
            try demand(mayFail, "dropping failed without a fault: \(error.message)")
            mustReopen = true
        }
    }

    func create(_ place: Int) throws {
        guard let database else { return }
        let name = histories[place].name
        note("create \(name)")
        count("create")
        histories[place].begin(History.Settings(configs[place], []))
        histories[place].promise.existence = .creating
        requests[place].extra = nil
        requests[place].allKinds = configs[place].params.sparse("s") != nil
        do {
            try database.createCollection(name, configs[place])
            histories[place].promise.existence = .present
        } catch {
            noteError(error.message)
            try demand(mayFail, "creating failed without a fault: \(error.message)")
            mustReopen = true
        }
    }
}

extension UpdateOperation {
    /// Its kind and size, for traces.
    var summary: String {
        func size(_ selection: PointSelection) -> String {
            if case .ids = selection { "ids" } else { "filter" }
        }
        switch self {
        case .upsert: return "upsert"
        case .delete(let selection): return "delete by \(size(selection))"
        case .setPayload(_, let selection, _): return "set payload by \(size(selection))"
        case .overwritePayload(_, let selection): return "overwrite payload by \(size(selection))"
        case .deletePayload(_, let selection): return "delete payload by \(size(selection))"
        case .clearPayload(let selection): return "clear payload by \(size(selection))"
        case .updateVectors: return "update vectors"
        case .deleteVectors(_, let selection): return "delete vectors by \(size(selection))"
        }
    }
}
