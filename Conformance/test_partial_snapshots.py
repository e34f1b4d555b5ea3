"""Partial snapshots: what one server lacks of a shard of another, fetched from it, sent along, or found to be nothing."""
import hashlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from octant_server import Server
from rest import Rest
from snapshots import OPEN, content, create, download, fill, points, temporary, until, upload, write

PREFIX = "QDRANT__SERVICE__"
PARTIAL = "/collections/c/shards/0/snapshot/partial"
# Nothing that goes on by itself: what is sent is what was written.
QUIET = {"vectors": {"size": 4, "distance": "Dot"}, "optimizers_config": {"max_optimization_threads": 0}}


@pytest.fixture(scope="module")
def pair():
    """A server that is written to, and one that follows it."""
    with Server(env={PREFIX + "API_KEY": "sender-key", PREFIX + "READ_ONLY_API_KEY": "reader-key"}) as sender, Server(env=OPEN) as taker:
        plain = Rest(sender.url)
        sender.rest = lambda method, path, body=None, headers=None: plain(method, path, body, {"api-key": "sender-key", **(headers or {})})
        taker.rest = Rest(taker.url)
        yield sender, taker


@pytest.fixture
def both(pair):
    """The same collection on both, recovered from one snapshot."""
    sender, taker = pair
    for server in pair:
        server.rest("DELETE", "/collections/c")
    fill(sender.rest, "c", 2000, settings=QUIET)
    data = download(sender.rest, "/collections/c", create(sender.rest, "/collections/c")["name"])
    assert upload(taker, "/collections/c", data).status_code == 200
    sender.full = len(data)
    return sender, taker


def recover_from(taker, sender, params="", **more):
    body = {"peer_url": sender.url, "api_key": "sender-key", **more}
    return taker.rest("POST", f"{PARTIAL}/recover_from{params}", body)


def manifest(server):
    return server.rest("GET", f"{PARTIAL}/manifest").result


def send(taker, data, **params):
    return requests.post(f"{taker.url}{PARTIAL}/recover", files={"snapshot": ("any.snapshot", data)}, params=params, timeout=120)


def test_a_server_follows_another(both):
    sender, taker = both
    assert recover_from(taker, sender).result is False, "nothing differs yet"
    for count, offset in ((5, 1), (7, 2), (2100, 3)):
        write(sender.rest, "c", count, offset=offset)
        # What is written to the one that follows goes.
        write(taker.rest, "c", 3, offset=90 + offset)
        assert recover_from(taker, sender).result is True
        assert content(taker.rest, "c") == content(sender.rest, "c")
        assert recover_from(taker, sender).result is False
    # Deletions and settings are differences without new points.
    assert sender.rest("POST", "/collections/c/points/delete?wait=true", {"points": [1, 2, 3]}).status == 200
    assert recover_from(taker, sender).result is True and len(points(taker.rest, "c")) == 2097
    assert sender.rest("PATCH", "/collections/c", {"metadata": {"a": 1}}).result is True
    assert recover_from(taker, sender).result is True
    assert sender.rest("PUT", "/collections/c/index?wait=true", {"field_name": "text", "field_schema": "keyword"}).status == 200
    assert recover_from(taker, sender).result is True
    before = content(sender.rest, "c")
    assert content(taker.rest, "c") == before
    # It is one like any other: there after a kill, and written to.
    taker.restart(graceful=False)
    assert content(taker.rest, "c") == before and recover_from(taker, sender).result is False
    write(taker.rest, "c", 10, offset=8)
    assert {p["payload"]["filling"] for p in points(taker.rest, "c")[:10]} == {8}
    assert temporary(taker) == []


def test_only_what_differs_is_sent(both):
    sender, taker = both
    theirs = manifest(taker)
    assert theirs["version"] == 1 and set(theirs) == {"version", "lsn", "state", "files"}
    r = sender.rest("POST", f"{PARTIAL}/create", theirs)
    assert r.status == 304 and r.body == b""
    # The connection goes on after an answer without a body.
    assert sender.rest("GET", "/collections/c").status == 200
    write(sender.rest, "c", 4, offset=5)
    r = sender.rest("POST", f"{PARTIAL}/create", theirs)
    assert r.status == 200 and r.headers["content-type"] == "application/octet-stream" and r.headers["transfer-encoding"] == "chunked"
    assert len(r.body) * 5 < sender.full, "2000 points of before stay where they are"
    whole = sender.rest("POST", f"{PARTIAL}/create", {})
    assert len(whole.body) > sender.full
    # Sent along; a checksum of its own; without waiting.
    wrong = send(taker, r.body, checksum="0" * 64)
    assert wrong.status_code == 400 and "checksum mismatch" in wrong.text
    reply = send(taker, r.body, checksum=hashlib.sha256(r.body).hexdigest(), priority="no_sync")
    assert reply.status_code == 200 and reply.json()["result"] is True
    assert content(taker.rest, "c") == content(sender.rest, "c")
    assert manifest(taker)["state"] == manifest(sender)["state"]
    write(taker.rest, "c", 4, offset=6)
    reply = send(taker, whole.body, wait="false")
    assert reply.status_code == 202 and reply.json()["status"] == "accepted"
    until(lambda: content(taker.rest, "c") == content(sender.rest, "c"), "a recovery without waiting")
    write(taker.rest, "c", 4, offset=7)
    r = recover_from(taker, sender, "?wait=false")
    assert r.status == 202 and set(r.json) == {"status", "time"}
    until(lambda: content(taker.rest, "c") == content(sender.rest, "c"), "a recovery from a server without waiting")
    until(lambda: not temporary(taker), "no temporary file")


