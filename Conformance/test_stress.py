"""Bad input, many clients: a clear error or a clean close, no crash, nothing half-applied."""
import contextlib
import json
import os
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import connect
from octant_server import Server
from qdrant_client import models
from rest import Rest


HUNDRED = [{"id": i, "payload": {"n": i}, "vector": [1.0, 2.0, 3.0, float(i)]} for i in range(100)]


def put_back(rest):
    """The hundred points and no other."""
    rest("POST", "/collections/c/points/delete?wait=true", {"filter": {"must_not": [{"has_id": list(range(100))}]}})
    return rest("PUT", "/collections/c/points?wait=true", {"points": HUNDRED}).result


@pytest.fixture(scope="module")
def stressed():
    with Server() as server:
        connect(server).create_collection("c", vectors_config=models.VectorParams(size=4, distance="Dot"))
        put_back(Rest(server.url))
        yield server


@pytest.fixture
def rest(stressed):
    """Every test here ends with the server alive and the hundred points as they were."""
    r = Rest(stressed.url)
    yield r
    assert stressed.alive(), "the server is gone"
    r.close()
    assert r("GET", "/readyz").status == 200
    points = r("POST", "/collections/c/points/scroll", {"limit": 1000, "with_vector": True}).result["points"]
    if points != HUNDRED:
        put_back(r)
        changed = [p for p in points if p not in HUNDRED]
        raise AssertionError(f"{len(points)} points instead of 100; changed: {str(changed)[:500]}")
    r.close()


def refused(r):
    assert 400 <= r.status < 500, f"{r.status}: {r.body[:200]!r}"
    assert r.error
    return True


def point(vector="[1,2,3,4]", payload="{}", id="1000"):
    return f'{{"points":[{{"id":{id},"vector":{vector},"payload":{payload}}}]}}'.encode()


# ---- hostile bodies

@pytest.mark.parametrize("depth", [200, 5_000, 100_000, 1_000_000])
def test_deep_json(rest, depth):
    arrays, objects = "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth
    conditions = '{"must":[' * depth + "]}" * depth
    for method, path, body in (
            ("PUT", "points?wait=true", arrays.encode()), ("PUT", "points?wait=true", b"[" * depth), ("POST", "points/scroll", objects.encode()),
            ("POST", "points/scroll", f'{{"filter":{conditions}}}'.encode()), ("PUT", "points?wait=true", point(payload=f'{{"a":{arrays}}}')),
            ("PUT", "points?wait=true", point(payload=objects)), ("PUT", "points?wait=true", point(vector=arrays))):
        r = rest(method, f"/collections/c/{path}", body)
        assert r.status == 200 or refused(r)
        if depth >= 100_000:
            assert r.status != 200, "such depth is no honest request"
    rest("POST", "/collections/c/points/delete?wait=true", {"points": [1000]})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e39", "3.5e38", "nan", "0x10", "1.", ".5", "+1", "1e", "--1"])
def test_numbers_that_are_none_or_do_not_fit(rest, number):
    assert refused(rest("PUT", "/collections/c/points?wait=true", point(vector=f"[1,2,3,{number}]")))
    assert refused(rest("POST", "/collections/c/points/query", f'{{"query":[1,2,3,{number}]}}'.encode()))
    if number not in ("1e39", "3.5e38"):
        assert refused(rest("PUT", "/collections/c/points?wait=true", point(payload=f'{{"a":{number}}}')))


@pytest.mark.parametrize("number", ["123456789012345678901234567890", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1e-400",
                                    "0." + "1" * 5000, "1" * 5000, "-0", "1E+2"])
def test_numbers_at_the_edge_are_taken_or_refused(rest, number):
    for body in (point(payload=f'{{"a":{number}}}'), point(vector=f"[1,2,3,{number}]")):
        r = rest("PUT", "/collections/c/points?wait=true", body)
        assert r.status == 200 or refused(r)
        rest("POST", "/collections/c/points/delete?wait=true", {"points": [1000]})


@pytest.mark.parametrize("limit", [10**6, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30])
def test_huge_limits_and_offsets(rest, limit):
    for path, body in (("scroll", {"limit": limit}), ("query", {"query": [1, 2, 3, 4], "limit": limit}), ("query", {"limit": limit}),
                       ("query", {"query": [1, 2, 3, 4], "offset": limit}), ("query", {"query": [1, 2, 3, 4], "limit": limit, "offset": limit}),
                       ("query", {"query": [1, 2, 3, 4], "params": {"hnsw_ef": limit}}), ("search", {"vector": [1, 2, 3, 4], "limit": limit}),
                       ("query", {"query": [1, 2, 3, 4], "params": {"quantization": {"oversampling": float(limit)}}})):
        r = rest("POST", f"/collections/c/points/{path}", body)
        assert r.status == 200 or refused(r)
        if r.status == 200 and path == "scroll":
            assert len(r.result["points"]) == 100


