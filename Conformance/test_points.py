"""Writing and reading points."""
import random
import struct
import uuid

import numpy as np
import pytest
from qdrant_client import models


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


@pytest.fixture
def dot(client, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=4, distance="Dot"))
    return name


@pytest.fixture
def named(client, name):
    client.create_collection(name, vectors_config={"a": models.VectorParams(size=2, distance="Dot"),
                                                   "b": models.VectorParams(size=3, distance="Euclid")})
    return name


def put(rest, name, points, **kw):
    query = "?wait=true" if kw.pop("wait", True) else ""
    return rest("PUT", f"/collections/{name}/points{query}", {"points": points, **kw})


def test_upsert_answers_an_operation_and_replaces_the_whole_point(client, rest, dot):
    r = put(rest, dot, [{"id": 1, "vector": [1, 2, 3, 4], "payload": {"a": 1, "b": None}}]).result
    assert r["status"] == "completed" and isinstance(r["operation_id"], int)
    later = put(rest, dot, [{"id": 1, "vector": [4, 3, 2, 1]}]).result
    assert later["operation_id"] > r["operation_id"]
    got = client.retrieve(dot, [1], with_vectors=True)[0]
    assert got.payload == {} and got.vector == [4, 3, 2, 1]


def test_a_null_of_an_upsert_is_kept(client, dot):
    client.upsert(dot, [models.PointStruct(id=1, vector=[1.0] * 4, payload={"a": None, "b": [None], "c": {}})])
    assert client.retrieve(dot, [1])[0].payload == {"a": None, "b": [None], "c": {}}


def test_batch_form(client, rest, dot):
    client.upsert(dot, models.Batch(ids=[1, 2], vectors=[[1.0, 2, 3, 4], [5.0, 6, 7, 8]], payloads=[{"n": 1}, {"n": 2}]))
    assert [(p.id, p.vector, p.payload) for p in client.retrieve(dot, [2, 1], with_vectors=True)] == [
        (2, [5, 6, 7, 8], {"n": 2}), (1, [1, 2, 3, 4], {"n": 1})]
    r = rest("PUT", f"/collections/{dot}/points?wait=true", {"batch": {"ids": [1, 2, 3], "vectors": [[1, 2, 3, 4]]}})
    assert r.status in (400, 422) and client.count(dot).count == 2


def test_batch_form_with_names(client, named):
    client.upsert(named, models.Batch(ids=[1, 2], vectors={"a": [[1.0, 2], [3.0, 4]], "b": [[1.0, 2, 3], [4.0, 5, 6]]}))
    assert client.retrieve(named, [2], with_vectors=True)[0].vector == {"a": [3, 4], "b": [4, 5, 6]}


def test_points_without_some_vectors(client, rest, named, name):
    client.upsert(named, [models.PointStruct(id=1, vector={"a": [1.0, 2]}), models.PointStruct(id=2, vector={})])
    assert client.retrieve(named, [1], with_vectors=True)[0].vector == {"a": [1, 2]}
    got = rest("POST", f"/collections/{named}/points", {"ids": [2], "with_vector": True}).result[0]
    assert got["vector"] == {}


def test_retrieve_keeps_the_order_asked_for_and_skips_what_is_missing(client, dot):
    client.upsert(dot, [models.PointStruct(id=i, vector=[float(i)] * 4) for i in range(20)])
    assert [p.id for p in client.retrieve(dot, [7, 3, 999, 12, 0])] == [7, 3, 12, 0]


def test_shape_of_a_record(rest, dot):
    put(rest, dot, [{"id": 1, "vector": [1, 2, 3, 4]}])
    plain = rest("POST", f"/collections/{dot}/points", {"ids": [1]}).result
    assert plain == [{"id": 1, "payload": {}}], "payload by default, no vector unless asked for"
    with_vector = rest("POST", f"/collections/{dot}/points", {"ids": [1], "with_vector": True, "with_payload": False}).result
    assert with_vector == [{"id": 1, "vector": [1.0, 2.0, 3.0, 4.0]}]


