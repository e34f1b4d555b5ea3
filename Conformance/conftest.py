import os
import sys
import time
import uuid

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from octant_server import BINARY, Server  # noqa: E402
from rest import Rest  # noqa: E402

# Seeded tests print their seed; the same value of this variable repeats a run.
SEED = int(os.environ.get("OCTANT_SEED", "20240607"))


def pytest_collection_modifyitems(config, items):
    if not os.path.exists(BINARY):
        pytest.exit(f"no server at {BINARY}: run `make build`, or set OCTANT_BIN", returncode=2)
    # The long ones last, so that simple mistakes show first.
    order = ["test_service", "test_collections", "test_points", "test_payload", "test_filters", "test_query", "test_inference", "test_errors", "test_error_texts",
             "test_reports", "test_snapshots", "test_snapshot_sources", "test_partial_snapshots", "test_deferred", "test_openapi", "test_descriptors", "test_grpc_transport", "test_in_flight", "test_coverage", "test_coverage_requests", "test_coverage_answers",
             "test_restart", "test_integrity", "test_stress", "test_disk_full", "test_memory_limit", "test_recall", "test_tune", "test_migration", "test_differential",
             "test_kill_at_call", "test_linearizability", "test_power_cut", "test_kill"]
    items.sort(key=lambda i: order.index(i.module.__name__) if i.module.__name__ in order else -1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in Server.running:
            report.sections.append((f"log of the server on port {server.port} (alive: {server.alive()})", server.log()))


@pytest.fixture(scope="session")
def shared():
    """One server for all plain tests."""
    with Server() as server:
        yield server
        assert server.stop() == 0, "a graceful stop ends with status 0"


@pytest.fixture(scope="session")
def client(shared):
    return connect(shared)


@pytest.fixture(scope="session")
def rest(shared):
    r = Rest(shared.url)
    yield r
    r.close()


@pytest.fixture
def server():
    """A server of the test's own."""
    with Server() as s:
        yield s


@pytest.fixture
def name(shared, rest):
    """A collection's name, unused; whatever has it is dropped after the test."""
    n = f"t_{uuid.uuid4().hex[:12]}"
    yield n
    if shared.alive():
        rest("DELETE", f"/collections/{n}")


@pytest.fixture
def seed():
    print(f"OCTANT_SEED={SEED}")
    return SEED


def connect(server, **kw):
    from qdrant_client import QdrantClient
    # The check of versions runs on a thread of the client's own, where it can outlive a server; test_service.py does it instead.
    return QdrantClient(url=server.url, timeout=120, check_compatibility=False, **kw)


def wait_green(client, collection, timeout=300, indexed=None):
    """Wait until the optimiser has nothing left to do (and, where given, so many vectors are indexed)."""
    deadline = time.monotonic() + timeout
    quiet = 0
    while time.monotonic() < deadline:
        info = client.get_collection(collection)
        settled = str(info.status) == "green" and (indexed is None or (info.indexed_vectors_count or 0) >= indexed)
        quiet = quiet + 1 if settled else 0
        if quiet >= 3:
            return info
        time.sleep(0.1)
    raise AssertionError(f"not green after {timeout} s: {client.get_collection(collection)}")
