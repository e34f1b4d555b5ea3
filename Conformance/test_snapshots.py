"""Snapshots over REST and gRPC: made, listed, sent, removed, uploaded, recovered."""
import json
import os
import threading

import pytest
from conftest import connect
from octant_server import Server, memory
from qdrant_client import models
from rest import Rest
from snapshots import (FORM, HEAD, TAIL, content, create, download, fill, points, send_slowly, sha256, stored, temporary, until, upload,
                       write)

MB = 1 << 20


@pytest.fixture(params=[False, True], ids=["rest", "grpc"])
def any_client(request, shared):
    return connect(shared, prefer_grpc=request.param, grpc_port=shared.grpc_port)


@pytest.fixture
def filled(rest, name):
    fill(rest, name)
    return name


@pytest.fixture
def other(shared, rest, name):
    yield f"{name}_other"
    rest("DELETE", f"/collections/{name}_other")


def test_a_snapshot_is_made_listed_sent_and_removed(any_client, shared, rest, filled):
    path = f"/collections/{filled}"
    assert any_client.list_snapshots(filled) == []
    made = any_client.create_snapshot(filled)
    assert made.name.startswith(f"{filled}-0-") and made.name.endswith(".snapshot")
    second = any_client.create_snapshot(filled)
    assert sorted(any_client.list_snapshots(filled), key=lambda s: s.name) == sorted([made, second], key=lambda s: s.name)
    data = download(rest, path, made.name)
    assert len(data) == made.size and sha256(data) == made.checksum
    assert len(made.creation_time) == len("2026-11-23T16:00:00")
    assert any_client.delete_snapshot(filled, made.name) is True
    assert [s.name for s in any_client.list_snapshots(filled)] == [second.name]
    for method in ("GET", "DELETE"):
        r = rest(method, f"{path}/snapshots/{made.name}")
        assert r.status == 404 and r.error.startswith("Not found: ") and made.name in r.error
    with pytest.raises(Exception, match="(?i)not.?found"):
        any_client.delete_snapshot(filled, made.name)
    for asked in (lambda: any_client.create_snapshot("nothing"), lambda: any_client.list_snapshots("nothing")):
        with pytest.raises(Exception, match="`nothing` doesn.+t exist"):
            asked()


def test_recovery_brings_back_everything(client, shared, rest, filled, other):
    before = content(rest, filled)
    made = client.create_snapshot(filled)
    location = f"file://{shared.snapshots}/{filled}/{made.name}"
    write(rest, filled, 400, offset=7)
    rest("DELETE", f"/collections/{filled}/index/n?wait=true")
    assert content(rest, filled) != before
    # Into the same, an absent and a present one.
    assert client.recover_snapshot(filled, location, checksum=made.checksum) is True
    assert content(rest, filled) == before
    assert client.recover_snapshot(other, location, priority=models.SnapshotPriority.REPLICA) is True
    assert content(rest, other) == before
    write(rest, other, 500, offset=3)
    assert client.recover_snapshot(other, location, checksum=made.checksum.upper(), priority="no_sync", wait=True) is True
    assert content(rest, other) == before
    # It is one like any other: written to, indexed, and there after a restart (test_startup_flags).
    write(rest, other, 10, offset=9)
    assert {p["payload"]["filling"] for p in points(rest, other)[:10]} == {9}
    found = client.query_points(other, [1.0, 0, 0, 0], query_filter=models.Filter(must=[models.FieldCondition(key="n", range=models.Range(gte=299))]))
    assert [p.id for p in found.points] == [300, 299]
    assert temporary(shared) == []


def test_incremental_snapshots(shared, rest, filled, other):
    path = f"/collections/{filled}"
    # What the optimizer rewrites is new to the second snapshot.
    rest("PATCH", path, {"optimizers_config": {"max_optimization_threads": 0}})
    until(lambda: not rest("GET", f"{path}/optimizations").result["running"], "the last job to end")
    first = create(rest, path)
    write(rest, filled, 5, offset=2)
    before = content(rest, filled)
    second = rest("POST", f"{path}/snapshots?incremental=true").result
    assert second["size"] < first["size"]
    recover = {"location": f"file://{shared.snapshots}/{filled}/{second['name']}"}
    assert rest("PUT", f"/collections/{other}/snapshots/recover", recover).result is True
    assert content(rest, other) == before
    assert rest("DELETE", f"{path}/snapshots/{first['name']}").status == 400, "the second builds on it"
    data = download(rest, path, second["name"])
    write(rest, filled, 7, offset=4)
    assert upload(shared, path, data).status_code == 200 and content(rest, filled) == before, "those before it are here"
    r = upload(shared, f"/collections/{other}", data)
    assert r.status_code == 400 and "it needs the snapshot" in r.text, "and not there"
    assert rest("POST", f"{path}/snapshots?incremental=perhaps").status == 400


