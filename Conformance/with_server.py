"""with_server.py COMMAND...: run a command against a fresh server; {url}, {pid} and {storage} in it are filled in."""
import subprocess
import sys

from octant_server import Server


def main():
    server = Server()
    try:
        server.start()
        values = {"{url}": server.url, "{pid}": str(server.pid), "{storage}": server.storage}
        status = subprocess.run([values.get(a, a) for a in sys.argv[1:]]).returncode
        if status or not server.alive():
            print(f"---- server log\n{server.log()}", file=sys.stderr)
            return status or 1
        return 0 if server.stop() == 0 else 1
    except (RuntimeError, OSError) as e:
        print(e, file=sys.stderr)
        return 1
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
