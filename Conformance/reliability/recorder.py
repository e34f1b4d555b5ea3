"""recorder.py IMAGE LOG: serve the content of IMAGE through FUSE in its place and log every write and flush to LOG.

IMAGE is a regular file, over which the same content is mounted as one file; a loop device on it carries a file system. What is
written goes to LOG before the kernel is told that it was taken, so that others who append to LOG stand in it in the true order.
IMAGE itself stays as it was. Speaks the kernel's FUSE protocol: nothing needs to be installed. Needs root.

A record of LOG: kind (`W` write, `F` flush; others are for other programs), offset u64, length u32, that many bytes.
"""
import ctypes
import errno
import os
import stat
import struct
import sys

RECORD = struct.Struct("<cQI")
HEADER_IN, HEADER_OUT = struct.Struct("<IIQQIIIHH"), struct.Struct("<IiQ")
LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH, INIT, INTERRUPT, DESTROY, BATCH_FORGET = \
    1, 2, 3, 4, 14, 15, 16, 17, 18, 20, 25, 26, 36, 38, 42
LARGEST = 1 << 20
BIG_WRITES, MAX_PAGES = 1 << 5, 1 << 22
libc = ctypes.CDLL(None, use_errno=True)


def mount(image):
    """A descriptor for the requests of a file system whose root is a regular file, mounted over `image`."""
    fd = os.open("/dev/fuse", os.O_RDWR)
    data = f"fd={fd},rootmode={stat.S_IFREG | 0o600:o},user_id=0,group_id=0,max_read={LARGEST}"
    if libc.mount(b"octant-recorder", image.encode(), b"fuse", 6, data.encode()) != 0:  # nosuid, nodev
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), image)
    return fd


class Recorder:
    def __init__(self, image, log):
        with open(image, "rb") as f:
            self.content = bytearray(f.read())
        self.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.fd = mount(image)

    def record(self, kind, offset=0, data=b""):
        whole = RECORD.size + len(data)
        if os.writev(self.log, [RECORD.pack(kind, offset, len(data)), data]) != whole:
            raise OSError(errno.ENOSPC, "the log is full")

    def attributes(self):
        size = len(self.content)
        return struct.pack("<QIIQQQQQQIIIIIIIIII", 1 << 30, 0, 0, 1, size, size // 512, 0, 0, 0, 0, 0, 0,
                           stat.S_IFREG | 0o600, 1, 0, 0, 0, 4096, 0)

    def answer(self, code, body):
        """The answer to a request; None: it has none; a number: an error."""
        if code == WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            data = body[40:40 + size]
            self.record(b"W", offset, data)
            self.content[offset:offset + size] = data
            return struct.pack("<II", size, 0)
        if code == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return memoryview(self.content)[offset:offset + size]
        if code == FSYNC:
            self.record(b"F")
            return b""
        if code in (GETATTR, SETATTR):
            return self.attributes()
        if code == OPEN:
            return struct.pack("<QII", 1, 0, 0)
        if code == INIT:
            major, minor, ahead, _ = struct.unpack_from("<IIII", body)
            return struct.pack("<IIIIHHIIHHI28x", 7, min(minor, 31), ahead, BIG_WRITES | MAX_PAGES, 12, 9, LARGEST, 1,
                               LARGEST // 4096, 0, 0)
        if code == STATFS:
            return struct.pack("<QQQQQIIII24x", 0, 0, 0, 0, 0, 4096, 255, 4096, 0)
        if code in (FLUSH, RELEASE, DESTROY):
            return b""
        if code in (FORGET, BATCH_FORGET, INTERRUPT):
            return None
        return errno.ENOSYS

    def serve(self):
        buffer = bytearray(LARGEST + 65536)
        view = memoryview(buffer)
        while True:
            try:
                count = os.readv(self.fd, [buffer])
            except OSError as e:
                if e.errno == errno.ENODEV:
                    return  # unmounted
                if e.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):
                    continue
                raise
            code, unique = HEADER_IN.unpack_from(buffer)[1:3]
            reply = self.answer(code, view[HEADER_IN.size:count])
            if reply is None:
                continue
            error, data = (-reply, b"") if isinstance(reply, int) else (0, reply)
            try:
                os.writev(self.fd, [HEADER_OUT.pack(HEADER_OUT.size + len(data), error, unique), data])
            except OSError as e:
                if e.errno != errno.ENOENT:  # the request was taken back
                    raise


if __name__ == "__main__":
    recorder = Recorder(sys.argv[1], sys.argv[2])
    print("ready", flush=True)
    recorder.serve()
