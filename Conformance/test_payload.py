"""Payload writes and payload indexes."""
import pytest
from qdrant_client import models

FIRST = {"a": 1, "b": {"c": 2, "d": {"e": 3}}, "list": [{"x": 1}, {"x": 2}], "t": "text"}


@pytest.fixture
def three(client, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance="Dot"))
    client.upsert(name, [models.PointStruct(id=i, vector=[1.0, float(i)], payload={**FIRST, "i": i}) for i in (1, 2, 3)])
    return name


def payloads(client, name, ids=(1, 2, 3)):
    got = client.retrieve(name, ids, with_vectors=True)
    assert [p.vector for p in got] == [[1.0, float(p.id)] for p in got], "payload writes leave vectors alone"
    return [{k: v for k, v in p.payload.items() if k != "i"} for p in got]


BY_TWO = models.Filter(must=[models.FieldCondition(key="i", match=models.MatchValue(value=2))])


def test_set_merges_at_the_top_and_null_removes(client, three):
    client.set_payload(three, {"a": 9, "t": None, "new": [1, None]}, points=[1])
    assert payloads(client, three) == [{"a": 9, "b": FIRST["b"], "list": FIRST["list"], "new": [1, None]}, FIRST, FIRST]


def test_set_replaces_a_nested_object_whole(client, three):
    client.set_payload(three, {"b": {"z": 1}}, points=[1])
    assert payloads(client, three, [1]) == [{**FIRST, "b": {"z": 1}}]


def test_set_with_a_key_merges_deeper_and_creates_objects(client, three):
    client.set_payload(three, {"e": 4, "f": 5}, key="b.d", points=[1])
    client.set_payload(three, {"z": 1}, key="fresh.path", points=[2])
    client.set_payload(three, {"y": 7}, key="list[1]", points=[3])
    client.set_payload(three, {"y": 7}, key="list[9]", points=[3])
    one, two, three_ = payloads(client, three)
    assert one["b"] == {"c": 2, "d": {"e": 4, "f": 5}}
    assert two == {**FIRST, "fresh": {"path": {"z": 1}}}
    assert three_ == {**FIRST, "list": [{"x": 1}, {"x": 2, "y": 7}]}, "an array index only when it exists"


def test_set_by_filter(client, three):
    client.set_payload(three, {"hit": True}, points=BY_TWO)
    assert payloads(client, three) == [FIRST, {**FIRST, "hit": True}, FIRST]


def test_set_with_points_and_filter_points_win(client, rest, three):
    body = {"payload": {"w": 1}, "points": [1], "filter": {"must": [{"key": "i", "match": {"value": 2}}]}}
    assert rest("POST", f"/collections/{three}/points/payload?wait=true", body).result["status"] == "completed"
    assert payloads(client, three) == [{**FIRST, "w": 1}, FIRST, FIRST]


def test_set_on_an_unknown_point_is_404(client, rest, three):
    r = rest("POST", f"/collections/{three}/points/payload?wait=true", {"payload": {"w": 1}, "points": [99]})
    assert r.status == 404 and r.error == "Not found: No point with id 99 found"
    assert client.count(three).count == 3


def test_overwrite(client, three):
    client.overwrite_payload(three, {"only": 1}, points=[1])
    client.overwrite_payload(three, {}, points=[3])
    assert payloads(client, three) == [{"only": 1}, FIRST, {}]
    assert client.retrieve(three, [1])[0].payload == {"only": 1}


def test_overwrite_ignores_the_key(client, rest, three):
    body = {"payload": {"only": 1}, "key": "b", "points": [1]}
    assert rest("PUT", f"/collections/{three}/points/payload?wait=true", body).status == 200
    assert client.retrieve(three, [1])[0].payload == {"only": 1}


