"""Starts, stops and kills an Octant of its own, on a free port and a folder of its own."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.environ.get("OCTANT_BIN") or os.path.join(ROOT, ".build", "release", "octant")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    running = []  # every server that is up, so that a failing test can show their logs

    def __init__(self, folder=None, env=None, args=(), under=(), before=None):
        """`under`: a command that runs the server, `before`: what its process does first (joins a group, sets a limit)."""
        self.owns_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="octant-")
        self.storage = os.path.join(self.folder, "storage")
        self.snapshots = os.path.join(self.folder, "snapshots")
        self.log_path = os.path.join(self.folder if self.owns_folder else tempfile.gettempdir(),
                                     f"octant-{os.getpid()}-{id(self)}.log")
        self.extra, self.args, self.process, self.port, self.grpc_port = env or {}, list(args), None, free_port(), free_port()
        self.under, self.before, self.was_ready = list(under), before, False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def launch(self):
        """Start the process without waiting for it to be ready."""
        # Only our own settings: a developer's QDRANT__ variables must not change what is tested.
        env = {k: v for k, v in os.environ.items() if not k.startswith("QDRANT__")}
        env |= {"QDRANT__SERVICE__HOST": "127.0.0.1", "QDRANT__SERVICE__HTTP_PORT": str(self.port),
                "QDRANT__SERVICE__GRPC_PORT": str(self.grpc_port),
                "QDRANT__STORAGE__STORAGE_PATH": self.storage, "QDRANT__STORAGE__SNAPSHOTS_PATH": self.snapshots,
                "QDRANT__LOG_LEVEL": "INFO", **self.extra}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.under, BINARY, *self.args], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT, preexec_fn=self.before)
        Server.running.append(self)
        return self

    def start(self, timeout=60):
        for attempt in range(3):
            self.launch()
            deadline = time.monotonic() + timeout
            while time.monotonic() < deadline:
                if self.process.poll() is not None:
                    break
                if self.is_ready():
                    self.was_ready = True
                    return self
                time.sleep(0.01)
            # Another process may have taken the port between choosing and using it. Nothing else is tried again: a server
            # that cannot have its own port back after a restart is at fault.
            if self.was_ready or self.process.poll() is None or "address already in use" not in self.log().lower():
                break
            Server.running.remove(self)
            self.port, self.grpc_port = free_port(), free_port()
        status = self.process.poll()
        self.kill()
        raise RuntimeError(f"the server did not become ready (exit status {status}):\n{self.log(6000)}")

    def is_ready(self):
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=5) as r:
                return r.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def _end(self, sig, timeout):
        if self in Server.running:
            Server.running.remove(self)
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"the server did not end within {timeout} s of {sig.name}:\n{self.log(3000)}") from None

    def stop(self, timeout=30):
        """Graceful stop; the exit status."""
        return self._end(signal.SIGTERM, timeout)

    def kill(self):
        return self._end(signal.SIGKILL, 30)

    def restart(self, graceful=True):
        self.stop() if graceful else self.kill()
        return self.start()

    def log(self, last=4000):
        try:
            with open(self.log_path, "rb") as f:
                f.seek(max(0, os.path.getsize(self.log_path) - last))
                return f.read().decode("utf8", "replace")
        except OSError:
            return ""

    def close(self):
        try:
            if self.alive():
                self.kill()
        finally:
            if self.owns_folder:
                shutil.rmtree(self.folder, ignore_errors=True)
            elif os.path.exists(self.log_path):
                os.remove(self.log_path)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


def memory(pid):
    """Resident memory of a process in MB: all, its anonymous and its file-backed part."""
    out = {}
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            key = line.split(":")[0]
            if key in ("VmRSS", "RssAnon", "RssFile"):
                out[key] = int(line.split()[1]) / 1024
    return out


def cpu_seconds(pid):
    """CPU time a process has used so far, all threads."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def folder_mb(path):
    """Disk blocks taken by a folder's files, in MB."""
    total = 0
    for where, _, files in os.walk(path):
        for name in files:
            try:
                total += os.lstat(os.path.join(where, name)).st_blocks * 512
            except FileNotFoundError:
                pass  # the optimiser may have removed it meanwhile
    return total / 2**20
