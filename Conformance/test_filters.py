"""The filter language, with and without payload indexes."""
import pytest
from qdrant_client import models

MISSING = object()
# The value at key "v" of point i.
VALUES = [MISSING, None, [], [None], 5, 5.0, "a", True, [1, "a", None], [[5]], {"x": 1}, 1, 0, False, [5, 7], 4.5]
ALL = set(range(len(VALUES)))
FIELD = lambda **kw: {"key": "v", **kw}

# condition, ids it holds for, ids left out of the comparison where an integer index exists
TRUTH = [
    (FIELD(match={"value": 5}), {4, 14}, {5}),
    (FIELD(match={"value": "a"}), {6, 8}, ()),
    (FIELD(match={"value": True}), {7}, ()),
    (FIELD(match={"value": False}), {13}, ()),
    (FIELD(match={"value": 1}), {8, 11}, ()),
    (FIELD(match={"value": 0}), {12}, ()),
    (FIELD(match={"any": ["a", "z"]}), {6, 8}, ()),
    (FIELD(match={"any": [5, 1]}), {4, 8, 11, 14}, {5}),
    (FIELD(match={"any": []}), set(), ()),
    (FIELD(match={"except": ["a"]}), {4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15}, ()),
    (FIELD(match={"except": [5]}), {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {5}),
    (FIELD(match={"except": []}), ALL - {0, 1, 2, 3}, ()),
    (FIELD(range={"gte": 1}), {4, 5, 8, 11, 14, 15}, ()),
    (FIELD(range={"lt": 1}), {12}, ()),
    (FIELD(range={"gt": 4.5, "lte": 5}), {4, 5, 14}, ()),
    (FIELD(range={"gt": 7}), set(), ()),
    (FIELD(range={}), {4, 5, 8, 11, 12, 14, 15}, ()),
    ({"is_empty": {"key": "v"}}, {0, 1, 2}, ()),
    (FIELD(is_empty=True), {0, 1, 2}, ()),
    (FIELD(is_empty=False), ALL - {0, 1, 2}, ()),
    ({"is_null": {"key": "v"}}, {1}, ()),
    (FIELD(is_null=True), {1, 3, 8}, ()),
    (FIELD(is_null=False), ALL - {1, 3, 8}, ()),
    (FIELD(is_null=True, match={"value": 5}), {1, 3, 8}, ()),
    (FIELD(match={"value": "a"}, range={"lt": 1}), {6, 8, 12}, ()),
    ({"has_id": [3, 5, 99]}, {3, 5}, ()),
    ({"has_id": []}, set(), ()),
    ({"must": [FIELD(range={"gte": 5})], "must_not": [FIELD(match={"value": "a"})]}, {4, 5, 14}, ()),
]


@pytest.fixture(scope="module")
def table(client, rest):
    """Collections with the same points: unindexed, and one for every type of index."""
    names = {}
    for kind in (None, "keyword", "integer", "float", "bool"):
        n = names[kind] = f"truth_{kind}"
        client.delete_collection(n)
        client.create_collection(n, vectors_config=models.VectorParams(size=2, distance="Dot"))
        if kind in ("keyword", "integer"):  # two are made before the points, two after
            client.create_payload_index(n, "v", field_schema=kind)
        points = [{"id": i, "vector": [1, i], "payload": {} if v is MISSING else {"v": v}} for i, v in enumerate(VALUES)]
        assert rest("PUT", f"/collections/{n}/points?wait=true", {"points": points}).status == 200
        if kind in ("float", "bool"):
            client.create_payload_index(n, "v", field_schema=kind)
    yield names
    for n in names.values():
        client.delete_collection(n)


def ids(rest, name, filter):
    scrolled = {p["id"] for p in rest("POST", f"/collections/{name}/points/scroll", {"filter": filter, "limit": 1000}).result["points"]}
    searched = rest("POST", f"/collections/{name}/points/query", {"query": [1, 1], "filter": filter, "limit": 1000}).result["points"]
    assert scrolled == {p["id"] for p in searched}, "scroll and search agree"
    assert rest("POST", f"/collections/{name}/points/count", {"filter": filter}).result["count"] == len(scrolled)
    return scrolled


@pytest.mark.parametrize("kind", [None, "keyword", "integer", "float", "bool"])
@pytest.mark.parametrize("condition, expected, unsure", TRUTH, ids=[str(t[0])[:70] for t in TRUTH])
def test_truth_table(rest, table, kind, condition, expected, unsure):
    unsure = set(unsure) if kind == "integer" else set()
    assert ids(rest, table[kind], {"must": [condition]}) - unsure == expected - unsure
    assert ids(rest, table[kind], {"must_not": [condition]}) - unsure == ALL - expected - unsure


def test_integral_floats_match_with_an_integer_index(rest, table):
    for condition in (FIELD(match={"value": 5}), FIELD(match={"any": [5]})):
        assert ids(rest, table["integer"], {"must": [condition]}) == {4, 5, 14}


@pytest.fixture(scope="module")
def shop(client):
    name = "shop"
    client.delete_collection(name)
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance="Dot"))
    rows = [
        {"tags": ["red", "new"], "price": 10, "o": {"size": "s", "n": [1, 2]}, "lines": [{"sku": "a", "q": 1}, {"sku": "b", "q": 5}]},
        {"tags": ["red"], "price": 20.5, "o": {"size": "m"}, "lines": [{"sku": "a", "q": 5}]},
        {"tags": [], "price": 30, "o": {}, "lines": []},
        {"price": None, "o": None, "lines": {"sku": "a", "q": 5}},
        {"tags": "blue", "price": [1, 100], "a.b": "dotted", "lines": [1, None, {"sku": "b", "q": 1}], "grid": [[1, 2], [3]]},
    ]
    client.upsert(name, [models.PointStruct(id=i, vector=[1.0, 1.0], payload=r) for i, r in enumerate(rows)])
    yield name
    client.delete_collection(name)