def test_what_is_wrong_is_refused_and_changes_nothing(both):
    sender, taker = both
    write(sender.rest, "c", 4, offset=5)
    before = content(taker.rest, "c")
    data = sender.rest("POST", f"{PARTIAL}/create", manifest(taker)).body
    full = download(sender.rest, "/collections/c", create(sender.rest, "/collections/c")["name"])
    middle = len(data) // 2
    for wrong in (b"", b"garbage", data[:-1], data + b"x", data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:], full):
        r = send(taker, wrong)
        assert r.status_code == 400 and taker.folder not in r.text, r.text
    assert upload(taker, "/collections/c", data).status_code == 400, "alone it is no snapshot"
    # Another collection has none of the files that it leaves out.
    assert taker.rest("PUT", "/collections/other", QUIET).result is True
    r = requests.post(f"{taker.url}{PARTIAL.replace('/c/', '/other/')}/recover", files={"snapshot": ("x", data)}, timeout=60)
    assert r.status_code == 400 and "which is not here" in r.text
    taker.rest("DELETE", "/collections/other")
    good = manifest(taker)
    for body in (b"", b"[]", b"{", {"version": 2}, {"version": 1}, {**good, "files": 1}, {**good, "state": "x"}, {**good, "more": 1},
                 {"6a0e": {"segment_id": "6a0e", "segment_version": 3, "file_versions": {}}}):
        r = sender.rest("POST", f"{PARTIAL}/create", body)
        assert r.status in (400, 422) and r.error, body
    for body in ({}, {"peer_url": 1}, {"peer_url": "nowhere"}, {"peer_url": "file:///etc/passwd"}, {"peer_url": "http://u:canary@127.0.0.1/"}):
        r = taker.rest("POST", f"{PARTIAL}/recover_from", body)
        assert r.status == 400 and "canary" not in r.error, body
    for path, status in ((PARTIAL.replace("/c/", "/nothing/"), 404), (PARTIAL.replace("/0/", "/1/"), 404), (PARTIAL.replace("/0/", "/x/"), 400)):
        assert taker.rest("GET", f"{path}/manifest").status == status
        assert taker.rest("POST", f"{path}/create", {}).status == status
        assert taker.rest("POST", f"{path}/recover_from", {"peer_url": sender.url}).status == status
        assert requests.post(f"{taker.url}{path}/recover", files={"snapshot": ("x", data)}, timeout=60).status_code == status
    r = recover_from(taker, sender, api_key="wrong")
    assert r.status == 400 and "status 401" in r.error
    assert taker.rest("POST", f"{PARTIAL}/recover_from", {"peer_url": "http://127.0.0.1:1"}).status == 400
    assert taker.rest("POST", f"{PARTIAL}/recover_from?wait=perhaps", {"peer_url": sender.url}).status == 400
    assert content(taker.rest, "c") == before and temporary(taker) == []


def test_rights(both):
    sender, taker = both
    rest = Rest(sender.url)
    read = {"api-key": "reader-key"}
    r = rest("GET", f"{PARTIAL}/manifest", None, read)
    assert r.status == 200 and rest("GET", f"{PARTIAL}/manifest").status == 401
    assert rest("POST", f"{PARTIAL}/create", r.result, read).status == 304 and rest("POST", f"{PARTIAL}/create", {}).status == 401
    for what in ("recover", "recover_from"):
        body = {"peer_url": taker.url} if what == "recover_from" else b""
        assert rest("POST", f"{PARTIAL}/{what}", body, read).status == 403
        assert rest("POST", f"{PARTIAL}/{what}", body).status == 401
    # A key that may read is enough for the other side.
    write(sender.rest, "c", 4, offset=5)
    assert recover_from(taker, sender, api_key="reader-key").result is True
    assert "sender-key" not in taker.log(1 << 20) and "reader-key" not in taker.log(1 << 20)


