"""Recall against cost, and costs at equal recall."""
import math
import statistics


def curve(samples, key, largest=False):
    """(recall, cost) of every `ef` in samples of several rounds, medians; without points that another one beats.

    With `largest`, more is better (queries a second)."""
    by_ef = {}
    for s in samples:
        by_ef.setdefault(s["ef"], []).append(s)
    points = [(statistics.median(s["recall"] for s in group), statistics.median(s[key] for s in group))
              for group in by_ef.values()]
    sign = -1 if largest else 1
    front = []
    for recall, cost in sorted(points, key=lambda p: (-p[0], sign * p[1])):
        if not front or sign * cost < sign * front[-1][1]:
            front.append((recall, cost))
    return front[::-1]


def at(points, wanted):
    """The cost at a recall, interpolated in the logarithm of cost; None if it is not reached.

    Where even the cheapest measured parameters give more recall, what they cost is the answer."""
    if not points or points[-1][0] < wanted:
        return None
    if points[0][0] >= wanted:
        return points[0][1]
    for (r0, c0), (r1, c1) in zip(points, points[1:]):
        if r0 <= wanted <= r1:
            share = (wanted - r0) / (r1 - r0)
            return math.exp(math.log(c0) + share * (math.log(c1) - math.log(c0)))
    return None


def spread(values):
    """The largest deviation from the median, as a share of it."""
    middle = statistics.median(values)
    return max(abs(v - middle) for v in values) / middle if middle else 0.0
