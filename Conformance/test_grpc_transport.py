"""gRPC below the official client: frames, compression, limits, deadlines, cancellation, keys, health, reflection."""
import contextlib
import gzip
import socket
import struct
import threading
import time

import grpc
import h2.config
import h2.connection
import h2.events
import pytest
from conftest import connect
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2
from octant_server import Server, memory
from qdrant_client import grpc as q

NAME = "wire"
UPSERT, QUERY, COUNT = "/qdrant.Points/Upsert", "/qdrant.Points/Query", "/qdrant.Points/Count"
HEALTH = "/grpc.health.v1.Health/Check"


@pytest.fixture(scope="module")
def server():
    with Server(env={"QDRANT__SERVICE__MAX_GRPC_MESSAGE_SIZE_MB": "80"}) as s:
        connect(s).create_collection(NAME, vectors_config={"size": 4, "distance": "Dot"})
        yield s
        assert s.alive()
        assert s.stop() == 0


def prefixed(message, compressed=False):
    return struct.pack(">BI", int(compressed), len(message)) + message


def upsert(ids, dim=4, wait=True):
    points = [q.PointStruct(id=q.PointId(num=i), vectors=q.Vectors(vector=q.Vector(dense=q.DenseVector(data=[float(i % 7)] * dim)))) for i in ids]
    return q.UpsertPoints(collection_name=NAME, wait=wait, points=points).SerializeToString()


class Raw:
    """One HTTP/2 connection of our own making."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.grpc_port), timeout=60)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.flush()
        self.answers = {}  # by stream: (headers, data, how it ended)
        self.closed = False

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def begin(self, path, extra=(), end=False, method="POST", content_type="application/grpc"):
        stream = self.h2.get_next_available_stream_id()
        headers = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "x"), ("te", "trailers")]
        if content_type:
            headers.append(("content-type", content_type))
        self.h2.send_headers(stream, headers + list(extra), end_stream=end)
        self.answers[stream] = {"headers": {}, "data": b"", "ended": None}
        self.flush()
        return stream

    def send(self, stream, data, end=True):
        while data:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(data))
            if room == 0:
                self.read()
                if self.answers[stream]["ended"]:
                    return
                continue
            self.h2.send_data(stream, data[:room])
            data = data[room:]
            self.flush()
        if end and not self.answers[stream]["ended"]:
            self.h2.end_stream(stream)
            self.flush()

    def read(self):
        data = self.socket.recv(1 << 16)
        if not data:
            self.closed = True
            return
        for event in self.h2.receive_data(data):
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                self.answers[event.stream_id]["headers"].update(dict(event.headers))
            elif isinstance(event, h2.events.DataReceived):
                self.answers[event.stream_id]["data"] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.answers[event.stream_id]["ended"] = "end"
            elif isinstance(event, h2.events.StreamReset):
                self.answers[event.stream_id]["ended"] = self.answers[event.stream_id]["ended"] or f"reset {event.error_code}"
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.closed = True
        self.flush()

    def answer(self, stream):
        """(code, message, data) of a stream's end."""
        while not self.answers[stream]["ended"] and not self.closed:
            self.read()
        a = self.answers[stream]
        code = a["headers"].get("grpc-status")
        return (None if code is None else int(code)), a["headers"].get("grpc-message", ""), a["data"]

    def call(self, path, body, extra=(), **kw):
        stream = self.begin(path, extra, **kw)
        self.send(stream, body)
        return self.answer(stream)

    def close(self):
        self.socket.close()


@contextlib.contextmanager
def raw(server):
    r = Raw(server)
    try:
        yield r
    finally:
        r.close()


def count(server):
    return connect(server).count(NAME).count


def test_a_call_and_its_answer(server):
    with raw(server) as r:
        code, _, data = r.call(UPSERT, prefixed(upsert(range(3))))
        assert code == 0 and data[0] == 0
        answer = q.PointsOperationResponse.FromString(data[5:])
        assert answer.result.status == q.UpdateStatus.Completed and answer.time > 0
        # The same in pieces of three bytes.
        stream = r.begin(COUNT)
        body = prefixed(q.CountPoints(collection_name=NAME, exact=True).SerializeToString())
        for at in range(0, len(body), 3):
            r.send(stream, body[at:at + 3], end=at + 3 >= len(body))
        code, _, data = r.answer(stream)
        assert code == 0 and q.CountResponse.FromString(data[5:]).result.count == 3