def test_delete_keys(client, three):
    client.delete_payload(three, ["a", "b.d", "list[].x", "not.there"], points=[1])
    client.delete_payload(three, ["list[0]", "t"], points=[2])
    client.delete_payload(three, ["list[]"], points=[3])
    assert payloads(client, three) == [{"b": {"c": 2}, "list": [{}, {}], "t": "text"},
                                       {"a": 1, "b": FIRST["b"], "list": FIRST["list"]},
                                       {**FIRST, "list": []}]


def test_clear(client, three):
    client.clear_payload(three, points_selector=[1])
    client.clear_payload(three, points_selector=models.FilterSelector(filter=BY_TWO))
    assert payloads(client, three) == [{}, {}, FIRST]


SCHEMAS = [("k", "keyword"), ("n", "integer"), ("f", "float"), ("b", "bool")]


@pytest.mark.parametrize("field, kind", SCHEMAS)
def test_index_is_echoed_and_goes(client, rest, three, field, kind):
    client.upsert(three, [models.PointStruct(id=10 + i, vector=[1.0, 1.0], payload={"k": "x", "n": 1, "f": 0.5, "b": True})
                          for i in range(5)])
    assert str(client.create_payload_index(three, field, field_schema=kind).status) == "completed"
    schema = rest("GET", f"/collections/{three}").result["payload_schema"]
    assert schema[field]["data_type"] == kind and schema[field]["points"] == 5
    assert str(client.get_collection(three).payload_schema[field].data_type) == kind
    assert str(client.create_payload_index(three, field, field_schema=kind).status) == "completed", "the same again does nothing"
    client.upsert(three, [models.PointStruct(id=20, vector=[1.0, 1.0], payload={"k": ["y", "z"], "n": [1, 2], "f": [1.5], "b": False})])
    client.delete(three, [10, 11])
    assert rest("GET", f"/collections/{three}").result["payload_schema"][field]["points"] == 4
    client.delete_payload_index(three, field)
    assert rest("GET", f"/collections/{three}").result["payload_schema"] == {}


@pytest.mark.parametrize("schema", [{"type": "keyword", "is_tenant": True}, {"type": "integer", "lookup": True, "range": False},
                                    {"type": "float", "is_principal": True}, {"type": "bool"}])
def test_index_params_in_object_form_are_echoed(rest, client, three, schema):
    r = rest("PUT", f"/collections/{three}/index?wait=true", {"field_name": "z", "field_schema": schema})
    assert r.result["status"] == "completed"
    got = rest("GET", f"/collections/{three}").result["payload_schema"]["z"]
    assert got["data_type"] == schema["type"] and got["points"] == 0
    assert schema.items() <= got["params"].items()
    client.get_collection(three)


def test_field_type_is_another_name_for_field_schema(rest, three):
    assert rest("PUT", f"/collections/{three}/index?wait=true", {"field_name": "z", "field_type": "keyword"}).status == 200
    assert rest("GET", f"/collections/{three}").result["payload_schema"]["z"]["data_type"] == "keyword"


def test_index_errors(rest, three):
    path = f"/collections/{three}/index?wait=true"
    r = rest("PUT", path, {"field_name": "z"})
    assert r.status == 400 and "Can't auto-detect field type, please specify `field_schema` in the request" in r.error
    r = rest("PUT", path, {"field_name": "z", "field_schema": {"type": "integer", "lookup": False, "range": False}})
    assert r.status in (400, 422) and "the 'lookup' and 'range' capabilities can't be both disabled" in r.error
    assert rest("PUT", path, {"field_name": "z", "field_schema": "no_such_type"}).status == 400
    assert rest("GET", f"/collections/{three}").result["payload_schema"] == {}


def test_index_of_a_nested_key_and_of_array_elements(client, three):
    for key, kind in (("b.c", "integer"), ("list[].x", "integer")):
        client.create_payload_index(three, key, field_schema=kind)
        for value, expected in ((2, [1, 2, 3]), (77, [])):
            f = models.Filter(must=[models.FieldCondition(key=key, match=models.MatchValue(value=value))])
            assert [p.id for p in client.scroll(three, scroll_filter=f)[0]] == expected