@pytest.mark.parametrize("env, says", [
    ({}, "is off: set service.enable_snapshot_url_recovery"),
    ({PREFIX + "ENABLE_SNAPSHOT_URL_RECOVERY": "true"}, "https URLs only"),
    ({PREFIX + "ENABLE_SNAPSHOT_URL_RECOVERY": "true", PREFIX + "SNAPSHOT_URL__ALLOW_HTTP": "true"}, "not on the public internet"),
    ({**OPEN, PREFIX + "SNAPSHOT_URL__ALLOWED_HOSTS": "example.org,127.0.0.2"}, "allowed_hosts")])
def test_guards(env, says):
    with Server(env=env) as server, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        nobody.listen()
        nobody.settimeout(0)
        rest = Rest(server.url)
        fill(rest, "c", 5)
        r = rest("POST", f"{PARTIAL}/recover_from", {"peer_url": f"http://127.0.0.1:{nobody.getsockname()[1]}"})
        assert r.status == 403 and r.error.startswith("Forbidden: ") and says in r.error, r.body
        with pytest.raises(BlockingIOError):
            nobody.accept()


class Peer(BaseHTTPRequestHandler):
    """Another server, as hostile as it may be."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
        status, data = self.server.answers()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def peer():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    server.asked, server.url = [], f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_answers_of_another_server(both, peer):
    sender, taker = both
    before = content(taker.rest, "c")
    for answer, says in (((200, b"x" * 10_000), "cannot be recovered"), ((302, b""), "redirects are not followed"), ((500, b"canary"), "status 500"),
                         ((200, b""), "cannot be recovered")):
        peer.answers = lambda: answer
        r = taker.rest("POST", f"{PARTIAL}/recover_from", {"peer_url": peer.url + "/ignored?x", "api_key": "canary"})
        assert r.status == 400 and says in r.error and "canary" not in r.error
    path, headers, body = peer.asked[0]
    assert path == f"{PARTIAL}/create" and headers["api-key"] == "canary" and body == manifest(taker)
    assert len(peer.asked) == 4 and content(taker.rest, "c") == before and temporary(taker) == []


def test_one_recovery_at_a_time(both, peer):
    sender, taker = both
    arrived, may_answer = threading.Event(), threading.Event()

    def slowly():
        arrived.set()
        assert may_answer.wait(60)
        return 304, b""

    peer.answers = slowly
    def state():
        collection, = (c for c in taker.rest("GET", "/telemetry?details_level=4").result["collections"]["collections"] if c["id"] == "c")
        return collection["shards"][0]["partial_snapshot"]
    at = state()["recovery_timestamp"]
    replies = []
    thread = threading.Thread(target=lambda: replies.append(Rest(taker.url)("POST", f"{PARTIAL}/recover_from", {"peer_url": peer.url})))
    thread.start()
    try:
        assert arrived.wait(60)
        assert state() == {"ongoing_create_snapshot_requests": 0, "is_recovering": True, "recovery_timestamp": at}
        data = sender.rest("POST", f"{PARTIAL}/create", {}).body
        for r in (recover_from(taker, sender), recover_from(taker, sender, "?wait=false")):
            assert r.status == 503 and set(r.json) == {"status", "time"} and r.json["status"] == "already_in_progress"
        r = send(taker, data)
        assert r.status_code == 503 and r.json()["status"] == "already_in_progress"
        # Reads, writes and other requests go on.
        write(taker.rest, "c", 5, offset=4)
        assert len(points(taker.rest, "c")) == 2000
        assert taker.rest("POST", f"{PARTIAL}/create", {}).status == 200
    finally:
        may_answer.set()
        thread.join()
    assert replies[0].result is False
    assert state()["is_recovering"] is False and state()["recovery_timestamp"] > 0
    assert recover_from(taker, sender).result is True and content(taker.rest, "c") == content(sender.rest, "c")
    assert temporary(taker) == []


def test_collections_of_any_name_and_aliases(pair):
    import urllib.parse
    sender, taker = pair
    name = "ü '%25 #&+.."
    quoted = urllib.parse.quote(name)
    try:
        for server in pair:
            assert server.rest("PUT", f"/collections/{quoted}", QUIET).result is True
            assert server.rest("POST", "/collections/aliases", {"actions": [{"create_alias": {"alias_name": "a", "collection_name": name}}]}).result is True
        write(sender.rest, quoted, 30, offset=2)
        r = taker.rest("POST", "/collections/a/shards/0/snapshot/partial/recover_from", {"peer_url": sender.url, "api_key": "sender-key"})
        assert r.result is True and points(taker.rest, "a") == points(sender.rest, quoted) != []
    finally:
        for server in pair:
            server.rest("DELETE", f"/collections/{quoted}")