@pytest.mark.parametrize("name, path, extra, body, code", [
    ("unknown method", "/qdrant.Points/Nothing", (), prefixed(b""), 12), ("unknown service", "/x.Y/Z", (), prefixed(b""), 12),
    ("no method", "/", (), prefixed(b""), 12), ("health watch", "/grpc.health.v1.Health/Watch", (), prefixed(b""), 12),
    ("no message", COUNT, (), b"", 13), ("half a prefix", COUNT, (), b"\0\0\0", 13), ("truncated message", COUNT, (), b"\0\0\0\0\x09abc", 13),
    ("two messages", COUNT, (), prefixed(b"") * 2, 13), ("strange flag", COUNT, (), b"\x07\0\0\0\0", 13),
    ("no protobuf", COUNT, (), prefixed(b"\xff\xff\xff\xff"), 3), ("compressed without an encoding", COUNT, (), prefixed(b"x", True), 13),
    ("unknown encoding", COUNT, (("grpc-encoding", "snappy"),), prefixed(b""), 12),
    ("no gzip data", COUNT, (("grpc-encoding", "gzip"),), prefixed(b"nonsense", True), 13),
    ("a timeout that is none", COUNT, (("grpc-timeout", "soon"),), prefixed(b""), 3),
    ("a message above the limit", COUNT, (), struct.pack(">BI", 0, 81 << 20) + b"x" * 1000, 8),
    ("a message of four gigabytes", COUNT, (), struct.pack(">BI", 0, 0xFFFFFFFF) + b"x" * 1000, 8),
    ("snapshots", "/qdrant.Snapshots/List", (), prefixed(b""), 3), ("shard keys", "/qdrant.Collections/CreateShardKey", (), prefixed(b""), 12),
    ("deep nesting", QUERY, (), prefixed(b"\x1a\x80\x01" * 500), 3),
])
def test_what_is_wrong_has_a_status(server, name, path, extra, body, code):
    with raw(server) as r:
        got, message, _ = r.call(path, body, extra)
        assert got == code, (got, message)
        assert message
        assert r.call(HEALTH, prefixed(b""))[0] == 0, "the connection goes on"


def test_what_is_not_grpc(server):
    with raw(server) as r:
        for kw in ({"method": "GET"}, {"content_type": "application/json"}, {"content_type": None}):
            stream = r.begin(COUNT, **kw)
            r.answer(stream)
            assert r.answers[stream]["headers"][":status"] == "415"
    for garbage in (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"\0" * 100, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 200):
        with socket.create_connection(("127.0.0.1", server.grpc_port), timeout=60) as s:
            s.sendall(garbage)
            with contextlib.suppress(ConnectionResetError):
                while s.recv(4096):
                    pass  # until the server closes
    assert server.alive()


def test_older_forms_of_vectors_are_taken_and_the_present_ones_returned(server):
    client = connect(server)
    client.delete_collection("forms")
    client.create_collection("forms", vectors_config={"d": {"size": 2, "distance": "Dot"}, "m": {"size": 2, "distance": "Dot", "multivector_config": {
        "comparator": "max_sim"}}}, sparse_vectors_config={"s": {}})
    named = {"d": q.Vector(data=[1, 2]), "m": q.Vector(data=[1, 2, 3, 4], vectors_count=2),
             "s": q.Vector(data=[0.5, 1.5], indices=q.SparseIndices(data=[7, 3]))}
    big = 2**62 + 1
    point = q.PointStruct(id=q.PointId(num=2**63 + 5), vectors=q.Vectors(vectors=q.NamedVectors(vectors=named)), payload={"n": q.Value(integer_value=big)})
    with raw(server) as r:
        call = lambda path, message: r.call(path, prefixed(message.SerializeToString()))
        assert call(UPSERT, q.UpsertPoints(collection_name="forms", wait=True, points=[point]))[0] == 0
        everything = q.GetPoints(collection_name="forms", ids=[point.id], with_payload=q.WithPayloadSelector(enable=True), with_vectors=q.WithVectorsSelector(enable=True))
        found = q.GetResponse.FromString(call("/qdrant.Points/Get", everything)[2][5:]).result[0]
        assert found.id.num == 2**63 + 5 and found.payload["n"].integer_value == big
        vectors = found.vectors.vectors.vectors
        assert list(vectors["d"].dense.data) == [1, 2] and not vectors["d"].data
        assert [list(v.data) for v in vectors["m"].multi_dense.vectors] == [[1, 2], [3, 4]]
        assert (list(vectors["s"].sparse.indices), list(vectors["s"].sparse.values)) == ([3, 7], [1.5, 0.5])
        # Without a selector payload comes and vectors do not, as where the request leaves the fields out over REST.
        bare = q.GetResponse.FromString(call("/qdrant.Points/Get", q.GetPoints(collection_name="forms", ids=[point.id]))[2][5:]).result[0]
        assert bare.payload and not bare.HasField("vectors")
        wrong = q.Vector(data=[1, 2, 3], vectors_count=2)
        point.vectors.vectors.vectors["m"].CopyFrom(wrong)
        code, message, _ = call(UPSERT, q.UpsertPoints(collection_name="forms", wait=True, points=[point]))
        assert code == 3 and "vectors_count" in message
    client.delete_collection("forms")


