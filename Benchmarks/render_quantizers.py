"""The tables and the plot of quantizers.py's results, for render.py."""
import os
import statistics

import plot_svg
from quantizers import EFS, FAMILIES, MODES

ENGINES = {"octant": "Octant", "qdrant": "Qdrant"}


def median(samples, key, **wanted):
    values = [s[key] for s in samples if s.get(key) is not None and all(s.get(k) == v for k, v in wanted.items())]
    return statistics.median(values) if values else None


def shown(value, digits):
    return "–" if value is None else f"{value:.{digits}f}"


def error(value):
    # Some codes' scores are no similarities: counts of bits that are equal.
    return "another scale" if value is not None and value > 1 else shown(value, 4)


def quantizer_tables(run, plots):
    samples = run["samples"]
    families = [name for name in FAMILIES if any(s["family"] == name for s in samples)]
    efs = [ef for ef in EFS if any(s.get("ef") == ef for s in samples)]
    ef = efs[min(1, len(efs) - 1)]
    rows, worst = [], []
    for name in families:
        mine = [s for s in samples if s["family"] == name]
        for engine, title in ENGINES.items():
            failed = next((s for s in mine if s["engine"] == engine and s["kind"] == "failed"), None)
            if failed:
                rows.append([name if engine == "octant" else "", title] + ["–"] * (3 + 2 * len(MODES)))
                continue
            cells = [shown(median(mine, "bytes", engine=engine), 0), shown(median(mine, "lost", engine=engine), 4),
                     error(median(mine, "score_error", engine=engine))]
            for mode in MODES:
                cells += [shown(median(mine, "recall", engine=engine, mode=mode, ef=ef), 3),
                          shown(median(mine, "cpu_us", engine=engine, mode=mode, ef=ef), 0)]
            rows.append([name if engine == "octant" else "", title, *cells])
        for mode in MODES:
            for size in efs:
                a, b = (median(mine, "recall", engine=e, mode=mode, ef=size) for e in ENGINES)
                if a is not None and b is not None:
                    worst.append((a - b, name, mode, size))
    head = ["codes", "engine", "bytes a vector", "lost of the vector", "error of scores"] + [
        label for mode in MODES for label in (f"{mode}: recall@10", "µs")]
    text = f"At `hnsw_ef` {ef}:\n\n" + table(head, rows)
    if worst:
        difference, name, mode, size = min(worst)
        text += (f"\n\nSmallest recall of Octant minus Qdrant over all kinds of codes, ways to search and `hnsw_ef`: "
                 f"{difference:+.3f} ({name}, {mode}, `hnsw_ef` {size}); goal ≥ −0.01.")
    machine = run["machine"]
    about = (f"{run['points']:,} vectors of {run['size']} numbers (`{run['data']}`), {run['queries']:,} queries; "
             f"{machine['cores']} cores of {machine['cpu']}; qdrant-edge-py {machine['qdrant']}; {run['rounds']} rounds in "
             f"turns, medians; {machine['at']}.")
    if run.get("quick"):
        about = "**A quick run, to see that the bench works: the figures mean nothing.** " + about
    series = []
    for n, (engine, title) in enumerate(ENGINES.items()):
        for m, mode in enumerate(MODES):
            points = []
            for name in families:
                mine = [s for s in samples if s["family"] == name]
                size, recall = median(mine, "bytes", engine=engine), median(mine, "recall", engine=engine, mode=mode, ef=ef)
                if size and recall is not None:
                    points.append((size, recall))
            series.append((f"{title}, {mode}", sorted(points),
                           {"colour": n, "scatter": True, "radii": [(6.0, 4.5, 3.0)[m]] * len(points)}))
    os.makedirs(plots, exist_ok=True)
    path = os.path.join(plots, "quantizers.svg")
    with open(path, "w", encoding="utf8") as f:
        f.write(plot_svg.lines(f"Recall@10 of codes at hnsw_ef {ef}", "bytes per vector, logarithmic", "recall@10", series))
    print(f"wrote {path}")
    return {"quantizers": text, "about quantizers": about, "quantizers in full": full(samples, families, efs)}


def full(samples, families, efs):
    rows = []
    for name in families:
        for engine, title in ENGINES.items():
            mine = [s for s in samples if s["family"] == name and s["engine"] == engine]
            if any(s["kind"] == "failed" for s in mine):
                continue
            rows.append([name, title] + [
                f"{shown(median(mine, 'recall', mode=mode, ef=ef), 3)} {shown(median(mine, 'cpu_us', mode=mode, ef=ef), 0)}"
                for mode in MODES for ef in efs])
    return table(["codes", "engine"] + [f"{mode}, ef {ef}" for mode in MODES for ef in efs], rows)


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(row) + " |" for row in rows])
