extension OpenAPISchemas {
    /// A number above 0 and at most 1.
    private static let positiveShare = #"{"type":"number","exclusiveMinimum":0,"maximum":1}"#

    private static let goal: [(String, String)] = [
        ("recall?", positiveShare), ("memory?", count(1)), ("p95_ms?", #"{"type":"number","exclusiveMinimum":0}"#),
    ]

    /// Tuning.
    static let tuning: [(name: String, schema: String)] = [
        (
            "TuneRequest",
            object(
                goal + [
                    ("using?", text), ("limit?", count(1, 1000)), ("queries?", list("DenseVector")),
                    ("sample_queries?", count(1, 10_000)), ("configurations?", flag), ("sample_rows?", count(1000)),
                    ("verify_bytes?", count()), ("cpu_budget?", positiveShare), ("seed?", count()), ("apply?", flag),
                ], closed: true)
        ),
        (
            "TuningPoint",
            object([
                ("configuration!", text), ("params!", ref("SearchParams")), ("recall!", share),
                ("recall_error!", number), ("p50_ms!", number), ("p95_ms!", number), ("memory!", count()),
                ("source!", #"{"enum":["measured","predicted"]}"#), ("pareto!", flag),
            ])
        ),
        (
            "TuningReport",
            object([
                ("using!", text), ("limit!", count(1)), ("rows!", count()), ("queries!", count()),
                ("queries_from!", #"{"enum":["request","points"]}"#), ("goal!", object(goal)),
                ("meets_goal!", flag), ("statement!", text), ("applied!", flag), ("recommended", count()),
                ("points!", list("TuningPoint")),
            ])
        ),
        (
            "Tuning",
            object([
                ("state!", #"{"enum":["none","running","done","failed"]}"#),
                ("progress", object([("done!", count()), ("total!", count()), ("step!", text)])),
                ("report", ref("TuningReport")), ("error", text),
            ])
        ),
    ]
}