def test_gzip_both_ways(server):
    accepts = (("grpc-accept-encoding", "identity,gzip"),)
    with raw(server) as r:
        body = upsert(range(5000))
        code, _, _ = r.call(UPSERT, prefixed(gzip.compress(body), True), (("grpc-encoding", "gzip"),))
        assert code == 0
        scroll = q.ScrollPoints(collection_name=NAME, limit=5000, with_vectors=q.WithVectorsSelector(enable=True)).SerializeToString()
        code, _, plain = r.call("/qdrant.Points/Scroll", prefixed(scroll))
        assert code == 0 and plain[0] == 0
        code, _, small = r.call("/qdrant.Points/Scroll", prefixed(scroll), accepts)
        assert code == 0 and small[0] == 1 and len(small) < len(plain)
        points = lambda data: q.ScrollResponse.FromString(data).result
        assert points(gzip.decompress(small[5:])) == points(plain[5:])
        # A short answer is not worth it.
        assert r.call(COUNT, prefixed(q.CountPoints(collection_name=NAME).SerializeToString()), accepts)[2][0] == 0
        bomb = gzip.compress(bytes(100 << 20))
        code, message, _ = r.call(COUNT, prefixed(bomb, True), (("grpc-encoding", "gzip"),))
        assert code == 8 and "after decompression" in message


def test_large_messages(server):
    client = connect(server)
    client.delete_collection("large")
    client.create_collection("large", vectors_config={"size": 1536, "distance": "Dot"})
    points = [q.PointStruct(id=q.PointId(num=i), vectors=q.Vectors(vector=q.Vector(dense=q.DenseVector(data=[float(i)] * 1536)))) for i in range(10_600)]
    message = q.UpsertPoints(collection_name="large", wait=True, points=points).SerializeToString()
    assert len(message) > 62 << 20
    channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}", options=[("grpc.max_send_message_length", -1)])
    answer = q.PointsOperationResponse.FromString(channel.unary_unary(UPSERT)(message, timeout=120))
    assert answer.result.status == q.UpdateStatus.Completed
    assert client.count("large").count == 10_600
    client.delete_collection("large")
    channel.close()


def test_a_hundred_calls_at_once(server):
    with raw(server) as r:
        streams = [r.begin(COUNT) for _ in range(100)]
        body = prefixed(q.CountPoints(collection_name=NAME, exact=True).SerializeToString())
        for stream in reversed(streams):
            r.send(stream, body)
        assert {r.answer(s)[0] for s in streams} == {0}


def test_deadlines(server):
    with raw(server) as r:
        stream = r.begin(COUNT, (("grpc-timeout", "50m"),))  # the request never ends
        code, message, _ = r.answer(stream)
        assert code == 4 and "deadline" in message
        body = prefixed(q.CountPoints(collection_name=NAME).SerializeToString())
        assert r.call(COUNT, body, (("grpc-timeout", "1n"),))[0] == 4
        assert r.call(COUNT, body, (("grpc-timeout", "60S"),))[0] == 0