def test_components_and_scores_keep_a_decimal_point(rest, dot):
    put(rest, dot, [{"id": 1, "vector": [1, 0, 0, 0]}])
    body = rest("POST", f"/collections/{dot}/points/query", {"query": [1, 0, 0, 0], "with_vector": True}).body.replace(b" ", b"")
    assert b'"score":1.0' in body and b'"vector":[1.0,0.0,0.0,0.0]' in body


def test_get_one(rest, dot):
    put(rest, dot, [{"id": 5, "vector": [1, 2, 3, 4], "payload": {"x": [1, {"y": 2}]}}])
    assert rest("GET", f"/collections/{dot}/points/5").result == {"id": 5, "payload": {"x": [1, {"y": 2}]},
                                                                "vector": [1.0, 2.0, 3.0, 4.0]}
    r = rest("GET", f"/collections/{dot}/points/6")
    assert r.status == 404 and "Point with id 6 does not exists!" in r.error


def test_ids(client, rest, dot):
    u = uuid.UUID("12345678-90AB-cdef-1234-567890abcdef")
    spelled = [str(u).upper(), u.hex, f"urn:uuid:{u}"]
    for n, text in enumerate(spelled):
        put(rest, dot, [{"id": text, "vector": [n, 0, 0, 0]}])
        assert client.count(dot).count == 1, "one UUID however it is spelled"
    assert rest("GET", f"/collections/{dot}/points/{u.hex}").result["id"] == str(u)
    put(rest, dot, [{"id": 2**64 - 1, "vector": [1, 0, 0, 0]}, {"id": 0, "vector": [1, 0, 0, 0]}])
    assert rest("GET", f"/collections/{dot}/points/{2**64 - 1}").result["id"] == 2**64 - 1
    ids = [p["id"] for p in rest("POST", f"/collections/{dot}/points/scroll", {}).result["points"]]
    assert ids == [0, 2**64 - 1, str(u)], "numbers before UUIDs"


@pytest.mark.parametrize("bad", ["1", "not-a-uuid", -1, 1.5, 2**64, True, None, [], {}])
def test_bad_ids_in_a_body(rest, client, dot, bad):
    r = put(rest, dot, [{"id": bad, "vector": [1, 2, 3, 4]}])
    assert r.status == 400 and r.error.startswith(("Format error in JSON body: ", "Deserialize error in JSON body: "))
    if isinstance(bad, (str, int)) and not isinstance(bad, bool):
        assert "is not a valid point ID, valid values are either an unsigned integer or a UUID" in r.error
    assert client.count(dot).count == 0


def test_a_bad_id_in_the_path(rest, dot):
    r = rest("GET", f"/collections/{dot}/points/abc")
    assert r.status == 400 and 'Can not recognize "abc" as point id' in r.error


def test_64_bit_integers_are_exact(client, rest, dot):
    numbers = [0, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]
    put(rest, dot, [{"id": i, "vector": [1, 2, 3, 4], "payload": {"n": n, "list": [n], "deep": {"n": n}}}
                    for i, n in enumerate(numbers)])
    for i, n in enumerate(numbers):
        assert rest("GET", f"/collections/{dot}/points/{i}").result["payload"] == {"n": n, "list": [n], "deep": {"n": n}}
    for n in (2**53, 2**53 + 1, 2**63 - 1, -(2**63)):
        found = rest("POST", f"/collections/{dot}/points/scroll",
                     {"filter": {"must": [{"key": "n", "match": {"value": n}}]}}).result["points"]
        assert [p["payload"]["n"] for p in found] == [n]


def test_payload_values_come_back_as_they_went(rest, dot):
    payload = {"t": True, "f": False, "int": 5, "float": 5.0, "small": 1e-7, "big": 1e300, "text": "ä\n\"\\ 漢 😀 \u0001", "": "empty key",
               "a.b": 1, "arr": [[1], [], [None], {"x": [True]}], "obj": {"in": {"deep": []}}, "null": None}
    put(rest, dot, [{"id": 1, "vector": [1, 2, 3, 4], "payload": payload}])
    got = rest("GET", f"/collections/{dot}/points/1").result["payload"]
    assert got == payload
    assert {k: type(v) for k, v in got.items()} == {k: type(v) for k, v in payload.items()}, "integers stay integers, floats floats"


