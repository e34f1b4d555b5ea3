"""Snapshots from URLs, with what guards them, and snapshots in a bucket of S3."""
import json
import os
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from octant_server import Server
from rest import Rest
from s3_mock import BUCKET, PAGE, SECRET, S3
from snapshots import OPEN, content, create, download, fill, sha256, stored, temporary, upload, write

MB = 1 << 20
PREFIX = "QDRANT__SERVICE__"
# A certificate of nobody, for 127.0.0.1: no client may trust it.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYEjSbmEp3+emT1P5
mm0BpaSKKzDBY/kMX41Wohv64XqhRANCAATPv/QNe783/7Y70necVJsfMPSeiZcH
G6khUMFkrP1d1R6NVV9Q6ZakwdpGw6pfC/8636XNiC1ADuvL7jRwLYv+
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUQ6o9Z2IW2QejPT1VnXEZNGk/WnMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE2Mzg0OFoYDzIxMjYxMDMw
MTYzODQ4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATPv/QNe783/7Y70necVJsfMPSeiZcHG6khUMFkrP1d1R6NVV9Q6Zak
wdpGw6pfC/8636XNiC1ADuvL7jRwLYv+o28wbTAdBgNVHQ4EFgQUJT/5Z5cQDd+9
s+XClw18hb3GR+cwHwYDVR0jBBgwFoAUJT/5Z5cQDd+9s+XClw18hb3GR+cwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgHNH7GZaH/Hd/5kow6KXP4Na5jEyAEoCbJhcY34lc38ECIQCt
ENtpB+m/l2tFg01VWghCpKjmrYOr1eWUAoitbnqcAg==
-----END CERTIFICATE-----
"""


class Files(BaseHTTPRequestHandler):
    """Answers of every kind that a snapshot may come with."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        data, path = self.server.data, self.path.partition("?")[0]
        if path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if path == "/missing":
            return self.send_error(404)
        self.close_connection = True
        self.send_response(200)
        if path in ("/good", "/short"):
            self.send_header("Content-Length", str(len(data)))
        if path == "/declared":
            self.send_header("Content-Length", str(3 * MB))
        self.end_headers()
        try:
            if path == "/slow":
                while not self.server.ends.wait(0.1):
                    self.wfile.write(b"x")
            else:
                self.wfile.write({"/good": data, "/open": data, "/short": data[:-100], "/garbage": b"x" * 100_000}.get(path, bytes(3 * MB)))
        except OSError:
            pass


@pytest.fixture(scope="module")
def source():
    """A server with a collection, a snapshot of it, and a server of files that has the same one."""
    with Server() as server:
        rest = Rest(server.url)
        fill(rest, "c")
        made = create(rest, "/collections/c")
        files = ThreadingHTTPServer(("127.0.0.1", 0), Files)
        files.asked, files.data, files.ends = [], download(rest, "/collections/c", made["name"]), threading.Event()
        threading.Thread(target=files.serve_forever, daemon=True).start()
        server.files, server.made, server.content = files, made, content(rest, "c")
        server.file_url = f"http://127.0.0.1:{files.server_port}"
        yield server
        files.ends.set()
        files.shutdown()
        files.server_close()


@pytest.fixture(scope="module")
def taker():
    with Server(env={**OPEN, PREFIX + "SNAPSHOT_URL__MAX_SIZE_MB": "2", PREFIX + "SNAPSHOT_URL__TIMEOUT_SEC": "2"}) as server:
        yield server


def recover(server, location, headers=None, **more):
    r = Rest(server.url)("PUT", "/collections/taken/snapshots/recover", {"location": location, **more}, headers)
    return r.status, "" if r.status == 200 else r.error


