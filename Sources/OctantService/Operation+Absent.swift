extension Operation {
    /// Paths that only a cluster has a use for; a single server answers 405.
    package static let clusterRows: [Row] = [
        Row(verb: .post, path: "/cluster/recover", access: .manage),
        Row(verb: .delete, path: "/cluster/peer/{peer_id}", access: .manage),
        Row(verb: .get, path: "/cluster/metadata/keys", access: .manage),
        Row(verb: .get, path: "/cluster/metadata/keys/{key}", access: .manage),
        Row(verb: .put, path: "/cluster/metadata/keys/{key}", access: .manage),
        Row(verb: .delete, path: "/cluster/metadata/keys/{key}", access: .manage),
        Row(verb: .post, path: "/collections/{collection}/cluster", access: .manage),
        Row(verb: .put, path: "/collections/{collection}/shards", access: .manage),
        Row(verb: .post, path: "/collections/{collection}/shards/delete", access: .manage),
    ]

    /// Diagnostics, which this version does not have.
    package static let absentRows: [Row] = [
        Row(verb: .get, path: "/cluster/telemetry", access: .manage),
        Row(verb: .get, path: "/profiler/slow_requests", access: .manage),
        Row(verb: .get, path: "/stacktrace", access: .manage), Row(verb: .get, path: "/logger", access: .manage),
        Row(verb: .post, path: "/logger", access: .manage), Row(verb: .get, path: "/debugger", access: .manage),
        Row(verb: .patch, path: "/debugger", access: .manage),
        Row(verb: .post, path: "/audit/logs", access: .manage),
        Row(verb: .post, path: "/collections/{collection}/truncate_unapplied_wal", access: .manage),
    ]
}