def test_floats_are_exact_to_the_nearest_f32(rest, client, dot):
    rnd = random.Random(7)
    texts = ["0.1", "1e-3", "3.4028235e38", "-3.4028235e38", "1.17549435e-38", "1e-45", "7.006e-46", "0.30000001192092896", "16777217",
             "0.1000000014901161193847656250001", "123456789.123456789", "-0.0", "1E5", "4.35", "8388608.5", "8388609.5"]
    texts += [repr(rnd.uniform(-10, 10) * 10 ** rnd.randint(-30, 30)) for _ in range(400)]
    texts += ["%.9g" % rnd.uniform(-1, 1) for _ in range(400)]
    texts = texts[:len(texts) // 4 * 4]
    rows = [texts[i:i + 4] for i in range(0, len(texts), 4)]
    points = ",".join('{"id":%d,"vector":[%s]}' % (i, ",".join(row)) for i, row in enumerate(rows))
    assert rest("PUT", f"/collections/{dot}/points?wait=true", b'{"points":[' + points.encode() + b"]}").status == 200
    got = {p.id: p.vector for p in client.scroll(dot, limit=1000, with_vectors=True)[0]}
    for i, row in enumerate(rows):
        expected = np.array([np.float32(t) for t in row], np.float32)  # numpy rounds the text once, to the nearest
        assert np.array_equal(np.array(got[i], np.float32), expected), (row, got[i], expected)
        assert all(f32(x) == y or y == 0 for x, y in zip(got[i], expected.tolist()))


def test_cosine_vectors_come_back_normalised(client, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=3, distance="Cosine"))
    client.upsert(name, [models.PointStruct(id=1, vector=[3.0, 0, 4]), models.PointStruct(id=2, vector=[0.0, 0, 0])])
    one, two = client.retrieve(name, [1, 2], with_vectors=True)
    assert one.vector == pytest.approx([0.6, 0, 0.8], abs=1e-6) and two.vector == [0, 0, 0]


def test_delete_by_ids_and_by_filter(client, dot):
    client.upsert(dot, [models.PointStruct(id=i, vector=[1.0] * 4, payload={"even": i % 2 == 0}) for i in range(10)])
    client.delete(dot, [1, 3, 777])
    assert client.count(dot).count == 8
    condition = models.FieldCondition(key="even", match=models.MatchValue(value=True))
    client.delete(dot, models.FilterSelector(filter=models.Filter(must=[condition])))
    assert [p.id for p in client.scroll(dot)[0]] == [5, 7, 9]
    client.upsert(dot, [models.PointStruct(id=1, vector=[2.0] * 4)])
    assert client.retrieve(dot, [1])[0].payload == {}, "a point that comes again starts afresh"


def test_update_vectors(client, rest, named):
    client.upsert(named, [models.PointStruct(id=1, vector={"a": [1.0, 2], "b": [1.0, 2, 3]}, payload={"k": 1})])
    client.update_vectors(named, [models.PointVectors(id=1, vector={"b": [9.0, 9, 9]})])
    got = client.retrieve(named, [1], with_vectors=True)[0]
    assert got.vector == {"a": [1, 2], "b": [9, 9, 9]} and got.payload == {"k": 1}
    r = rest("PUT", f"/collections/{named}/points/vectors?wait=true", {"points": [{"id": 5, "vector": {"a": [1, 2]}}]})
    assert r.status == 404 and r.error == "Not found: No point with id 5 found"
    assert client.count(named).count == 1