def test_an_upload_as_the_documentation_does_it(shared, rest, filled, other):
    before = content(rest, filled)
    made = create(rest, f"/collections/{filled}")
    data = download(rest, f"/collections/{filled}", made["name"])
    r = upload(shared, f"/collections/{other}", data, priority="snapshot")
    assert r.status_code == 200 and r.json()["result"] is True, r.text
    assert content(rest, other) == before
    write(rest, other, 20, offset=4)
    r = upload(shared, f"/collections/{other}", data, priority="no_sync", checksum=made["checksum"], wait="true")
    assert r.status_code == 200 and content(rest, other) == before
    # Without a length, as a stream.
    write(rest, other, 20, offset=4)
    status, answer = send_chunked(shared, f"/collections/{other}/snapshots/upload", [HEAD, *(data[i:i + 1000] for i in range(0, len(data), 1000)), TAIL])
    assert (status, answer) == (200, "ok") and content(rest, other) == before
    assert temporary(shared) == []


def send_chunked(server, path, pieces):
    import http.client
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    c.request("POST", path, iter(pieces), FORM, encode_chunked=True)
    r = c.getresponse()
    return r.status, json.loads(r.read())["status"]


def test_without_waiting_the_answer_comes_first(shared, rest, filled, other):
    path = f"/collections/{filled}"
    r = rest("POST", f"{path}/snapshots?wait=false")
    assert r.status == 202 and set(r.json) == {"status", "time"} and r.json["status"] == "accepted"
    until(lambda: rest("GET", f"{path}/snapshots").result, "a snapshot")
    made, = rest("GET", f"{path}/snapshots").result
    data = download(rest, path, made["name"])
    recover = {"location": f"file://{shared.snapshots}/{filled}/{made['name']}"}
    assert rest("PUT", f"/collections/{other}/snapshots/recover?wait=false", recover).status == 202
    until(lambda: rest("GET", f"/collections/{other}").status == 200, "a recovered collection")
    assert content(rest, other) == content(rest, filled)
    write(rest, other, 30, offset=5)
    assert upload(shared, f"/collections/{other}", data, wait="false").status_code == 202
    until(lambda: content(rest, other) == content(rest, filled), "a collection recovered from an upload")
    assert rest("DELETE", f"{path}/snapshots/{made['name']}?wait=false").status == 202
    until(lambda: not rest("GET", f"{path}/snapshots").result, "no snapshot")
    # What fails then is logged.
    assert rest("DELETE", f"{path}/snapshots/{made['name']}?wait=false").status == 202
    until(lambda: f"Snapshot {made['name']} not found" in shared.log(), "a message")
    until(lambda: not temporary(shared), "no temporary file")
    assert rest("POST", f"{path}/snapshots?wait=perhaps").status == 400


def test_checksums_must_fit(shared, rest, filled, other):
    made = create(rest, f"/collections/{filled}")
    data = download(rest, f"/collections/{filled}", made["name"])
    location, path = f"file://{shared.snapshots}/{filled}/{made['name']}", f"/collections/{other}/snapshots"
    r = rest("PUT", f"{path}/recover", {"location": location, "checksum": "0" * 64})
    assert r.status == 400 and "checksum mismatch" in r.error
    r = upload(shared, f"/collections/{other}", data, checksum="0" * 64)
    assert r.status_code == 400 and "checksum mismatch" in r.text
    for wrong in ("", "abc", "g" * 64, "0" * 65):
        assert rest("PUT", f"{path}/recover", {"location": location, "checksum": wrong}).status == 422
        assert upload(shared, f"/collections/{other}", data, checksum=wrong).status_code == 422
    assert rest("GET", f"/collections/{other}").status == 404
    assert temporary(shared) == []


@pytest.mark.parametrize("hostile", ["..%2F..%2F..%2Fetc%2Fpasswd", "..", "%2e%2e", ".", "%2Fetc%2Fpasswd", "a%00b", "a%5Cb", "x" * 256, "%C3%BC", "a%0d%0ab",
                                     ".tmp-x", "a.checksum", "any.snapshot"])
