"""Whether a history of one register is linearizable, after Wing and Gong, with the states already seen kept in mind.

A register holds a value, None if it is absent. Operations overlap; each must seem to happen at one moment between its call and
its return. An operation whose outcome nobody knows has no return: it may happen at any moment after its call, or never.
"""
from typing import Any, NamedTuple

FOREVER = float("inf")


class Operation(NamedTuple):
    call: float
    done: float   # FOREVER: the outcome is unknown
    kind: str     # "write" (also a delete: of None) or "read"
    value: Any    # what is written or what was read
    label: str = ""


def is_linearizable(history, initial=None):
    """Whether some order of the operations explains every read. `history` is of one key."""
    # A read without an answer tells nothing.
    operations = sorted((o for o in history if o.kind == "write" or o.done != FOREVER), key=lambda o: o.call)
    needed = 0
    for i, o in enumerate(operations):
        if o.done != FOREVER:
            needed |= 1 << i
    stack, seen = [(0, initial)], set()
    while stack:
        taken, value = stack.pop()
        while True:
            candidates = next_ones(operations, taken)
            # A read that fits changes nothing: taking it at once rules nothing out.
            fits = [i for i in candidates if operations[i].kind == "read" and operations[i].value == value]
            if not fits:
                break
            for i in fits:
                taken |= 1 << i
        if taken & needed == needed:
            return True
        if (taken, value) not in seen:
            seen.add((taken, value))
            stack += [(taken | 1 << i, operations[i].value) for i in reversed(candidates) if operations[i].kind == "write"]
    return False


def next_ones(operations, taken):
    """The operations that may happen next: called before every return among those that have not happened."""
    left = ~taken & (1 << len(operations)) - 1
    candidates, deadline = [], FOREVER
    while left:
        i = (left & -left).bit_length() - 1
        if operations[i].call > deadline:
            break
        candidates.append(i)
        deadline = min(deadline, operations[i].done)
        left &= left - 1
    return candidates


def explain(history):
    """The history as text, one operation a line, in the order of the calls."""
    start = min(o.call for o in history)
    line = lambda o: f"{(o.call - start) * 1e3:10.3f} .. " + ("      open" if o.done == FOREVER else f"{(o.done - start) * 1e3:10.3f}") + \
        f" ms  {o.kind:5} {o.value} {o.label}"
    return "\n".join(line(o) for o in sorted(history, key=lambda o: o.call))