def test_delete_vectors(client, named):
    client.upsert(named, [models.PointStruct(id=i, vector={"a": [1.0, 2], "b": [1.0, 2, 3]}, payload={"i": i}) for i in range(4)])
    client.delete_vectors(named, vectors=["a"], points=[0, 1])
    only_two = models.Filter(must=[models.FieldCondition(key="i", match=models.MatchValue(value=2))])
    client.delete_vectors(named, vectors=["a", "b"], points=only_two)
    assert [p.vector for p in client.retrieve(named, [0, 1, 2, 3], with_vectors=True)] == [
        {"b": [1, 2, 3]}, {"b": [1, 2, 3]}, {}, {"a": [1, 2], "b": [1, 2, 3]}]
    assert [p.id for p in client.query_points(named, [1.0, 2], using="a").points] == [3]
    assert client.count(named).count == 4, "a point without vectors is still a point"


def test_batch_of_operations_runs_in_order(client, rest, dot):
    ops = [
        {"upsert": {"points": [{"id": i, "vector": [i, 1, 1, 1], "payload": {"n": i, "x": {"y": 1}}} for i in range(1, 7)]}},
        {"set_payload": {"payload": {"tag": "a"}, "points": [1, 2]}},
        {"overwrite_payload": {"payload": {"only": True}, "points": [2]}},
        {"delete_payload": {"keys": ["x.y"], "points": [1, 3]}},
        {"clear_payload": {"points": [4]}},
        {"update_vectors": {"points": [{"id": 5, "vector": [9, 9, 9, 9]}]}},
        {"delete": {"points": [6]}},
        {"delete_vectors": {"points": [3], "vector": [""]}},
    ]
    r = rest("POST", f"/collections/{dot}/points/batch?wait=true", {"operations": ops}).result
    assert [x["status"] for x in r] == ["completed"] * len(ops)
    assert [x["operation_id"] for x in r] == sorted(x["operation_id"] for x in r)
    got = {p.id: (p.payload, p.vector) for p in client.retrieve(dot, range(1, 7), with_vectors=True)}
    assert got == {1: ({"n": 1, "x": {}, "tag": "a"}, [1, 1, 1, 1]), 2: ({"only": True}, [2, 1, 1, 1]),
                   3: ({"n": 3, "x": {}}, {}), 4: ({}, [4, 1, 1, 1]), 5: ({"n": 5, "x": {"y": 1}}, [9, 9, 9, 9])}
    assert rest("POST", f"/collections/{dot}/points/batch?wait=true", {"operations": []}).result == []


def test_without_wait_the_write_is_acknowledged_and_comes(client, rest, dot):
    r = put(rest, dot, [{"id": i, "vector": [1, 2, 3, 4]} for i in range(10)], wait=False).result
    assert r["status"] == "acknowledged" and isinstance(r["operation_id"], int)
    put(rest, dot, [{"id": 100, "vector": [1, 2, 3, 4]}])
    assert client.count(dot).count == 11, "a later write that waited shows the earlier ones too"
    for path, body in (("points/delete", {"points": [1]}), ("points/payload", {"payload": {"a": 1}, "points": [2]})):
        assert rest("POST", f"/collections/{dot}/{path}", body).result["status"] == "acknowledged"
    assert put(rest, dot, [{"id": 1, "vector": [1, 2, 3]}], wait=False).status == 400, "dimensions are checked before the log"


@pytest.mark.parametrize("ordering", ["weak", "medium", "strong"])
def test_ordering_is_accepted(rest, dot, ordering):
    r = rest("PUT", f"/collections/{dot}/points?wait=true&ordering={ordering}", {"points": [{"id": 1, "vector": [1, 2, 3, 4]}]})
    assert r.result["status"] == "completed"