def test_hostile_names_of_snapshots(rest, filled, hostile):
    create(rest, f"/collections/{filled}")
    for path in ("/snapshots", f"/collections/{filled}/snapshots", f"/collections/{filled}/shards/0/snapshots"):
        for method in ("GET", "DELETE"):
            r = rest(method, f"{path}/{hostile}")
            assert r.status == 404 and r.error.startswith("Not found: "), (path, method, r.body)
    assert len(rest("GET", f"/collections/{filled}/snapshots").result) == 1


def test_files_to_recover_from_are_in_the_folder_of_snapshots(shared, rest, filled, other):
    made = create(rest, f"/collections/{filled}")
    inside = os.path.join(shared.snapshots, filled, made["name"])

    def recover(location, **more):
        r = rest("PUT", f"/collections/{other}/snapshots/recover", {"location": location, **more})
        return r.status, r.error

    invalid = "Bad request: Invalid snapshot URI, file path must be absolute or on localhost"
    for location in ("file://whatever.snapshot", "file://example.org/x", "file:///a%00b", "file:///%zz"):
        assert recover(location) == (400, invalid), location
    for location in ("file:///whatever.snapshot", "file://localhost/whatever.snapshot", "file:/whatever.snapshot", "file:///a/../whatever.snapshot",
                     "file:///%77hatever.snapshot?x#y"):
        assert recover(location) == (400, 'Bad request: Snapshot file "/whatever.snapshot" does not exist'), location
    outside = os.path.join(shared.folder, "outside.snapshot")
    os.rename(inside, outside)
    os.symlink(outside, inside)
    for location in ("file:///etc/passwd", f"file://{outside}", f"file://{inside}", f"file://{shared.snapshots}/../outside.snapshot",
                     f"file://{shared.snapshots}", f"file://{shared.folder}"):
        status, text = recover(location)
        assert status == 403 and text.startswith("Forbidden: ") and "must be inside the snapshots directory" in text, location
    os.remove(inside)
    os.rename(outside, inside)
    status, text = recover(f"file://{shared.snapshots}/{filled}")
    assert status == 400 and "is not a file" in text
    for location in ("", "relative.snapshot", "/absolute.snapshot", "1:x", "ftp://example.org/x", "s3://bucket/x"):
        assert recover(location)[0] == 400, location
    assert rest("PUT", f"/collections/{other}/snapshots/recover", {}).status == 400
    assert recover(f"file://{inside}", priority="mine")[0] == 400
    assert rest("GET", f"/collections/{other}").status == 404
    assert rest("PUT", "/collections/a%3Cb/snapshots/recover", {"location": f"file://{inside}"}).status == 422


def test_snapshots_of_another_kind_or_other_vectors_are_refused(shared, rest, filled, other):
    full = create(rest, "")
    r = rest("PUT", f"/collections/{other}/snapshots/recover", {"location": f"file://{shared.snapshots}/{full['name']}"})
    assert r.status == 400 and "whole storage" in r.error
    made = create(rest, f"/collections/{filled}")
    assert rest("PUT", f"/collections/{other}", {"vectors": {"size": 3, "distance": "Dot"}}).result is True
    r = rest("PUT", f"/collections/{other}/snapshots/recover", {"location": f"file://{shared.snapshots}/{filled}/{made['name']}"})
    assert r.status == 400 and "Snapshot is not compatible with existing collection" in r.error
    assert rest("DELETE", f"/snapshots/{full['name']}").result is True


