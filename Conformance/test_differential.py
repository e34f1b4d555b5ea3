"""Random operations on the server and on the client's own in-process mode, which must agree.

What is generated is in `differential/`; where the in-process mode is not followed, and why, is at the top of `differential/local_mode.py`.
`OCTANT_OPERATIONS=100000` runs that many operations, `OCTANT_SEED` others.
"""
import os

import pytest
from conftest import SEED, connect, wait_green
from differential.local_mode import corrected
from differential.session import Session
from differential.sides import Side, Sides
from octant_server import Server
from qdrant_client import QdrantClient

OPERATIONS = int(os.environ.get("OCTANT_OPERATIONS", "5120"))
EACH = 320  # operations on one collection
GRPC = True  # a third side: the same server over gRPC


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        yield s


@pytest.fixture(scope="module")
def clients(server):
    """The client over REST, and over gRPC if asked for."""
    made = [Side("rest", connect(server), "server")]
    if GRPC:
        made.append(Side("grpc", connect(server, prefer_grpc=True, grpc_port=server.grpc_port), "server"))
    return made


@pytest.mark.filterwarnings("ignore::UserWarning")  # that indexes and search parameters have no effect there
@pytest.mark.parametrize("number", range(-(-OPERATIONS // EACH)))
def test_agrees_with_the_in_process_mode(server, clients, number):
    sides = Sides([*clients, Side("local", QdrantClient(":memory:"), "local")], seed=f"{SEED}/{number}")
    with corrected() as corrections:
        session = Session(sides, corrections, f"diff_{number}", SEED, number)
        print(f"OCTANT_SEED={SEED}, collection {number}: {session.shape.vectors}")
        # Halfway, the server is stopped and started for one collection in four, and killed for another.
        session.run(EACH, lambda: number % 2 and server.restart(graceful=number % 4 == 1))
        if number % 4 == 0:
            wait_green(clients[0].client, session.name)
        session.everything()
        session.drop()
    print(f"{session.done.total()} operations, {session.undecided} not decided: {dict(session.done)}")
    assert session.undecided <= session.done.total() // 20
