"""A memory cgroup, of either version of the kernel's interface: a process in it dies when it needs more than the limit."""
import os
import uuid

ROOT = "/sys/fs/cgroup"


class Unavailable(Exception):
    """The machine has no memory cgroups for us; the text says why."""


class MemoryGroup:
    def __init__(self, limit):
        if os.geteuid() != 0:
            raise Unavailable("memory cgroups need root")
        name = f"octant-test-{uuid.uuid4().hex[:8]}"
        if os.path.exists(f"{ROOT}/memory/memory.limit_in_bytes"):
            self.version, self.path = 1, f"{ROOT}/memory/{name}"
        elif "memory" in self.read(f"{ROOT}/cgroup.controllers").split():
            self.version, self.path = 2, f"{ROOT}/{name}"
        else:
            raise Unavailable("there is no memory controller in /sys/fs/cgroup")
        try:
            if self.version == 2 and "memory" not in self.read(f"{ROOT}/cgroup.subtree_control").split():
                self.write(f"{ROOT}/cgroup.subtree_control", "+memory")
            os.mkdir(self.path)
            self.put("memory.limit_in_bytes" if self.version == 1 else "memory.max", limit)
        except OSError as e:
            raise Unavailable(f"no memory cgroup: {e}") from None
        for name in ("memory.memsw.limit_in_bytes", "memory.swap.max"):  # no swap beside it, where there is swap
            if os.path.exists(f"{self.path}/{name}"):
                self.put(name, limit if "memsw" in name else 0)

    @staticmethod
    def read(path):
        try:
            with open(path) as f:
                return f.read()
        except FileNotFoundError:
            return ""

    @staticmethod
    def write(path, value):
        with open(path, "w") as f:
            f.write(str(value))

    def put(self, name, value):
        self.write(f"{self.path}/{name}", value)

    def join(self):
        """For a process that is to be in the group."""
        self.put("cgroup.procs", os.getpid())

    @property
    def kills(self):
        """How many processes were killed for want of memory."""
        text = self.read(f"{self.path}/{'memory.oom_control' if self.version == 1 else 'memory.events'}")
        return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill ")), 0)

    @property
    def most(self):
        """Bytes held at most, page cache included."""
        return int(self.read(f"{self.path}/{'memory.max_usage_in_bytes' if self.version == 1 else 'memory.peak'}") or 0)

    def remove(self):
        if self.version == 1:
            self.put("memory.force_empty", 0)
        os.rmdir(self.path)
