"""A bucket of S3 in memory that checks every signature (AWS Signature Version 4) against its own computation."""
import hashlib
import hmac
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

ACCESS, SECRET, REGION, BUCKET = "AKIATESTTESTTEST", "s3cr3t/of+the/test", "eu-test-1", "octant-bucket"
PAGE = 3  # keys of one answer to a list


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    @property
    def mock(self):
        return self.server.mock

    def answer(self, status, body=b"", headers=()):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code):
        self.answer(status, f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>because &lt;of&gt; that</Message></Error>")

    def is_signed(self, path, query, body):
        fields = dict(part.split("=", 1) for part in self.headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").replace(" ", "").split(","))
        key, day, region, service, kind = fields["Credential"].split("/")
        time, names = self.headers["x-amz-date"], fields["SignedHeaders"].split(";")
        if (key, region, service, kind) != (ACCESS, REGION, "s3", "aws4_request") or not time.startswith(day) or "host" not in names:
            return False
        digest = hashlib.sha256(body).hexdigest()
        if self.headers["x-amz-content-sha256"] != digest or names != sorted(names):
            return False
        items = sorted((item.split("=", 1) + [""])[:2] for item in query.split("&") if item)
        canonical = "\n".join([self.command, path, "&".join("=".join(i) for i in items),
                               *(f"{n}:{self.headers[n].strip()}" for n in names), "", ";".join(names), digest])
        text = "\n".join(["AWS4-HMAC-SHA256", time, f"{day}/{region}/s3/aws4_request", hashlib.sha256(canonical.encode()).hexdigest()])
        secret = f"AWS4{SECRET}".encode()
        for part in (day, region, "s3", "aws4_request"):
            secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
        return hmac.compare_digest(hmac.new(secret, text.encode(), hashlib.sha256).hexdigest(), fields["Signature"])

    def handle_request(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        q = {k: v[0] for k, v in urllib.parse.parse_qs(query, keep_blank_values=True).items()}
        with self.mock.lock:
            self.mock.requests.append((self.command, path, q))
            if not self.is_signed(path, query, body):
                return self.refuse(403, "SignatureDoesNotMatch")
            for place, fails in enumerate(self.mock.failures):
                if fails(self.command, path, q):
                    del self.mock.failures[place]
                    return self.refuse(500, "InternalError")
            bucket, _, key = path.removeprefix("/").partition("/")
            if bucket != BUCKET:
                return self.refuse(404, "NoSuchBucket")
            return self.act(urllib.parse.unquote(key), q, body)

    def act(self, key, q, body):
        objects, uploads = self.mock.objects, self.mock.uploads
        tag = f'"{hashlib.md5(body).hexdigest()}"'
        if self.command == "GET" and not key:
            return self.answer(200, self.listing(q))
        if self.command == "POST" and "uploads" in q:
            uploads[f"up/load+{len(uploads)}"] = (key, {})
            return self.answer(200, f"<R><UploadId>up/load+{len(uploads) - 1}</UploadId></R>")
        if "uploadId" in q:
            if q["uploadId"] not in uploads or uploads[q["uploadId"]] is None:
                return self.refuse(404, "NoSuchUpload")
            target, parts = uploads[q["uploadId"]]
            assert target == key
            if self.command == "PUT":
                parts[int(q["partNumber"])] = (body, tag)
                return self.answer(200, headers=[("ETag", tag)])
            uploads[q["uploadId"]] = None
            if self.command == "DELETE":
                return self.answer(204)
            named = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{t}</ETag></Part>" for n, (_, t) in sorted(parts.items()))
            if body.decode() != f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>":
                return self.refuse(400, "InvalidPart")
            objects[key] = b"".join(data for _, (data, _) in sorted(parts.items()))
            return self.answer(200, "<R><ETag>x</ETag></R>")
        if self.command == "PUT":
            objects[key] = body
            return self.answer(200, headers=[("ETag", tag)])
        if self.command == "DELETE":
            objects.pop(key, None)
            return self.answer(204)
        if key not in objects:
            return self.refuse(404, "NoSuchKey")
        return self.answer(200, objects[key])

    def listing(self, q):
        assert q["list-type"] == "2" and q["encoding-type"] == "url"
        keys = [k for k in sorted(self.mock.objects) if k.startswith(q["prefix"]) and k > q.get("continuation-token", "")]
        text = "".join(f"<Contents><Key>{urllib.parse.quote(k)}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
                       f"<ETag>&quot;x&quot;</ETag><Size>{len(self.mock.objects[k])}</Size></Contents>" for k in keys[:PAGE])
        more = len(keys) > PAGE
        token = f"<NextContinuationToken>{escape(keys[PAGE - 1])}</NextContinuationToken>" if more else ""
        return f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{text}</ListBucketResult>"

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request


class S3:
    """The mock, on a port of its own. `failures` are functions of a request that say whether it fails once with 500."""

    def __init__(self):
        self.objects, self.uploads, self.requests, self.failures = {}, {}, [], []
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.mock = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def settings(self):
        prefix = "QDRANT__STORAGE__SNAPSHOTS_CONFIG__"
        return {prefix + "SNAPSHOTS_STORAGE": "s3", prefix + "S3_CONFIG__BUCKET": BUCKET, prefix + "S3_CONFIG__REGION": REGION,
                prefix + "S3_CONFIG__ACCESS_KEY": ACCESS, prefix + "S3_CONFIG__SECRET_KEY": SECRET,
                prefix + "S3_CONFIG__ENDPOINT_URL": f"http://127.0.0.1:{self.server.server_port}"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