def test_a_snapshot_is_taken_from_another_server(source, taker):
    rest = Rest(taker.url)
    url = f"{source.url}/collections/c/snapshots/{source.made['name']}"
    assert recover(taker, url, checksum=source.made["checksum"]) == (200, "")
    assert content(rest, "taken") == source.content
    write(rest, "taken", 400, offset=3)
    # Without a length, as a shard is streamed, and into the shard.
    assert rest("PUT", "/collections/taken/shards/0/snapshots/recover", {"location": f"{source.url}/collections/c/shards/0/snapshot"}).result is True
    assert content(rest, "taken") == source.content
    status, text = recover(taker, url, checksum="0" * 64)
    assert status == 400 and "checksum mismatch" in text
    assert temporary(taker) == []


def test_a_key_for_the_other_server_goes_there_and_nowhere_else(source, taker):
    key = "canary-4711"
    assert recover(taker, f"{source.file_url}/good?token=secret", api_key=key) == (200, "")
    path, headers = source.files.asked[-1]
    assert path == "/good?token=secret" and headers["api-key"] == key and headers["host"] == source.file_url.removeprefix("http://")
    assert recover(taker, f"{source.file_url}/good") == (200, "")
    assert "api-key" not in source.files.asked[-1][1]
    status, text = recover(taker, f"{source.file_url}/missing?token=secret", api_key=key)
    assert status == 400 and "404" in text and "secret" not in text
    assert recover(taker, f"{source.file_url}/good", api_key="a\r\nx: y")[0] == 400
    assert key not in taker.log(1 << 20) and "secret" not in taker.log(1 << 20)


@pytest.mark.parametrize("path, says", [
    ("/redirect", "redirects are not followed"), ("/missing", "404"), ("/short", "the connection broke"), ("/garbage", "Snapshot cannot be recovered"),
    ("/declared", "larger than"), ("/endless", "larger than"), ("/slow", "the connection broke")])
def test_what_does_not_come_whole_is_refused(source, taker, path, says):
    rest = Rest(taker.url)
    before, asked = content(rest, "taken"), len(source.files.asked)
    start = time.monotonic()
    status, text = recover(taker, source.file_url + path)
    assert status == 400 and says in text, text
    assert len(source.files.asked) == asked + 1
    assert content(rest, "taken") == before and temporary(taker) == []
    assert time.monotonic() - start < 30


def test_nobody_there(taker):
    assert recover(taker, "http://127.0.0.1:1/x")[0] == 400
    assert recover(taker, "http://no-such-host.invalid/x")[0] == 400
    for location in ("http://user:canary@127.0.0.1/", "http://", "http://127.0.0.1:99999/", "http://127.0.0.1/a b", "https:/x"):
        status, text = recover(taker, location)
        assert status == 400 and "canary" not in text, location


