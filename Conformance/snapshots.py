"""What tests of snapshots share: filled collections, their content, uploads."""
import glob
import hashlib
import http.client
import json
import os
import time

import requests

TWO = {"vectors": {"size": 4, "distance": "Dot"}, "optimizers_config": {"indexing_threshold": 1}, "hnsw_config": {"m": 8}, "metadata": {"a": 1}}


# Recovery from servers of this machine.
OPEN = {"QDRANT__SERVICE__ENABLE_SNAPSHOT_URL_RECOVERY": "true", "QDRANT__SERVICE__SNAPSHOT_URL__ALLOW_HTTP": "true",
        "QDRANT__SERVICE__SNAPSHOT_URL__ALLOW_PRIVATE_ADDRESSES": "true"}


def fill(rest, name, count=300, offset=0, settings=TWO):
    """A collection with an index of payload; every point tells by its payload which filling it is of."""
    assert rest("PUT", f"/collections/{name}", settings).result is True
    assert rest("PUT", f"/collections/{name}/index?wait=true", {"field_name": "n", "field_schema": "integer"}).status == 200
    write(rest, name, count, offset)


def write(rest, name, count=300, offset=0):
    points = [{"id": i, "vector": [i, offset, 1, -i], "payload": {"n": i, "filling": offset, "text": "ü" * (i % 7)}} for i in range(1, count + 1)]
    assert rest("PUT", f"/collections/{name}/points?wait=true", {"points": points}).status == 200


def points(rest, name):
    return rest("POST", f"/collections/{name}/points/scroll", {"limit": 100_000, "with_vector": True}).result["points"]


def content(rest, name):
    """All that a snapshot must keep."""
    info = rest("GET", f"/collections/{name}").result
    return {"config": info["config"], "payload_schema": info["payload_schema"], "points": points(rest, name)}


def create(rest, path):
    return rest("POST", f"{path}/snapshots").result


def download(rest, path, name):
    r = rest("GET", f"{path}/snapshots/{name}")
    assert r.status == 200, r.body[:300]
    assert r.headers["content-type"] == "application/octet-stream"
    assert r.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert int(r.headers["content-length"]) == len(r.body)
    return r.body


def upload(server, path, data, headers=None, **params):
    return requests.post(f"{server.url}{path}/snapshots/upload", files={"snapshot": ("any.snapshot", data)}, params=params, headers=headers, timeout=120)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def stored(server):
    """Files in the folder of snapshots, without those of uploads."""
    return sorted(os.path.relpath(p, server.snapshots) for p in glob.glob(f"{server.snapshots}/**/*", recursive=True) if os.path.isfile(p))


def temporary(server):
    return glob.glob(f"{server.snapshots}/.tmp-*/*")


def until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


BOUNDARY = "0123456789abcdef"
HEAD = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="snapshot"; filename="x"\r\n\r\n'.encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def send_slowly(server, path, pieces, length):
    """An upload whose body is given piece by piece; the status and the text of the answer."""
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    c.request("POST", path, pieces, {**FORM, "Content-Length": str(length)})
    r = c.getresponse()
    body = r.read()
    c.close()
    return r.status, json.loads(body)["status"]