def test_huge_collection_settings(rest):
    for body in ({"vectors": {"size": 4, "distance": "Dot"}, "hnsw_config": {"m": 2**40}},
                 {"vectors": {"size": 4, "distance": "Dot"}, "hnsw_config": {"ef_construct": 2**62}},
                 {"vectors": {"size": 4, "distance": "Dot"}, "optimizers_config": {"default_segment_number": 2**62, "max_segment_size": 2**63}},
                 {"vectors": {"size": 4, "distance": "Dot"}, "wal_config": {"wal_capacity_mb": 2**62}},
                 {"vectors": {"size": 4, "distance": "Dot"}, "optimizers_config": {"indexing_threshold": 2**63 - 1, "flush_interval_sec": 2**63}}):
        r = rest("PUT", "/collections/huge", body)
        if r.status == 200:
            assert rest("PUT", "/collections/huge/points?wait=true", {"points": [{"id": 1, "vector": [1, 2, 3, 4]}]}).status in (200, 507)
            assert rest("DELETE", "/collections/huge").result is True
        else:
            assert refused(r)


def test_long_strings_and_many_items(rest):
    long = "k" * 1_000_000
    assert rest("POST", "/collections/c/points/count", {"filter": {"must": [{"key": long, "match": {"value": 1}}]}}).status in (200, 400, 422)
    assert rest("POST", "/collections/c/points/count", {"filter": {"must": [{"has_id": list(range(200_000))}]}}).result["count"] == 100
    many = {"should": [{"key": "n", "match": {"value": i}} for i in range(50_000)]}
    assert rest("POST", "/collections/c/points/count", {"filter": many}).status in (200, 400, 422)
    assert rest("GET", "/collections/" + "x" * 100_000).status in (400, 404, 414, 422, 431)
    body = {"points": [{"id": 1000, "vector": [1, 2, 3, 4], "payload": {"text": "x" * 5_000_000, long: 1}}]}
    assert rest("PUT", "/collections/c/points?wait=true", body).status == 200
    got = rest("GET", "/collections/c/points/1000").result["payload"]
    assert len(got["text"]) == 5_000_000 and got[long] == 1
    rest("POST", "/collections/c/points/delete?wait=true", {"points": [1000]})


def test_mutated_bodies(rest, seed):
    rnd = random.Random(seed)
    bodies = [("PUT", "points?wait=true", {"points": [{"id": 5000, "vector": [1.5, -2, 3e3, 4], "payload": {"a": [1, "x", None, True]}}]}),
              ("POST", "points/query", {"query": [1, 2, 3, 4], "filter": {"must": [{"key": "n", "range": {"gte": 3}}]}, "limit": 5}),
              ("POST", "points/scroll", {"filter": {"should": [{"has_id": [1, 2]}, {"is_empty": {"key": "a.b[]"}}]}, "with_payload": ["n"]}),
              ("POST", "points/batch?wait=true", {"operations": [{"set_payload": {"payload": {"q": 1}, "points": [5000]}}]})]
    for _ in range(600):
        method, path, body = rnd.choice(bodies)
        raw = bytearray(json.dumps(body).encode())
        for _ in range(rnd.choice([1, 1, 2, 5])):
            if not raw:
                break
            at, what = rnd.randrange(len(raw)), rnd.random()
            if what < 0.4:
                raw[at] = rnd.randrange(256)
            elif what < 0.6:
                del raw[at:at + rnd.randint(1, 5)]
            elif what < 0.8:
                raw[at:at] = rnd.choice([b'"', b"{", b"]", b",", b"9" * 20, b"\\u12", b"null", b"-", b"\xc3", b"1e9"])
            else:
                raw = raw[:at] or bytearray(b" ")
        r = rest(method, f"/collections/c/{path}", bytes(raw))
        assert r.status < 500, f"{r.status} for {bytes(raw)!r}: {r.body[:200]!r}"
        # A mutation may have changed the id: put the hundred back as they were.
        if r.status == 200 and not path.startswith(("points/query", "points/scroll")):
            put_back(rest)


# ---- the wire itself

def dial(server, timeout=30):
    return socket.create_connection(("127.0.0.1", server.port), timeout=timeout)


def read_to_end(s, most=1 << 20):
    data = b""
    with contextlib.suppress(OSError):
        while len(data) < most and (part := s.recv(65536)):
            data += part
    return data


def test_body_over_the_cap(rest, stressed):
    for size in ((32 << 20) + 1, 100 << 20):
        with dial(stressed) as s:
            with contextlib.suppress(OSError):  # the server may answer and close before it has read all
                s.sendall(f"PUT /collections/c/points HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n".encode())
                for _ in range(size >> 20):
                    s.sendall(b" " * (1 << 20))
                s.sendall(b" ")
            reply = read_to_end(s)
        head, _, body = reply.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400"), reply[:200]
        envelope = json.loads(body)
        assert envelope["status"]["error"] and envelope["time"] == 0.0


def test_body_just_under_the_cap(rest):
    body = point(payload='{"a":"' + "x" * 1000 + '"}')
    body += b" " * ((32 << 20) - len(body))
    assert rest("PUT", "/collections/c/points?wait=true", body).status == 200
    rest("POST", "/collections/c/points/delete?wait=true", {"points": [1000]})


