#!/usr/bin/env python3
"""All that must pass: lint, release build, black-box tests, Swift unit tests. Runs every step it can and sums up.

The unit tests are built while the black-box tests run, which wait for disks and clients a good part of the time; the build
gives way to them. The runners' own output is passed on as it comes, the build's if it fails; the last line is
`N passed, N failed`."""
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def run(title, command):
    """Run a step, pass its output on; (succeeded, its output, seconds)."""
    print(f"\n==== {title}: {' '.join(command)}", flush=True)
    started, kept = time.monotonic(), []
    p = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    for line in p.stdout:
        print(line, end="", flush=True)
        kept.append(ANSI.sub("", line))
    return p.wait() == 0, "".join(kept), time.monotonic() - started


class Beside:
    """A step that runs beside the next ones, on what they leave of the processor; its output is kept for later."""

    def __init__(self, command):
        self.command, self.started = command, time.monotonic()
        self.kept = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(["nice", "-n", "10", *command], cwd=ROOT, stdout=self.kept, stderr=subprocess.STDOUT)

    def end(self, title):
        """As run()."""
        print(f"\n==== {title}: {' '.join(self.command)}", flush=True)
        ok, seconds = self.process.wait() == 0, time.monotonic() - self.started
        self.kept.seek(0)
        text = self.kept.read()
        print(f"{title}: done after {seconds:.0f} s, beside the black-box tests" if ok else text, flush=True)
        return ok, text, seconds


def single(ok, _):
    return (1, 0) if ok else (0, 1)


def swift_counts(ok, text):
    """Swift Testing's summary, e.g. `Test run with 12 tests in 3 suites passed after 0.1 seconds.`"""
    total = sum(int(n) for n in re.findall(r"Test run with (\d+) tests?", text))
    failed = len(set(re.findall(r"^. Test (.+?) failed after", text, re.M)) - {"run"})
    failed -= sum(1 for _ in re.findall(r"^. Test run with .* failed after", text, re.M))
    failed = max(failed, 0)
    if not ok or total == 0:
        failed = max(failed, 1)
    return max(total - failed, 0), failed


def pytest_counts(ok, text):
    last = [line for line in text.splitlines() if re.search(r"\d+ (passed|failed|error)", line)][-1:]
    count = lambda word: sum(int(n) for n in re.findall(r"(\d+) " + word, last[0])) if last else 0
    passed, failed = count("passed"), count("failed") + count("error")
    if not ok or passed == 0:
        failed = max(failed, 1)
    return passed, failed


def main():
    rows = []

    def note(title, counts, result):
        ok, text, seconds = result
        rows.append((title, *counts(ok, text), seconds, ""))
        return ok

    note("lint", single, run("lint", ["scripts/lint.sh"]))
    # One Swift build at a time.
    release = ["scripts/quietly.sh", "release build", "swift", "build", "-c", "release", "--product", "octant"]
    built = note("release build", single, run("release build", release))
    tests = Beside(["swift", "build", "--build-tests"])
    if built:
        command = [sys.executable, "-m", "pytest", "Conformance", "-ra"]
        note("black-box tests", pytest_counts, run("black-box tests", command))
    else:
        rows.append(("black-box tests", 0, 1, 0.0, "not run: no release build"))
    if note("test build", single, tests.end("test build")):
        note("unit tests", swift_counts, run("unit tests", ["swift", "test"]))
    else:
        rows.append(("unit tests", 0, 1, 0.0, "not run: they do not build"))
    print()
    for title, passed, failed, seconds, note in rows:
        print(f"{title:16} {passed:5} passed {failed:4} failed {seconds:7.1f} s  {note}")
    passed, failed = sum(r[1] for r in rows), sum(r[2] for r in rows)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