def test_scroll_pages(client, rest, dot):
    ids = [3, 1, 4, 15, 9, 26, 5, 35, 8]
    client.upsert(dot, [models.PointStruct(id=i, vector=[1.0] * 4, payload={"odd": i % 2 == 1}) for i in ids])
    seen, offset, pages = [], None, 0
    while True:
        points, offset = client.scroll(dot, limit=4, offset=offset)
        seen += [p.id for p in points]
        pages += 1
        if offset is None:
            break
    assert seen == sorted(ids) and pages == 3
    page = rest("POST", f"/collections/{dot}/points/scroll", {"limit": 3, "offset": 4}).result
    assert [p["id"] for p in page["points"]] == [4, 5, 8] and page["next_page_offset"] == 9, "the offset is inclusive"
    last = rest("POST", f"/collections/{dot}/points/scroll", {"limit": 9}).result
    assert "next_page_offset" in last and last["next_page_offset"] is None
    odd = models.Filter(must=[models.FieldCondition(key="odd", match=models.MatchValue(value=True))])
    points, offset = client.scroll(dot, scroll_filter=odd, limit=3)
    assert [p.id for p in points] == [1, 3, 5] and offset == 9
    assert [p.id for p in client.scroll(dot, limit=100, offset=27)[0]] == [35]


def test_count(client, rest, dot):
    client.upsert(dot, [models.PointStruct(id=i, vector=[1.0] * 4, payload={"n": i}) for i in range(30)])
    assert rest("POST", f"/collections/{dot}/points/count", {}).result == {"count": 30}
    low = models.Filter(must=[models.FieldCondition(key="n", range=models.Range(lt=10))])
    assert client.count(dot, count_filter=low).count == 10
    assert 0 <= client.count(dot, count_filter=low, exact=False).count <= 30
    assert client.get_collection(dot).points_count == 30


def test_payload_selectors(client, dot):
    payload = {"a": {"x": 1, "y": 2}, "b": [{"x": 1, "y": 2}, {"x": 3}], "c": "text"}
    client.upsert(dot, [models.PointStruct(id=1, vector=[1.0] * 4, payload=payload)])
    pick = lambda w: client.retrieve(dot, [1], with_payload=w)[0].payload
    assert pick(True) == payload and pick(False) is None
    assert pick(["c"]) == {"c": "text"} and pick([]) == {}
    assert pick(["a.x", "b[].x"]) == {"a": {"x": 1}, "b": [{"x": 1}, {"x": 3}]}
    assert pick(models.PayloadSelectorInclude(include=["a", "zzz"])) == {"a": payload["a"]}
    assert pick(models.PayloadSelectorExclude(exclude=["a.x", "b"])) == {"a": {"y": 2}, "c": "text"}


def test_vector_selectors(client, named):
    client.upsert(named, [models.PointStruct(id=1, vector={"a": [1.0, 2], "b": [1.0, 2, 3]})])
    assert client.retrieve(named, [1], with_vectors=["b"])[0].vector == {"b": [1, 2, 3]}
    assert client.retrieve(named, [1], with_vectors=False)[0].vector is None


def versions(client, name):
    return {p.id: p.payload["v"] for p in client.scroll(name, limit=100)[0]}


def at(i, v):
    return models.PointStruct(id=i, vector=[float(v)] * 4, payload={"v": v})


OLDER_THAN_5 = models.Filter(must=[models.FieldCondition(key="v", range=models.Range(lt=5))])


def test_update_modes(client, dot):
    client.upsert(dot, [at(1, 1)], update_mode=models.UpdateMode.UPDATE_ONLY)
    assert versions(client, dot) == {}
    client.upsert(dot, [at(1, 1), at(2, 1)], update_mode=models.UpdateMode.INSERT_ONLY)
    client.upsert(dot, models.Batch(ids=[2, 3], vectors=[[2.0] * 4] * 2, payloads=[{"v": 2}] * 2),
                  update_mode=models.UpdateMode.INSERT_ONLY)
    assert versions(client, dot) == {1: 1, 2: 1, 3: 2}
    r = client.upsert(dot, [at(3, 3), at(4, 3)], update_mode=models.UpdateMode.UPDATE_ONLY)
    assert r.status == "completed" and versions(client, dot) == {1: 1, 2: 1, 3: 3}
    client.upsert(dot, [at(4, 4)], update_mode=models.UpdateMode.UPSERT)
    assert versions(client, dot) == {1: 1, 2: 1, 3: 3, 4: 4}


