"""All requests in flight together, over both ports, have a bound: service.max_in_flight_mb."""
import socket

import pytest
from conftest import connect
from octant_server import Server, memory
from qdrant_client import grpc as q
from rest import Rest
from test_grpc_transport import COUNT, NAME, prefixed, raw

MB = 1 << 20
ASKED = f"/collections/{NAME}/points/count"


@pytest.fixture
def server():
    with Server(env={"QDRANT__SERVICE__MAX_IN_FLIGHT_MB": "8"}) as s:
        connect(s).create_collection(NAME, vectors_config={"size": 4, "distance": "Dot"})
        yield s
        assert s.alive()
        assert s.stop() == 0


def message(size):
    """A count with so many bytes that mean nothing, in a field that nobody knows."""
    assert size >= 1 << 21
    length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80, size >> 21])
    return q.CountPoints(collection_name=NAME).SerializeToString() + b"\xa2\x06" + length + bytes(size)


def padded(size):
    return b" " * size + b"{}"


def half_sent(server, size):
    """A REST request of which so many bytes are sent, and one is missing."""
    s = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    s.sendall(f"POST {ASKED} HTTP/1.1\r\nhost: x\r\ncontent-length: {size + 1}\r\n\r\n".encode() + b" " * size)
    return s


def until(rest, body, status):
    """Asks again and again until the server has taken in, or noticed, what others did."""
    while (r := rest("POST", ASKED, body)).status != status:
        assert r.status in (200, 429)
    return r


def check_refused(r, stream):
    code, text, _ = r.answer(stream)
    assert code == 8 and "in flight" in text
    assert r.answers[stream]["headers"]["retry-after"] == "1"


def grpc_count(r, size):
    stream = r.begin(COUNT)
    r.send(stream, prefixed(message(size)))
    return stream


def test_what_rest_holds_is_missing_on_both_ports_until_it_goes(server):
    rest = Rest(server.url)
    held = half_sent(server, 5 * MB)
    refused = until(rest, padded(4 * MB), 429)
    assert refused.headers["retry-after"] == "1"
    assert "in flight" in refused.error and str(8 * MB) in refused.error
    with raw(server) as r:
        check_refused(r, grpc_count(r, 4 * MB))
        assert r.answer(grpc_count(r, 2 * MB))[0] == 0, "there is room for less"
    assert rest("POST", ASKED, padded(2 * MB)).status == 200
    held.sendall(b" ")
    assert held.recv(1000).startswith(b"HTTP/1.1 400"), "the one that has room is answered"
    assert rest("POST", ASKED, padded(7 * MB)).status == 200
    held.close()


def test_what_grpc_holds_is_missing_on_both_ports_until_it_goes(server):
    rest = Rest(server.url)
    with raw(server) as r, raw(server) as other:
        stream = r.begin(COUNT)
        r.send(stream, prefixed(message(5 * MB))[:-1], end=False)
        until(rest, padded(4 * MB), 429)
        check_refused(other, grpc_count(other, 4 * MB))
        r.h2.reset_stream(stream, 8)
        r.flush()
        until(rest, padded(7 * MB), 200)
        stream = r.begin(COUNT)
        r.send(stream, prefixed(message(5 * MB))[:-1], end=False)
        until(rest, padded(4 * MB), 429)
    # A connection that breaks gives back what it had.
    until(rest, padded(7 * MB), 200)


def test_nothing_is_lost_of_the_budget(server):
    rest = Rest(server.url)
    with raw(server) as r:
        for round in range(5):
            assert rest("POST", ASKED, padded(7 * MB)).status == 200
            assert rest("POST", ASKED, padded(7 * MB) + b"x").status == 400
            assert rest("POST", ASKED, padded(9 * MB)).status == 429
            assert r.answer(grpc_count(r, 7 * MB))[0] == 0
            check_refused(r, grpc_count(r, 9 * MB))


def test_many_large_bodies_at_once_do_not_fill_the_memory(server):
    before = memory(server.pid)["RssAnon"]
    sockets = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(20)]
    for s in sockets:
        s.sendall(f"POST {ASKED} HTTP/1.1\r\nhost: x\r\ncontent-length: {20 * MB}\r\n\r\n".encode())
    for _ in range(19):
        for s in sockets:
            s.sendall(b" " * MB)
    assert memory(server.pid)["RssAnon"] - before < 100
    for s in sockets:
        s.sendall(b" " * MB)
        assert s.recv(1000).startswith(b"HTTP/1.1 429")
        s.close()
    assert Rest(server.url)("POST", ASKED, padded(7 * MB)).status == 200
