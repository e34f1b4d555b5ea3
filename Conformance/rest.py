"""Plain HTTP with keep-alive, for what the official client cannot say or would hide."""
import http.client
import json
import urllib.parse
from typing import NamedTuple


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: dict

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def result(self):
        assert self.status == 200, f"{self.status}: {self.body[:500]!r}"
        return self.json["result"]

    @property
    def error(self):
        """The text of an error envelope, whose shape is checked on the way."""
        body = self.json
        assert set(body) == {"status", "time"}, body
        assert isinstance(body["time"], (int, float)) and set(body["status"]) == {"error"}, body
        return body["status"]["error"]


class Rest:
    def __init__(self, url, timeout=120):
        self.host = urllib.parse.urlparse(url).netloc
        self.timeout = timeout
        self.connection = None

    def __call__(self, method, path, body=None, headers=None):
        """One request. bytes are sent as they are, anything else as JSON. A dropped idle connection is opened anew."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        for fresh in (self.connection is None, True):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
            try:
                self.connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
                r = self.connection.getresponse()
                return Reply(r.status, r.read(), {k.lower(): v for k, v in r.getheaders()})
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if fresh:
                    raise
        raise AssertionError("unreachable")

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None