def test_shards(shared, rest, filled):
    before, path = content(rest, filled), f"/collections/{filled}/shards/0"
    files = stored(shared)
    r = rest("GET", f"{path}/snapshot")
    assert r.status == 200 and r.headers["transfer-encoding"] == "chunked" and "attachment" in r.headers["content-disposition"]
    assert stored(shared) == files and temporary(shared) == [], "nothing of a stream is stored"
    write(rest, filled, 310, offset=1)
    assert upload(shared, path, r.body).status_code == 200
    assert content(rest, filled) == before
    made = create(rest, path)
    assert rest("GET", f"{path}/snapshots").result == [made]
    assert rest("GET", f"/collections/{filled}/snapshots").result == [], "they are listed apart"
    data = download(rest, path, made["name"])
    assert sha256(data) == made["checksum"] and len(data) == made["size"]
    write(rest, filled, 310, offset=2)
    location = f"file://{shared.snapshots}/{filled}/shards/0/{made['name']}"
    assert rest("PUT", f"{path}/snapshots/recover", {"location": location, "checksum": made["checksum"]}).result is True
    assert content(rest, filled) == before
    assert rest("DELETE", f"{path}/snapshots/{made['name']}").result is True
    assert rest("GET", f"{path}/snapshots").result == []
    for shard, status in (("1", 404), ("4294967296", 400), ("-1", 400), ("x", 400)):
        for method, rest_of_path in (("GET", "snapshot"), ("GET", "snapshots"), ("POST", "snapshots"), ("GET", "snapshots/x.snapshot")):
            assert rest(method, f"/collections/{filled}/shards/{shard}/{rest_of_path}").status == status
    assert upload(shared, f"/collections/{filled}/shards/1", r.body).status_code == 404
    assert upload(shared, "/collections/nothing/shards/0", r.body).status_code == 404


def test_heads_and_old_clients(shared, rest, filled):
    import socket
    made = create(rest, f"/collections/{filled}")

    def ask(text):
        s = socket.create_connection(("127.0.0.1", shared.port), timeout=60)
        s.sendall(text.encode())
        answer = b""
        while piece := s.recv(1 << 16):
            answer += piece
        s.close()
        return answer.split(b"\r\n\r\n", 1)

    head, body = ask(f"HEAD /collections/{filled}/snapshots/{made['name']} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert f"content-length: {made['size']}".encode() in head and body == b""
    head, body = ask(f"GET /collections/{filled}/shards/0/snapshot HTTP/1.0\r\n\r\n")
    assert b"chunked" not in head and upload(shared, f"/collections/{filled}", body).status_code == 200


def test_the_whole_storage_with_aliases_and_the_flags_of_the_start(client, shared, rest, filled, tmp_path):
    alias = f"{filled}_alias"
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=filled, alias_name=alias))])
    full = client.create_full_snapshot()
    assert full in client.list_full_snapshots()
    data = download(rest, "", full.name)
    assert sha256(data) == full.checksum
    one = create(rest, f"/collections/{alias}")
    single = download(rest, f"/collections/{filled}", one["name"])
    assert client.delete_full_snapshot(full.name) is True
    (tmp_path / "full.snapshot").write_bytes(data)
    (tmp_path / "one.snapshot").write_bytes(single)
    before = content(rest, filled)
    with Server(args=["--storage-snapshot", str(tmp_path / "full.snapshot")]) as server:
        theirs = Rest(server.url)
        assert theirs("GET", "/collections").result == rest("GET", "/collections").result
        assert content(theirs, filled) == before and content(theirs, alias)["points"] == before["points"]
        # The flags again: what is there stays, unless it is to be replaced.
        write(theirs, filled, 20, offset=8)
        changed = content(theirs, filled)
        server.stop()
        assert starts_not(server, *server.args) == 1 and "--force-snapshot" in server.log()
        assert starts_not(server, "--snapshot", f"{tmp_path}/one.snapshot:fresh", "--snapshot", f"{tmp_path}/one.snapshot:{filled}") == 1
        assert f"collection `{filled}` exists already" in server.log()
        server.args = []
        server.start()
        assert content(Rest(server.url), filled) == changed
        server.stop()
        server.args = ["-f", "--snapshot", f"{tmp_path}/one.snapshot:newer", "--snapshot", f"{tmp_path}/one.snapshot:{filled}"]
        server.start()
        theirs = Rest(server.url)
        assert content(theirs, "newer") == before and content(theirs, filled) == before
        server.stop()
        assert starts_not(server, "--snapshot", "nowhere.snapshot:x") == 1 and "nowhere.snapshot" in server.log()
        assert starts_not(server, "--snapshot", f"{tmp_path}/one.snapshot:a<b") == 1
        assert starts_not(server, "--snapshot", "x") not in (0, 1) and "PATH:NAME" in server.log()


def starts_not(server, *args):
    server.args = args
    server.launch()
    Server.running.remove(server)
    return server.process.wait(30)