def test_an_upsert_cancelled_while_it_is_sent_changes_nothing(server):
    before = count(server)
    body = prefixed(upsert(range(100_000, 103_000)))
    with raw(server) as r:
        for cut in (3, 5, 100, len(body) // 2, len(body) - 1):
            stream = r.begin(UPSERT)
            r.send(stream, body[:cut], end=False)
            r.h2.reset_stream(stream, 8)
            r.flush()
        assert r.call(HEALTH, prefixed(b""))[0] == 0
        stream = r.begin(UPSERT)
        r.send(stream, body[:1000], end=False)
    # The connection is gone as well.
    assert count(server) == before


def test_a_cancelled_upsert_is_made_wholly_or_not_at_all(server):
    client = connect(server)
    for round in range(20):
        low = 200_000 + round * 1000
        with raw(server) as r:
            stream = r.begin(UPSERT)
            r.send(stream, prefixed(upsert(range(low, low + 1000))))
            r.h2.reset_stream(stream, 8)
            r.flush()
            assert r.call(HEALTH, prefixed(b""))[0] == 0
        # A write that came later is seen: whatever became of the cancelled one, it is decided.
        client.upsert(NAME, [{"id": 1, "vector": [0.0] * 4}], wait=True)
        found = client.count(NAME, count_filter={"must": [{"has_id": list(range(low, low + 1000))}]}).count
        assert found in (0, 1000)


def reset_calls(r, count):
    for _ in range(count):
        stream = r.begin(COUNT)
        r.h2.reset_stream(stream, 8)
        r.flush()


def test_rapid_resets_are_cut_off_and_harm_nobody(server):
    with raw(server) as other:
        assert other.call(HEALTH, prefixed(b""))[0] == 0
        with raw(server) as r:
            with contextlib.suppress(ConnectionError):
                reset_calls(r, 5000)
            # Whether by an end or by a reset: a connection that stays open lets the read time out.
            with contextlib.suppress(ConnectionError):
                while r.socket.recv(1 << 16):
                    pass
        assert other.call(HEALTH, prefixed(b""))[0] == 0
        assert other.call(COUNT, prefixed(q.CountPoints(collection_name=NAME).SerializeToString()))[0] == 0
    with raw(server) as r:
        reset_calls(r, 500)
        assert r.call(HEALTH, prefixed(b""))[0] == 0, "who gives up on some calls is not cut off"
    assert server.alive()


def test_connections_come_and_go(server):
    threads = [threading.Thread(target=lambda: [Raw(server).close() for _ in range(50)]) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    with raw(server) as r:
        assert r.call(HEALTH, prefixed(b""))[0] == 0


def test_keys():
    with Server(env={"QDRANT__SERVICE__API_KEY": "full", "QDRANT__SERVICE__READ_ONLY_API_KEY": "ro"}) as s, raw(s) as r:
        body, write = prefixed(b""), prefixed(upsert([1]))
        listing = "/qdrant.Collections/List"
        assert r.call(listing, body)[:2] == (16, "Must provide an API key or an Authorization bearer token")
        assert r.call(listing, body, (("api-key", "nope"),))[:2] == (16, "Invalid API key or JWT")
        assert r.call(listing, body, (("api-key", "ro"),))[0] == 0
        assert r.call(listing, body, (("authorization", "Bearer full"),))[0] == 0
        assert r.call(UPSERT, write, (("api-key", "ro"),))[0] == 7
        assert r.call(UPSERT, write, (("api-key", "full"),))[0] == 5
        assert r.call("/qdrant.Snapshots/Create", body, (("api-key", "ro"),))[0] == 7
        assert r.call(HEALTH, body)[0] == 0
        assert r.call("/qdrant.Qdrant/HealthCheck", body)[0] == 0


def test_health_and_version(server):
    with raw(server) as r:
        code, _, data = r.call(HEALTH, prefixed(b""))
        assert code == 0 and data[5:] == b"\x08\x01"
        reply = q.HealthCheckReply.FromString(r.call("/qdrant.Qdrant/HealthCheck", prefixed(b""))[2][5:])
        assert reply.title == "qdrant - vector search engine" and reply.version.startswith("1.19.")


def test_many_pings_are_answered(server):
    """Clients that measure the line ping in every round trip while data flows."""
    with raw(server) as r:
        for i in range(300):
            for j in range(10):
                r.h2.ping(struct.pack(">Q", i * 10 + j))
            r.flush()
            time.sleep(0.002)
        assert r.call(HEALTH, prefixed(b""))[0] == 0


def test_who_only_asks_the_reflection_and_never_reads_is_refused(server):
    question = prefixed(reflection_pb2.ServerReflectionRequest(file_containing_symbol="qdrant.Points").SerializeToString())
    with raw(server) as r:
        before = memory(server.pid)["RssAnon"]
        stream = r.begin("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        for _ in range(30):
            r.h2.send_data(stream, question * 100)
            r.flush()
        # The connection is served in order: this answer comes after all of them were looked at.
        assert r.call(HEALTH, prefixed(b""))[0] == 0
        assert memory(server.pid)["RssAnon"] - before < 50
    with raw(server) as r:
        assert r.call(HEALTH, prefixed(b""))[0] == 0


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection(server, version):
    channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}")
    ask = channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                                reflection_pb2.ServerReflectionRequest.SerializeToString, reflection_pb2.ServerReflectionResponse.FromString)
    R = reflection_pb2.ServerReflectionRequest
    requests = [R(list_services=""), R(file_containing_symbol="qdrant.Points.Query"), R(file_by_filename="qdrant/points.proto"),
                R(file_containing_symbol="qdrant.Nothing")]
    listed, symbol, file, missing = ask(iter(requests), timeout=30)
    services = {s.name for s in listed.list_services_response.service}
    assert {"qdrant.Qdrant", "qdrant.Collections", "qdrant.Points", "qdrant.Snapshots", "grpc.health.v1.Health"} <= services
    names = {descriptor_pb2.FileDescriptorProto.FromString(b).name for b in symbol.file_descriptor_response.file_descriptor_proto}
    assert "qdrant/service.proto" in names and "qdrant/query.proto" in names, "the file and what it imports"
    assert file.file_descriptor_response.file_descriptor_proto and missing.error_response.error_code == 5
    channel.close()


def test_metrics_and_telemetry_count_calls(server):
    import urllib.request
    with raw(server) as r:
        r.call(COUNT, prefixed(q.CountPoints(collection_name=NAME).SerializeToString()))
        r.call(COUNT, prefixed(q.CountPoints(collection_name="nowhere").SerializeToString()))
    text = urllib.request.urlopen(server.url + "/metrics").read().decode()
    assert 'grpc_responses_total{endpoint="/qdrant.Points/Count",status="0"}' in text
    assert 'grpc_responses_total{endpoint="/qdrant.Points/Count",status="5"}' in text
    assert 'grpc_responses_duration_seconds_bucket{endpoint="/qdrant.Points/Count",status="0",le="+Inf"}' in text
    import json
    requests = json.load(urllib.request.urlopen(server.url + "/telemetry"))["result"]["requests"]
    assert requests["grpc"]["responses"]["/qdrant.Points/Count"]["0"]["count"] >= 1
    assert all(not label.startswith("/qdrant") for label in requests["rest"]["responses"])


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def test_a_stop_lets_running_calls_end():
    with Server() as s:
        connect(s).create_collection(NAME, vectors_config={"size": 4, "distance": "Dot"})
        r = Raw(s)
        assert r.call(HEALTH, prefixed(b""))[0] == 0, "a connection that nobody has accepted yet may be dropped"
        stream, body = r.begin(UPSERT), prefixed(upsert(range(1000)))
        r.send(stream, body[:100], end=False)
        # The answer to a ping says that the call before it has begun.
        r.socket.sendall(frame(6, 0, 0, b"has begun"[:8]))
        pong = b""
        while frame(6, 1, 0, b"has begun"[:8]) not in pong:
            pong += r.socket.recv(1 << 16)
        stopping = threading.Thread(target=s.stop)
        stopping.start()
        # The server says that it goes away, and asks by a ping whether that was heard. What was begun may still be ended.
        seen, ended, sent = b"", False, False
        while not ended:
            data = r.socket.recv(1 << 16)
            assert data, "the answer comes before the end"
            seen += data
            while len(seen) >= 9 and len(seen) >= 9 + int.from_bytes(seen[:3], "big"):
                length, kind, flags = int.from_bytes(seen[:3], "big"), seen[3], seen[4]
                payload, seen = seen[9:9 + length], seen[9 + length:]
                if kind == 6 and not flags:
                    r.socket.sendall(frame(6, 1, 0, payload))
                if kind == 7 and not sent:
                    sent = True
                    rest = body[100:]
                    for at in range(0, len(rest), 16_000):
                        r.socket.sendall(frame(0, int(at + 16_000 >= len(rest)), stream, rest[at:at + 16_000]))
                ended = ended or (kind == 1 and bool(flags & 1))
        r.close()
        stopping.join(60)
        assert not stopping.is_alive() and sent
        s.start()
        assert connect(s).count(NAME).count == 1000