M = lambda key, value: {"key": key, "match": {"value": value}}


@pytest.mark.parametrize("filter, expected", [
    ({}, {0, 1, 2, 3, 4}),
    ({"must": [], "should": [], "must_not": []}, {0, 1, 2, 3, 4}),
    ({"must": M("tags", "red")}, {0, 1}),
    ({"should": [M("tags", "blue"), M("tags", "new")]}, {0, 4}),
    ({"should": []}, {0, 1, 2, 3, 4}),
    ({"must_not": [M("tags", "red")]}, {2, 3, 4}),
    ({"must": [M("tags", "red")], "should": [M("o.size", "m"), M("tags", "blue")]}, {1}),
    ({"min_should": {"conditions": [M("tags", "red"), M("tags", "new"), M("price", 10)], "min_count": 2}}, {0}),
    ({"min_should": {"conditions": [M("tags", "red"), M("tags", "new"), M("price", 10)], "min_count": 1}}, {0, 1}),
    ({"must": [{"should": [M("tags", "new"), {"must_not": [{"key": "price", "range": {"lt": 50}}]}]}]}, {0, 3}),
    ({"must": [M("o.n", 2)]}, {0}),
    ({"must": [M("o.n[0]", 2)]}, set()),
    ({"must": [M("o.n[1]", 2)]}, {0}),
    ({"must": [M("o.n[]", 1)]}, {0}),
    ({"must": [M("a.b", "dotted")]}, set()),
    ({"must": [M('"a.b"', "dotted")]}, {4}),
    ({"must": [M("lines.sku", "a")]}, {3}),
    ({"must": [M("lines[].sku", "a")]}, {0, 1}),
    ({"must": [M("lines[1].sku", "b")]}, {0}),
    ({"must": [M("grid", 1)]}, set()),
    ({"must": [M("grid[]", 3)]}, {4}),
    ({"must": [M("grid[0]", 3)]}, set()),
    ({"must": [{"nested": {"key": "lines", "filter": {"must": [M("sku", "a"), M("q", 5)]}}}]}, {1}),
    ({"must": [{"nested": {"key": "lines[]", "filter": {"must": [M("sku", "a"), M("q", 5)]}}}]}, {1}),
    ({"must": [M("lines[].sku", "a"), M("lines[].q", 5)]}, {0, 1}),
    ({"must": [{"nested": {"key": "lines", "filter": {"must_not": [M("sku", "a")]}}}]}, {0, 4}),
    ({"must_not": [{"nested": {"key": "lines", "filter": {"must": [M("q", 5)]}}}]}, {2, 3, 4}),
    ({"must": [{"key": "price", "range": {"gt": 10, "lt": 50}}]}, {1, 2}),
    ({"must": [{"key": "price", "range": {"gte": 100}}]}, {4}),
    ({"must": [{"is_empty": {"key": "o.size"}}]}, {2, 3, 4}),
    ({"must": [{"is_null": {"key": "o"}}]}, {3}),
], ids=str)
@pytest.mark.parametrize("indexed", [False, True])
def test_filters(rest, client, shop, filter, expected, indexed):
    fields = {"tags": "keyword", "price": "float", "o.n": "integer", "lines[].sku": "keyword", "lines[].q": "integer"}
    for field, kind in fields.items():
        if indexed:
            client.create_payload_index(shop, field, field_schema=kind)
        else:
            client.delete_payload_index(shop, field)
    assert ids(rest, shop, filter) == expected


def test_integers_beyond_2_to_the_53_are_told_apart(rest, client, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance="Dot"))
    big = 2**53
    points = [{"id": i, "vector": [1, 1], "payload": {"v": big + i}} for i in range(4)]
    rest("PUT", f"/collections/{name}/points?wait=true", {"points": points})
    for indexed in (False, True):
        if indexed:
            client.create_payload_index(name, "v", field_schema="integer")
        for i in range(4):
            assert ids(rest, name, {"must": [M("v", big + i)]}) == {i}
        assert ids(rest, name, {"must": [{"key": "v", "match": {"any": [big + 1, big + 3]}}]}) == {1, 3}


def test_indexes_follow_every_kind_of_write(rest, client, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance="Dot"))
    client.create_payload_index(name, "k", field_schema="keyword")
    client.upsert(name, [models.PointStruct(id=i, vector=[1.0, 1.0], payload={"k": "a"}) for i in range(6)])
    client.set_payload(name, {"k": "b"}, points=[0])
    client.overwrite_payload(name, {"k": ["a", "b"]}, points=[1])
    client.delete_payload(name, ["k"], points=[2])
    client.clear_payload(name, points_selector=[3])
    client.delete(name, [4])
    client.upsert(name, [models.PointStruct(id=4, vector=[1.0, 1.0], payload={"k": "c"})])
    assert ids(rest, name, {"must": [M("k", "a")]}) == {1, 5}
    assert ids(rest, name, {"must": [M("k", "b")]}) == {0, 1}
    assert ids(rest, name, {"must": [M("k", "c")]}) == {4}
    assert ids(rest, name, {"must": [{"is_empty": {"key": "k"}}]}) == {2, 3}