def test_update_filter(client, dot):
    client.upsert(dot, [at(1, 1), at(2, 7)])
    client.upsert(dot, [at(1, 9), at(2, 9), at(3, 9)], update_filter=OLDER_THAN_5)
    assert versions(client, dot) == {1: 9, 2: 7, 3: 9}, "new ones are made whatever the filter says"
    client.upsert(dot, [at(4, 1)])
    client.upsert(dot, [at(2, 1), at(4, 2), at(5, 2)], update_filter=OLDER_THAN_5, update_mode=models.UpdateMode.UPDATE_ONLY)
    assert versions(client, dot) == {1: 9, 2: 7, 3: 9, 4: 2}
    client.update_vectors(dot, [models.PointVectors(id=i, vector=[5.0] * 4) for i in (2, 4)], update_filter=OLDER_THAN_5)
    assert [p.vector for p in client.retrieve(dot, [2, 4], with_vectors=True)] == [[7.0] * 4, [5.0] * 4]


def test_conditions_in_a_batch_see_the_writes_before_them(client, rest, dot):
    ops = [{"upsert": {"points": [{"id": 1, "vector": [1] * 4, "payload": {"v": 1}}]}},
           {"upsert": {"points": [{"id": i, "vector": [1] * 4, "payload": {"v": 2}} for i in (1, 2)], "update_mode": "insert_only"}},
           {"set_payload": {"payload": {"v": 8}, "points": [1]}},
           {"upsert": {"points": [{"id": i, "vector": [1] * 4, "payload": {"v": 3}} for i in (1, 2)],
                       "update_filter": OLDER_THAN_5.model_dump(exclude_none=True)}}]
    assert len(rest("POST", f"/collections/{dot}/points/batch?wait=true", {"operations": ops}).result) == 4
    assert versions(client, dot) == {1: 8, 2: 3}


def test_a_condition_that_cannot_be_read_is_refused(rest, dot):
    for extra in ({"update_mode": "sometimes"}, {"update_mode": 1}, {"update_filter": {"must": [{"key": 1}]}}):
        r = put(rest, dot, [{"id": 1, "vector": [1, 2, 3, 4]}], **extra)
        assert r.status == 400 and r.error.startswith("Format error in JSON body: "), r.body
    assert rest("POST", f"/collections/{dot}/points/count", {}).result == {"count": 0}


def test_a_batch_is_checked_before_its_first_operation_is_made(rest, client, dot):
    good = {"upsert": {"points": [{"id": 1, "vector": [1, 2, 3, 4]}]}}
    for bad, status in (({"upsert": {"points": [{"id": 2, "vector": [1, 2]}]}}, 400), ({"delete_vectors": {"points": [1], "vector": ["x"]}}, 400),
                        ({"update_vectors": {"points": [{"id": 1, "vector": {"x": [1]}}]}}, 400), ({"nonsense": {}}, 400)):
        for wait in ("true", "false"):
            r = rest("POST", f"/collections/{dot}/points/batch?wait={wait}", {"operations": [good, bad]})
            assert r.status == status, r.body
    assert client.count(dot).count == 0


def test_timeout_of_a_write(rest, dot):
    body = {"points": [{"id": 1, "vector": [1, 2, 3, 4]}]}
    assert rest("PUT", f"/collections/{dot}/points?wait=true&timeout=60", body).result["status"] == "completed"
    assert rest("PUT", f"/collections/{dot}/points?timeout=1", body).result["status"] == "acknowledged"
    r = rest("PUT", f"/collections/{dot}/points?wait=true&timeout=0", body)
    assert r.status == 422 and r.error == "Validation error in query parameters: [timeout: value 0 invalid, must be 1 or larger]"
    r = rest("PUT", f"/collections/{dot}/points?wait=true&ordering=never", body)
    assert r.status == 400 and "`never`" in r.error


def test_update_queue(rest, dot):
    put(rest, dot, [{"id": 1, "vector": [1, 2, 3, 4]}])
    assert rest("GET", f"/collections/{dot}").result["update_queue"] == {"length": 0}