def test_searches_go_on_while_a_collection_is_recovered(shared, rest, filled):
    made = create(rest, f"/collections/{filled}")
    location = {"location": f"file://{shared.snapshots}/{filled}/{made['name']}"}
    write(rest, filled, 300, offset=6)
    stop, seen, wrong = threading.Event(), set(), []

    def search():
        mine = Rest(shared.url)
        while not stop.is_set():
            r = mine("POST", f"/collections/{filled}/points/query", {"query": [1, 0, 0, 0], "limit": 300, "with_payload": True})
            if r.status != 200:
                wrong.append(r.body)
                continue
            found = {p["payload"]["filling"] for p in r.result["points"]}
            seen.update(found)
            if len(found) != 1 or len(r.result["points"]) != 300:
                wrong.append((found, len(r.result["points"])))

    threads = [threading.Thread(target=search) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        for offset in (0, 6, 0, 6):
            if offset:
                write(rest, filled, 300, offset=6)
                until(lambda: 6 in seen, "searches")
            else:
                assert rest("PUT", f"/collections/{filled}/snapshots/recover", location).result is True
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not wrong, wrong[:3]
    assert seen == {0, 6}


def test_what_is_no_snapshot_is_refused_whole(shared, rest, filled, other):
    made = create(rest, f"/collections/{filled}")
    data = download(rest, f"/collections/{filled}", made["name"])
    before = content(rest, filled)
    middle = len(data) // 2
    damaged = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:]
    for name in (filled, other):
        for wrong in (b"", b"garbage", os.urandom(MB), data[:-1], data[:middle], damaged, data + b"x"):
            r = upload(shared, f"/collections/{name}", wrong)
            assert r.status_code == 400, r.text
            assert set(r.json()["status"]) == {"error"} and shared.folder not in r.text
    path = f"/collections/{filled}/snapshots/upload"
    for headers, body in (({}, data), ({"Content-Type": "application/octet-stream"}, data), (FORM, HEAD + data), (FORM, TAIL), (FORM, b""),
                          (FORM, HEAD.replace(b'"snapshot"', b'"other"') + data + TAIL)):
        r = rest("POST", path, body, headers)
        assert r.status == 400 and "Multipart error" in r.error
    assert rest("POST", f"{path}?priority=mine", HEAD + data + TAIL, FORM).status == 400
    assert content(rest, filled) == before and rest("GET", f"/collections/{other}").status == 404
    assert temporary(shared) == []


def test_an_upload_that_breaks_off_leaves_nothing(shared, rest, filled):
    import socket
    before, path = content(rest, filled), f"/collections/{filled}/snapshots/upload"
    for complete in (False, True):
        s = socket.create_connection(("127.0.0.1", shared.port), timeout=60)
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM['Content-Type']}\r\n"
        length = f"content-length: {40 * MB}\r\n\r\n" if complete else "transfer-encoding: chunked\r\n\r\n"
        piece = HEAD + bytes(2 * MB)
        s.sendall((head + length).encode() + (piece if complete else f"{len(piece):x}\r\n".encode() + piece + b"\r\n"))
        until(lambda: temporary(shared), "the upload has begun")
        s.close()
        until(lambda: not temporary(shared), "nothing is left of it")
    assert content(rest, filled) == before


