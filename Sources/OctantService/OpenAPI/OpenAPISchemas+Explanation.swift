import OctantModel

extension OpenAPISchemas {
    private static let part = object([
        ("segment?", #"{"type":"string","format":"uuid"}"#), ("points!", count()),
        ("plan!", names(QueryExplanation.Plan.self)),
        ("gave_up_walk!", flag), ("ef?", count(1)), ("scored_by_codes!", count()), ("scored_by_originals!", count()),
        ("rescored!", count()), ("pages_from_disk!", count()), ("filter_us!", number), ("search_us!", number),
    ])

    /// How a query was answered.
    static let explanation: [(name: String, schema: String)] = [
        (
            "QueryExplanation",
            object(
                [
                    ("plan_us!", number), ("run_us!", number), ("payload_us!", number),
                    (
                        "searches!",
                        array(
                            object(
                                [
                                    ("vector!", text), ("limit!", count()), ("search_us!", number),
                                    ("rescore_us!", number), ("merge_us!", number), ("parts!", array(part)),
                                ], closed: true))
                    ),
                ], closed: true)
        )
    ]
}
