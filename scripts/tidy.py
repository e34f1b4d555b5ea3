#!/usr/bin/env python3
"""House rules over the whole tree. Prints one line per breach and exits with 1 if there is any."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENGINE = ("COctantKernels", "OctantModel", "OctantStorage", "OctantVectors", "OctantPayload", "OctantEngine", "Octant")
LONGEST = 500
LARGEST = 2 * 1024 * 1024
# A program wrote these from the .proto files: their length and their style are its own.
GENERATED = "Sources/OctantProtocol/Generated/"
BANNED = re.compile(r"\btry!|\bfatalError\(|\bas!|\bpreconditionFailure\(")
# Written in pieces so that this file passes its own rules.
LEFTOVER = re.compile(r"\b(" + "TO" + "DO|FIX" + r"ME)\b")
MACHINE = re.compile(r"(?<![\w.:/-])/(home/\w|Us" + "ers/\\w|ro" + "ot/|wo" + "rk/)")
FOUNDATION = re.compile(r"^\s*(?:@\w+\s+|package\s+|public\s+|internal\s+|private\s+)*import\s+Foundation")
INVARIANT = re.compile(r"//\s*invariant:\s*\S")
LONG_FILE = re.compile(r"//\s*long file:\s*\S")


def tree():
    """Files git knows or would add."""
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                         capture_output=True, check=True).stdout.decode()
    return sorted(set(p for p in out.split("\0") if p and os.path.isfile(os.path.join(ROOT, p))))


def check_swift(path, lines, text):
    in_sources = path.startswith("Sources/")
    if in_sources and len(lines) > LONGEST and not LONG_FILE.search(text):
        yield 1, f"{len(lines)} lines, more than {LONGEST}; split it or say why in a comment `// long file: reason`"
    engine = in_sources and path.split("/")[1] in ENGINE
    for n, line in enumerate(lines, 1):
        code = line.split("//")[0]
        if in_sources and BANNED.search(code) and not INVARIANT.search(line):
            yield n, f"banned call `{BANNED.search(code).group()}` without `// invariant: why`"
        if engine and FOUNDATION.search(code):
            yield n, "Foundation in an engine target"
        if "@unchecked Sendable" in code and not any("SAFETY:" in x for x in lines[max(0, n - 4):n + 3]):
            yield n, "@unchecked Sendable without a SAFETY: comment on it or in the 3 lines around"


def check_text(path, lines):
    tabs_allowed = os.path.basename(path) == "Makefile" or path.endswith(".mk")
    for n, line in enumerate(lines, 1):
        if "\t" in line and not tabs_allowed:
            yield n, "tab"
        if line != line.rstrip():
            yield n, "trailing blanks"
        if LEFTOVER.search(line):
            yield n, f"leftover {LEFTOVER.search(line).group()}"
        if MACHINE.search(line):
            yield n, f"path of one machine: {line.strip()[:60]}"


def main():
    breaches = 0
    paths = tree()
    for path in paths:
        found = []
        fixture = path.startswith(("Tests/Fixtures/", "Fuzz/corpus/"))
        full = os.path.join(ROOT, path)
        size = os.path.getsize(full)
        if size > LARGEST and not fixture:
            found.append((1, f"{size / 2**20:.1f} MB, more than 2 MB outside Tests/Fixtures"))
        with open(full, "rb") as f:
            data = f.read()
        if not fixture and b"\0" not in data[:8192]:
            text = data.decode("utf8", "replace")
            lines = text.split("\n")
            found += check_text(path, lines)
            if path.endswith(".swift") and not path.startswith(GENERATED):
                found += check_swift(path, text.splitlines(), text)
        for n, reason in found:
            print(f"{path}:{n}: {reason}")
        breaches += len(found)
    print(f"tidy: {len(paths)} files, {breaches} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