def test_a_large_upload_takes_no_memory_and_nothing_of_the_budget():
    size, piece = 100 * MB, os.urandom(MB)
    with Server(env={"QDRANT__SERVICE__MAX_IN_FLIGHT_MB": "16", "QDRANT__SERVICE__MAX_REQUEST_SIZE_MB": "1"}) as server:
        rest = Rest(server.url)
        fill(rest, "c", 10)
        before, peak, done = memory(server.pid)["VmRSS"], [0], threading.Event()

        def watch():
            while not done.wait(0.005):
                peak[0] = max(peak[0], memory(server.pid)["VmRSS"])

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            pieces = (HEAD, *(piece for _ in range(size // MB)), TAIL)
            status, answer = send_slowly(server, "/collections/c/snapshots/upload", iter(pieces), len(HEAD) + size + len(TAIL))
        finally:
            done.set()
            watcher.join()
        assert status == 400 and "error" in answer, "100 MB of nothing are no snapshot"
        assert peak[0] - before < 40, f"{before:.0f} MB before, {peak[0]:.0f} MB at most"
        assert temporary(server) == []


def test_uploads_that_the_disk_has_no_room_for_are_refused_before_they_come(shared, rest, filled):
    import socket
    s = socket.create_connection(("127.0.0.1", shared.port), timeout=60)
    s.sendall(f"POST /collections/{filled}/snapshots/upload HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM['Content-Type']}\r\n"
              f"content-length: {1 << 60}\r\nexpect: 100-continue\r\n\r\n".encode())
    answer = b""
    while b'"time"' not in answer:
        piece = s.recv(4096)
        assert piece, answer
        answer += piece
    assert b"HTTP/1.1 507" in answer and b"No space left on device" in answer
    s.close()


def test_a_client_that_takes_nothing_holds_up_nobody(shared, rest, filled):
    import socket
    write(rest, filled, 3000)
    path = f"/collections/{filled}"
    made = create(rest, path)
    before = memory(shared.pid)["RssAnon"]
    sockets = []
    for _ in range(12):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", shared.port))
        s.sendall(f"GET {path}/snapshots/{made['name']} HTTP/1.1\r\nhost: x\r\n\r\nGET {path}/shards/0/snapshot HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        sockets.append(s)
    assert len(points(rest, filled)) == 3000
    assert create(rest, path)["name"] != made["name"]
    assert memory(shared.pid)["RssAnon"] - before < 100
    for s in sockets:
        s.close()
    assert sha256(download(rest, path, made["name"])) == made["checksum"]


def test_rights(tmp_path):
    with Server(env={"QDRANT__SERVICE__API_KEY": "full", "QDRANT__SERVICE__READ_ONLY_API_KEY": "reads"}) as server:
        rest = Rest(server.url)
        keyed = lambda *a: rest(*a, headers={"api-key": "full"}) if len(a) == 2 else rest(*a, {"api-key": "full"})  # noqa: E731
        fill(keyed, "c", 10)
        made = keyed("POST", "/collections/c/snapshots").result
        full = keyed("POST", "/snapshots").result
        reads = {"api-key": "reads"}
        for path in ("/collections/c/snapshots", f"/collections/c/snapshots/{made['name']}", "/snapshots", f"/snapshots/{full['name']}",
                     "/collections/c/shards/0/snapshots", "/collections/c/shards/0/snapshot"):
            assert rest("GET", path).status == 401
            assert rest("GET", path, None, reads).status == 200
        recover = {"location": f"file://{server.snapshots}/c/{made['name']}"}
        for method, path, body in (
                ("POST", "/collections/c/snapshots", None), ("DELETE", f"/collections/c/snapshots/{made['name']}", None), ("POST", "/snapshots", None),
                ("DELETE", f"/snapshots/{full['name']}", None), ("PUT", "/collections/c/snapshots/recover", recover),
                ("POST", "/collections/c/snapshots/upload", b""), ("POST", "/collections/c/shards/0/snapshots", None),
                ("PUT", "/collections/c/shards/0/snapshots/recover", recover), ("POST", "/collections/c/shards/0/snapshots/upload", b"")):
            assert rest(method, path, body, reads).status == 403, (method, path)
            assert rest(method, path, body).status == 401, (method, path)
        assert keyed("GET", "/collections/c/snapshots").result == [made]


def test_snapshots_are_counted(shared, rest, filled):
    create(rest, f"/collections/{filled}")
    lines = rest("GET", "/metrics").body.decode().splitlines()
    assert f'snapshot_created_total{{id="{filled}"}} 1' in lines
    assert f'snapshot_creation_running{{id="{filled}"}} 0' in lines and f'snapshot_recovery_running{{id="{filled}"}} 0' in lines
    assert {"id": filled, "running_snapshots": 0, "running_snapshot_recovery": 0, "total_snapshot_creations": 1} in (
        rest("GET", "/telemetry?details_level=1").result["collections"]["snapshots"])


def test_collections_of_any_name(shared, rest, other):
    import urllib.parse
    name = f"{other} ü\"'%"[-40:].replace('"', "")
    path = f"/collections/{urllib.parse.quote(name)}"
    fill(rest, path.removeprefix("/collections/"), 20)
    try:
        before = content(rest, path.removeprefix("/collections/"))
        made = create(rest, path)
        data = download(rest, path, made["name"])
        stream = rest("GET", f"{path}/shards/0/snapshot")
        assert stream.status == 200 and "filename*=UTF-8''" in stream.headers["content-disposition"]
        assert upload(shared, f"/collections/{other}", data).status_code == 200
        assert content(rest, other) == before
        assert rest("DELETE", f"{path}/snapshots/{made['name']}").result is True
    finally:
        rest("DELETE", path)
