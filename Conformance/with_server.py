"""with_server.py COMMAND...: run a command against a fresh server; {url}, {pid}, {storage} and {grpc_port} in it are filled in."""
import signal
import subprocess
import sys

from octant_server import Server


def main():
    server, child = Server(), None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server does not outlive us
    try:
        server.start()
        values = {"{url}": server.url, "{pid}": str(server.pid), "{storage}": server.storage,
                  "{grpc_port}": str(server.grpc_port)}
        child = subprocess.Popen([values.get(a, a) for a in sys.argv[1:]])
        status = child.wait()
        if status or not server.alive():
            print(f"---- server log\n{server.log()}", file=sys.stderr)
            return status or 1
        return 0 if server.stop() == 0 else 1
    except (RuntimeError, OSError) as e:
        print(e, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if child and child.poll() is None:
            child.terminate()
            child.wait()
        server.close()


if __name__ == "__main__":
    sys.exit(main())