def test_chunked_body(rest, stressed):
    body = json.dumps({"limit": 3}).encode()
    with dial(stressed) as s:
        s.sendall(b"POST /collections/c/points/scroll HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(0, len(body), 3):
            s.sendall(b"%x\r\n%s\r\n" % (len(body[i:i + 3]), body[i:i + 3]))
        s.sendall(b"0\r\n\r\n")
        assert read_to_end(s).startswith(b"HTTP/1.1 200")


def test_client_that_leaves_in_the_middle(rest, stressed, seed):
    rnd = random.Random(seed)
    body = json.dumps({"points": [{"id": 2000 + i, "vector": [1, 2, 3, 4]} for i in range(200)]}).encode()
    for i in range(60):
        s = dial(stressed)
        head = f"PUT /collections/c/points?wait=true HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        s.sendall((head + body)[:rnd.randrange(1, len(head) + len(body) - 1)])
        if i % 2:  # a reset instead of an orderly end
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()
    for _ in range(30):  # leaves before the answer
        s = dial(stressed)
        s.sendall(b"POST /collections/c/points/scroll HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n{\"limit\": 1000}")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nX: " + b"y" * 500_000 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                                  b"POST /collections/c/points/scroll HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}",
                                  b"POST /collections/c/points/scroll HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
                                  b"POST /collections/c/points/scroll HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"],
                         ids=lambda d: repr(d[:30]))
def test_what_is_not_http(rest, stressed, data):
    with dial(stressed) as s:
        with contextlib.suppress(OSError):
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        reply = read_to_end(s)
    assert reply == b"" or reply.startswith(b"HTTP/1.1 4") or data == b"\r\n\r\n"


def test_pipelined_requests_are_answered_in_order(rest, stressed):
    with dial(stressed) as s:
        requests = b"".join(b"GET /collections/c/points/%d HTTP/1.1\r\nHost: x\r\n%s\r\n" % (i, b"Connection: close\r\n" if i == 49 else b"")
                            for i in range(50))
        s.sendall(requests)
        reply = read_to_end(s)
    assert reply.count(b"HTTP/1.1 200") == 50
    places = [reply.replace(b" ", b"").find(b'"id":%d,' % i) for i in range(50)]
    assert -1 not in places and places == sorted(places)


def test_slow_clients_hold_up_no_one(rest, stressed):
    slow = [dial(stressed) for _ in range(100)]
    for s in slow:
        s.sendall(b"POST /collections/c/points/scroll HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    assert rest("POST", "/collections/c/points/scroll", {}).status == 200
    for s in slow:
        s.close()


def test_200_connections_at_once(rest, stressed):
    gate = threading.Barrier(200)

    def work(n):
        r = Rest(stressed.url, timeout=60)
        gate.wait()
        replies = [r("POST", "/collections/c/points/query", {"query": [1, 2, 3, n % 7 + k], "limit": 5}) for k in range(10)]
        r.close()
        return [x.status for x in replies]

    with ThreadPoolExecutor(200) as pool:
        assert all(statuses == [200] * 10 for statuses in pool.map(work, range(200)))


def test_readers_during_writes_see_whole_points(stressed, rest):
    """A point's two parts are written together and must be read together."""
    assert rest("PUT", "/collections/pairs", {"vectors": {"size": 2, "distance": "Dot"}, "optimizers_config": {"indexing_threshold": 1},
                                              "hnsw_config": {"full_scan_threshold": 10}}).status == 200
    halt, errors = threading.Event(), []

    def guarded(work):
        def run():
            r, n = Rest(stressed.url, timeout=60), 0
            try:
                while not halt.is_set():
                    work(r, n)
                    n += 1
            except Exception as e:  # whatever it is, the test must report it
                errors.append(repr(e))
                halt.set()
        return threading.Thread(target=run)

    def write(r, n):
        points = [{"id": i, "vector": [n, -n], "payload": {"n": n}} for i in range(0, 300, 3)]
        assert r("PUT", "/collections/pairs/points?wait=true", {"points": points}).status == 200

    everything = {"limit": 400, "with_vector": True, "with_payload": True}

    def read(r, _):
        for path, body in (("scroll", everything), ("query", {"query": [1, 0], **everything})):
            points = r("POST", f"/collections/pairs/points/{path}", body).result["points"]
            assert len({p["id"] for p in points}) == len(points)
            for p in points:
                assert p["vector"] == [p["payload"]["n"], -p["payload"]["n"]], p

    threads = [guarded(write), guarded(read), guarded(read)]
    for t in threads:
        t.start()
    halt.wait(4)
    halt.set()
    for t in threads:
        t.join(60)
    rest("DELETE", "/collections/pairs")
    assert not errors, errors


# ---- the folder

def test_a_second_process_on_the_same_folder_is_refused(stressed, rest):
    second = Server(folder=stressed.folder)
    try:
        with pytest.raises(RuntimeError):
            second.start(timeout=15)
        assert second.process.returncode not in (0, None, -9, -11), f"it has to end by itself, not {second.process.returncode}"
        log = second.log().lower()
        assert "lock" in log or "another" in log or "in use" in log, log
        assert stressed.storage in second.log() or "storage" in log, "the reason names the folder"
    finally:
        second.close()
