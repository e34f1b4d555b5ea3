#!/usr/bin/env python3
"""Writes what corners.py and quantizers.py measured into docs/: tables between markers, and plots.

    render.py [--corners corners.json] [--quantizers quantizers.json] [--docs docs]

A table stands between `<!-- measured: NAME -->` and `<!-- end measured -->`, in any file of docs/ and docs/measurements/;
everything outside of such markers is kept as it is.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import plot_svg
from corner_list import CORNERS
from curves import at, curve, spread
from plot_svg import number
from render_quantizers import quantizer_tables

ENGINES = ("octant", "qdrant")
NAMES = {"octant": "Octant", "qdrant": "Qdrant"}
RECALLS = (0.95, 0.98, 0.99)
# The pages with tables; into another folder than this one, they are copied before they are filled.
DOCS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs")
PAGES = ("optimize.md", "measurements/corners.md", "measurements/quantizers.md")


def table(head, rows):
    out = ["| " + " | ".join(map(str, head)) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def ratio(a, b):
    return "–" if not a or not b else f"{a / b:.2f}"


def shown(value, unit=""):
    return "–" if value is None else number(value) + unit


class Corner:
    """The samples of one corner, by engine and kind."""

    def __init__(self, name, samples):
        self.name, self.definition = name, CORNERS[name]
        self.samples = [s for s in samples if s["corner"] == name]
        self.mode = next(iter(self.definition["modes"]))

    def of(self, engine, kind, **wanted):
        return [s for s in self.samples if s["engine"] == engine and s["kind"] == kind
                and all(s.get(k) == v for k, v in wanted.items())]

    def median(self, engine, kind, key, **wanted):
        values = [s[key] for s in self.of(engine, kind, **wanted) if key in s]
        return statistics.median(values) if values else None

    def curve(self, engine, key="cpu_us", mode=None):
        return curve(self.of(engine, "search", mode=mode or self.mode), key)

    def at(self, engine, key, recall, mode=None):
        return at(self.curve(engine, key, mode), recall)

    def qps(self, engine, threads, recall):
        """Queries a second at a recall; of several ways to have `threads` clients, the best."""
        recalls = {}
        for s in self.of(engine, "search", mode=self.mode):
            recalls.setdefault(s["ef"], []).append(s["recall"])
        best = None
        samples = self.of(engine, "throughput", threads=threads)
        for how in {s["how"] for s in samples}:
            points = [s | {"recall": statistics.median(recalls[s["ef"]])} for s in samples
                      if s["how"] == how and s["ef"] in recalls]
            found = at(curve(points, "qps", largest=True), recall)
            best = max(filter(None, (best, found)), default=None)
        return best

    def ratio_at(self, recall, key="cpu_us"):
        mine, theirs = (self.at(e, key, recall) for e in ENGINES)
        return mine / theirs if mine and theirs else None

    def ratios(self):
        """What has a goal: (name, ratio, goal)."""
        goals = self.definition["goals"]
        found = [(f"search, recall {r}", self.ratio_at(r), goals["search"]) for r in RECALLS]
        for name, kind, key, goal in (("build CPU", "built", "cpu_s", "build"),
                                      ("resident after open", "open", "resident_mb", "memory"),
                                      ("peak while building", "built", "peak_mb", "peak")):
            mine, theirs = (self.median(e, kind, key) for e in ENGINES)
            found.append((name, mine / theirs if mine is not None and theirs else None, goals[goal]))
        return found

    def spread(self):
        """The largest deviation of a round from the median of its CPU times, over both engines."""
        worst = 0.0
        for engine in ENGINES:
            by_ef = {}
            for s in self.of(engine, "search", mode=self.mode):
                by_ef.setdefault(s["ef"], []).append(s["cpu_us"])
            worst = max([worst] + [spread(v) for v in by_ef.values()])
        return worst


def goals_table(corners):
    heads = [name for name, _, _ in corners[0].ratios()]
    rows = []
    for corner in corners:
        cells = []
        for _, value, goal in corner.ratios():
            mark = "" if value is None else ("**" if value <= goal else "")
            cells.append(f"{mark}{value:.2f}{mark} (≤ {goal})" if value is not None else "–")
        rows.append([f"`{corner.name}`", *cells])
    return ("Octant ÷ Qdrant, with the goal; bold: reached.\n\n" + table(["corner", *heads], rows))


def corner_table(corner):
    rows = []

    def row(label, values, unit="", compare=True):
        mine, theirs = values
        rows.append([label, shown(mine, unit), shown(theirs, unit), ratio(mine, theirs) if compare else ""])

    both = lambda kind, key, **wanted: [corner.median(e, kind, key, **wanted) for e in ENGINES]
    for r in RECALLS:
        row(f"search, CPU µs at recall {r}", [corner.at(e, "cpu_us", r) for e in ENGINES])
    middle = corner.definition["recall"]
    for label, key in (("CPU µs, p50", "cpu_p50_us"), ("CPU µs, p99", "cpu_p99_us"),
                       ("wall µs of one query at a time, p50", "wall_p50_us"), ("wall µs, p99", "wall_p99_us")):
        row(f"{label}, recall {middle}", [corner.at(e, key, middle) for e in ENGINES])
    for threads, label in ((1, "1 client"), (2, "2 clients"), (8, "8 clients")):
        row(f"queries/s of {label}, recall {middle}", [corner.qps(e, threads, middle) for e in ENGINES])
    for mode in list(corner.definition["modes"])[1:]:
        best = [max((s["recall"] for s in corner.of(e, "search", mode=mode)), default=None) for e in ENGINES]
        if None not in best:
            reached = max(r for r in (0.5, 0.7, 0.8, 0.9, 0.95, 0.98) if r <= min(best) or r == 0.5)
            row(f"{mode}: CPU µs at recall {reached} (highest: {best[0]:.3f} and {best[1]:.3f})",
                [corner.at(e, "cpu_us", reached, mode) for e in ENGINES])
    for kind, when in (("open", "after opening"), ("warm", "after all queries")):
        parts = [[corner.median(e, kind, k) for k in ("resident_mb", "anon_mb", "mapped_mb")] for e in ENGINES]
        rows.append([f"resident MB {when} (anonymous + mapped)",
                     *(f"{number(p[0])} ({number(p[1])} + {number(p[2])})" if p[0] is not None else "–" for p in parts),
                     ratio(parts[0][0], parts[1][0])])
    row("peak MB while building", both("built", "peak_mb"))
    row("of it anonymous, MB", both("built", "peak_anon_mb"))
    row("build, CPU seconds until indexed", both("built", "cpu_s"))
    row("build, wall seconds until indexed", both("built", "wall_s"))
    row("wall seconds until all is written", both("built", "write_s"))
    disk = [[corner.median(e, "built", k) for k in ("disk_mb", "log_mb")] for e in ENGINES]
    row("MB on disk, without the log", [d[0] - d[1] if d[0] is not None else None for d in disk])
    row("segments", both("open", "segments"), compare=False)
    if corner.of("octant", "cold"):
        recalls = both("cold", "recall")
        efs = both("cold", "ef")
        note = f"`hnsw_ef` {shown(efs[0])} and {shown(efs[1])}, recall {recalls[0]:.3f} and {recalls[1]:.3f}"
        row("cold cache: MB read on opening", [v / 1024 if v is not None else None for v in both("cold open", "read_kb")])
        row("cold cache: seconds to open", both("cold open", "open_s"))
        row(f"cold cache: pages of 4 KB read per query ({note})",
            [v / 4 if v is not None else None for v in both("cold", "read_kb")])
        row("cold cache: major faults per query", both("cold", "faults"))
        row("cold cache: wall µs, p50", both("cold", "wall_p50_us"))
        row("cold cache: wall µs, p99", both("cold", "wall_p99_us"))
        row("the same queries again: pages read per query",
            [v / 4 if v is not None else None for v in both("cold, second pass", "read_kb")])
        row("the same queries again: wall µs, p50", both("cold, second pass", "wall_p50_us"))
    return table(["", "Octant", "Qdrant", "ratio"], rows)


def limit_table(corners):
    rows = []
    for corner in corners:
        for engine in ENGINES:
            for s in corner.of(engine, "limited"):
                limit = f"{s['share']:g} × raw = {s['limit_mb'] - s['base_mb']:.0f} MB"
                limit += f" + {s['base_mb']:.0f} MB of interpreter" if s["base_mb"] else ""
                if "failed" in s:
                    rows.append([f"`{corner.name}`", NAMES[engine], limit, s["failed"], "", "", "", ""])
                else:
                    rows.append([f"`{corner.name}`", NAMES[engine], limit, "first" if s["sweep"] == 1 else "again",
                                 f"{s['recall']:.3f}", number(s["read_kb"] / 4), number(s["wall_p50_us"]),
                                 number(s["wall_p99_us"])])
    if not rows:
        return "Not measured."
    return table(["corner", "engine", "limit", "pass over the queries", "recall@10", "pages of 4 KB read per query",
                  "wall µs, p50", "p99"], rows)


def ladder_table(corner):
    parts = []
    for mode in corner.definition["modes"]:
        efs = sorted({s["ef"] for s in corner.of("octant", "search", mode=mode)})
        rows = []
        for engine in ENGINES:
            cells = []
            for ef in efs:
                samples = corner.of(engine, "search", mode=mode, ef=ef)
                cells.append(f"{statistics.median(s['recall'] for s in samples):.3f} "
                             f"{number(statistics.median(s['cpu_us'] for s in samples))}" if samples else "–")
            rows.append([f"{NAMES[engine]}, {mode}" if mode != "plain" else NAMES[engine], *cells])
        parts.append(table(["`hnsw_ef`", *efs], rows))
    return "Recall@10 and CPU µs of each `hnsw_ef`:\n\n" + "\n\n".join(parts)


def segments_table(corners):
    """What segments cost, and what they give, in Octant alone."""
    by_name = {c.name: c for c in corners}
    one, two, sixteen = (by_name.get(n) for n in ("defaults", "2-segments", "16-segments"))
    if not (one and two and sixteen):
        return "Not measured."
    rows = []

    def row(what, a, b, goal):
        rows.append([what, shown(a), shown(b), ratio(a, b), goal])

    for engine in ENGINES:
        row(f"{NAMES[engine]}: CPU µs at recall 0.98, 16 segments and 1", sixteen.at(engine, "cpu_us", 0.98),
            one.at(engine, "cpu_us", 0.98), "≤ 3" if engine == "octant" else "")
    for engine in ENGINES:
        row(f"{NAMES[engine]}: wall µs p50 at recall 0.98, 2 segments and 1", two.at(engine, "wall_p50_us", 0.98),
            one.at(engine, "wall_p50_us", 0.98), "≤ 0.65" if engine == "octant" else "")
    row("Octant: queries/s of 8 clients at recall 0.98, 2 segments and 16", two.qps("octant", 8, 0.98),
        sixteen.qps("octant", 8, 0.98), "≥ 1.3")
    return table(["", "first", "second", "ratio", "goal"], rows)


def corner_plot(corner):
    series = []
    for n, engine in enumerate(ENGINES):
        for m, mode in enumerate(corner.definition["modes"]):
            points = [(cost, recall) for recall, cost in corner.curve(engine, "cpu_us", mode)]
            name = NAMES[engine] if mode == "plain" else f"{NAMES[engine]}, {mode}"
            series.append((name, points, {"colour": n, "dash": None if m == 0 else "6 4"}))
    lowest = min((y for _, points, _ in series for _, y in points), default=0.8)
    return plot_svg.lines(f"{corner.definition['title']}: {corner.definition['what']}", "CPU µs per query, logarithmic",
                          "recall@10", series, y_range=(max(min(lowest, 0.9), 0.6), 1.0))


def memory_plot(corners, kind, title):
    groups = []
    for corner in corners:
        entries = []
        for engine in ENGINES:
            if kind == "built":
                whole, anonymous = (corner.median(engine, kind, k) for k in ("peak_mb", "peak_anon_mb"))
                values = None if whole is None else [min(anonymous, whole), max(0.0, whole - anonymous)]
            else:
                values = [corner.median(engine, kind, k) for k in ("anon_mb", "mapped_mb")]
            if values and None not in values:
                entries.append((NAMES[engine], values))
        if entries:
            groups.append((corner.name, entries))
    return plot_svg.bars(title, "MB", groups, ["anonymous", "mapped files"])


def corners_report(run, plots):
    """The tables by name; writes the plots."""
    present = {s["corner"] for s in run["samples"]}
    corners = [Corner(name, run["samples"]) for name in CORNERS if name in present]
    machine = run["machine"]
    about = (f"{run['points']:,} vectors of {run['size']} numbers (`{run['data']}`), {run['queries']:,} queries, 10 results; "
             f"{machine['cores']} cores of {machine['cpu']}, {machine['system']}; qdrant-edge-py {machine['qdrant']}; "
             f"{run['rounds']} round{'s' if run['rounds'] != 1 else ''} in turns, medians; {machine['at']}. ")
    about += "Largest deviation of a round's CPU time from its median: " + ", ".join(
        f"{100 * c.spread():.0f} % (`{c.name}`)" for c in corners) + "."
    if run.get("quick"):
        about = "**A quick run, to see that the bench works: the figures mean nothing.** " + about
    tables = {"about": about, "goals": goals_table(corners), "limits": limit_table(corners),
              "segments": segments_table(corners)}
    os.makedirs(plots, exist_ok=True)
    for corner in corners:
        tables[f"corner {corner.name}"] = corner_table(corner)
        tables[f"ladder {corner.name}"] = ladder_table(corner)
        write(os.path.join(plots, f"corner-{corner.name}.svg"), corner_plot(corner))
    write(os.path.join(plots, "memory-open.svg"), memory_plot(corners, "open", "Resident after opening"))
    write(os.path.join(plots, "memory-build.svg"), memory_plot(corners, "built", "Peak while building"))
    return tables


def write(path, text):
    with open(path, "w", encoding="utf8") as f:
        f.write(text)
    print(f"wrote {path}")


MARKED = re.compile(r"(<!-- measured: ([^>]+?) -->\n).*?(<!-- end measured -->)", re.S)


def fill(path, tables):
    with open(path, encoding="utf8") as f:
        old = f.read()
    new = MARKED.sub(lambda m: f"{m[1]}\n{tables[m[2]]}\n\n{m[3]}" if m[2] in tables else m[0], old)
    if new != old:
        write(path, new)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corners")
    parser.add_argument("--quantizers")
    parser.add_argument("--docs", default="docs")
    options = parser.parse_args()
    tables, plots = {}, os.path.join(options.docs, "plots")
    measurements = os.path.join(options.docs, "measurements")
    os.makedirs(measurements, exist_ok=True)
    if os.path.abspath(options.docs) != DOCS:
        for page in PAGES:
            shutil.copy(os.path.join(DOCS, page), os.path.join(options.docs, page))
    for name, path, report in (("corners", options.corners, corners_report),
                               ("quantizers", options.quantizers, quantizer_tables)):
        if not path:
            continue
        with open(path) as f:
            tables |= report(json.load(f), plots)
        kept = os.path.join(measurements, f"{name}.json")
        if os.path.abspath(kept) != os.path.abspath(path):
            shutil.copy(path, kept)
    for folder in (options.docs, measurements):
        for file in sorted(os.listdir(folder)):
            if file.endswith(".md"):
                fill(os.path.join(folder, file), tables)


if __name__ == "__main__":
    main()