def test_a_certificate_that_nobody_vouches_for_is_refused(source, taker, tmp_path):
    (tmp_path / "both.pem").write_text(CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    files = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    files.asked, files.data, files.ends = [], source.files.data, threading.Event()
    files.handle_error = lambda *_: None
    files.socket = context.wrap_socket(files.socket, server_side=True)
    threading.Thread(target=files.serve_forever, daemon=True).start()
    try:
        for host in ("127.0.0.1", "localhost"):
            status, text = recover(taker, f"https://{host}:{files.server_port}/good")
            assert status == 400 and "Failed to download" in text and "the certificate is not trusted" in text
        assert files.asked == []
    finally:
        files.shutdown()
        files.server_close()


@pytest.mark.parametrize("env, location, says", [
    ({}, "GOOD", "is off: set service.enable_snapshot_url_recovery"),
    ({PREFIX + "API_KEY": "k"}, "GOOD", "https URLs only"),
    ({PREFIX + "API_KEY": "k", PREFIX + "ENABLE_SNAPSHOT_URL_RECOVERY": "false"}, "GOOD", "is off"),
    ({PREFIX + "ENABLE_SNAPSHOT_URL_RECOVERY": "true"}, "GOOD", "https URLs only"),
    ({PREFIX + "ENABLE_SNAPSHOT_URL_RECOVERY": "true"}, "https://127.0.0.1:1/x", "not on the public internet"),
    ({PREFIX + "API_KEY": "k", PREFIX + "SNAPSHOT_URL__ALLOW_HTTP": "true"}, "GOOD", "not on the public internet"),
    ({PREFIX + "API_KEY": "k", PREFIX + "SNAPSHOT_URL__ALLOW_HTTP": "true"}, "http://169.254.169.254/latest/meta-data", "not on the public internet"),
    ({PREFIX + "API_KEY": "k", PREFIX + "SNAPSHOT_URL__ALLOW_HTTP": "true"}, "http://[::ffff:127.0.0.1]:1/x", "not on the public internet"),
    ({PREFIX + "API_KEY": "k", PREFIX + "SNAPSHOT_URL__ALLOW_HTTP": "true"}, "http://0x7f000001/x", "not on the public internet"),
    ({PREFIX + "API_KEY": "k", PREFIX + "SNAPSHOT_URL__ALLOW_HTTP": "true"}, "http://localhost/x", "not on the public internet"),
    ({**OPEN, PREFIX + "SNAPSHOT_URL__ALLOWED_HOSTS": "example.org,127.0.0.2"}, "GOOD", "allowed_hosts")])
def test_guards(source, env, location, says):
    with Server(env=env) as server:
        asked = len(source.files.asked)
        status, text = recover(server, location.replace("GOOD", source.file_url + "/good"), {"api-key": "k"})
        assert status == 403 and text.startswith("Forbidden: ") and says in text, text
        assert len(source.files.asked) == asked, "nothing was asked for"


def test_hosts_that_are_named_are_taken(source):
    with Server(env={**OPEN, PREFIX + "SNAPSHOT_URL__ALLOWED_HOSTS": "example.org, 127.0.0.1"}) as server:
        assert recover(server, f"{source.file_url}/good") == (200, "")


# MARK: S3

@pytest.fixture(scope="module")
def bucket():
    with S3() as s3, Server(env=s3.settings) as server:
        server.s3 = s3
        yield server
        assert SECRET not in server.log(1 << 20)


def test_snapshots_are_kept_in_the_bucket(bucket):
    rest, path, s3 = Rest(bucket.url), "/collections/c d", bucket.s3
    path = path.replace(" ", "%20")
    fill(rest, "c%20d", 100)
    before = content(rest, "c%20d")
    assert rest("GET", f"{path}/snapshots").result == []
    made = [create(rest, path) for _ in range(PAGE + 1)]
    assert len({m["name"] for m in made}) == PAGE + 1
    assert stored(bucket) == [], "nothing stays here"
    found = rest("GET", f"{path}/snapshots").result
    assert [(f["name"], f["size"], f["checksum"]) for f in found] == sorted((m["name"], m["size"], m["checksum"]) for m in made)
    assert {f["creation_time"] for f in found} == {"2026-01-02T03:04:05"}
    assert sum(1 for verb, _, q in s3.requests if verb == "GET" and "continuation-token" in q) >= 2, "lists of several pages are read whole"
    name = made[0]["name"]
    data = download(rest, path, name)
    assert sha256(data) == made[0]["checksum"] == s3.objects[f"collections/c%20d/{name}.checksum"].decode()
    assert upload(bucket, "/collections/other", data, checksum=made[0]["checksum"]).status_code == 200
    assert content(rest, "other") == before
    for method in ("GET", "DELETE"):
        for absent in ("nothing.snapshot", "..%2F..%2Fx", "x" * 256):
            assert rest(method, f"{path}/snapshots/{absent}").status == 404
    for m in made:
        assert rest("DELETE", f"{path}/snapshots/{m['name']}").result is True
    assert rest("DELETE", f"{path}/snapshots/{name}").status == 404
    assert s3.objects == {} and rest("GET", f"{path}/snapshots").result == []
    assert rest("POST", "/collections/nothing/snapshots").status == 404


def test_shards_and_the_storage_are_kept_apart(bucket):
    rest, s3 = Rest(bucket.url), bucket.s3
    fill(rest, "s", 10)
    full, shard = create(rest, ""), create(rest, "/collections/s/shards/0")
    assert set(s3.objects) == {key + end for key in (f"full/{full['name']}", f"shards/s/0/{shard['name']}") for end in ("", ".checksum")}
    for path, made in (("", full), ("/collections/s/shards/0", shard)):
        assert [f["name"] for f in rest("GET", f"{path}/snapshots").result] == [made["name"]]
        assert sha256(download(rest, path, made["name"])) == made["checksum"]
        assert rest("DELETE", f"{path}/snapshots/{made['name']}").result is True
    assert s3.objects == {}


def test_large_snapshots_go_in_parts_and_failures_leave_none(bucket):
    rest, s3 = Rest(bucket.url), bucket.s3
    assert rest("PUT", "/collections/large", {"vectors": {"size": 4, "distance": "Dot"}}).result is True
    for part in range(3):
        text = [{"id": part * 10 + i, "vector": [1, 2, 3, 4], "payload": {"t": os.urandom(400_000).hex()}} for i in range(10)]
        assert rest("PUT", "/collections/large/points?wait=true", {"points": text}).status == 200
    s3.failures.append(lambda verb, _, q: q.get("partNumber") == "2")
    made = create(rest, "/collections/large")
    assert made["size"] > 20_000_000
    parts = [q["partNumber"] for verb, _, q in s3.requests if "partNumber" in q]
    assert parts == ["1", "2", "2"], "a part that failed is sent again"
    assert sha256(download(rest, "/collections/large", made["name"])) == made["checksum"]
    assert rest("DELETE", f"/collections/large/snapshots/{made['name']}").result is True
    s3.failures += [lambda verb, _, q: q.get("partNumber") == "2"] * 3
    r = rest("POST", "/collections/large/snapshots")
    assert r.status == 503 and "S3: InternalError: because <of> that" in r.error
    assert s3.objects == {} and set(s3.uploads.values()) == {None} and stored(bucket) == []


def test_a_wrong_key_and_a_wrong_place():
    with S3() as s3:
        config = "QDRANT__STORAGE__SNAPSHOTS_CONFIG__"
        with Server(env={**s3.settings, config + "S3_CONFIG__SECRET_KEY": "wrong-canary"}) as server:
            rest = Rest(server.url)
            fill(rest, "c", 5)
            for r in (rest("POST", "/collections/c/snapshots"), rest("GET", "/snapshots")):
                assert r.status == 500 and "S3: SignatureDoesNotMatch" in r.error and "canary" not in r.error
            assert s3.objects == {} and stored(server) == [] and "canary" not in server.log(1 << 20)
        with Server(env={**s3.settings, config + "S3_CONFIG__BUCKET": BUCKET + "x"}) as server:
            assert "NoSuchBucket" in Rest(server.url)("GET", "/snapshots").error
        with Server(env={**s3.settings, config + "S3_CONFIG__ENDPOINT_URL": "http://127.0.0.1:1"}) as server:
            assert Rest(server.url)("GET", "/snapshots").status == 503
    for key, value, says in (("S3_CONFIG__BUCKET", "", "bucket"), ("SNAPSHOTS_STORAGE", "gcs", "expected one of `local`, `s3`"),
                             ("S3_CONFIG__ENDPOINT_URL", "nowhere", "endpoint_url")):
        server = Server(env={**s3.settings, config + key: value})
        try:
            server.launch()
            assert server.process.wait(30) == 1 and says in server.log()
        finally:
            server.close()
            Server.running.remove(server)


def test_answers_are_json(bucket):
    assert json.loads(Rest(bucket.url)("GET", "/snapshots").body)["status"] == "ok"
