"""The clients that are asked the same, the last of which is in process and has the word."""
import random
from dataclasses import dataclass

from qdrant_client.http.exceptions import UnexpectedResponse


@dataclass
class Side:
    """One client. Sides of one `store` see the same points: a write goes to one of them, a read to each."""
    name: str
    client: object
    store: str


@dataclass
class Refused:
    """An operation that a side refused."""
    error: Exception

    def __str__(self):
        return f"refused: {str(self.error)[:400]}"


def is_refusal(error):
    if isinstance(error, UnexpectedResponse):
        return 400 <= error.status_code < 500
    if type(error).__module__.startswith("grpc"):
        return error.code().name in ("INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "UNIMPLEMENTED")
    return isinstance(error, (ValueError, KeyError))


class Sides:
    def __init__(self, sides, seed):
        self.sides, self.local = sides, sides[-1]
        self.choice = random.Random(seed)  # of its own: what is generated is the same for any number of sides

    @staticmethod
    def one(side, call):
        try:
            return call(side.client)
        except Exception as e:  # noqa: BLE001: what is no refusal goes on
            if not is_refusal(e):
                raise
            return Refused(e)

    def read(self, call):
        """The answer of each side, by its name; the local side's last."""
        return {side.name: self.one(side, call) for side in self.sides}

    def write(self, call):
        """The same, with one side for each store."""
        stores = {}
        for side in self.sides:
            stores.setdefault(side.store, []).append(side)
        chosen = [self.choice.choice(sides) for sides in stores.values()]
        return {side.name: self.one(side, call) for side in chosen}
