"""What was acknowledged is there after a restart; configuration from file and environment."""
import os

import pytest
from conftest import connect, wait_green
from octant_server import Server
from qdrant_client import models
from rest import Rest


@pytest.mark.parametrize("graceful", [True, False], ids=["stop", "kill"])
def test_everything_survives(server, graceful):
    c, rest = connect(server), Rest(server.url)
    c.create_collection("a", vectors_config={"x": models.VectorParams(size=3, distance="Cosine"),
                                             "y": models.VectorParams(size=2, distance="Manhattan")},
                        hnsw_config=models.HnswConfigDiff(m=12), optimizers_config=models.OptimizersConfigDiff(indexing_threshold=50),
                        metadata={"k": "v"})
    c.create_collection("gone", vectors_config=models.VectorParams(size=2, distance="Dot"))
    c.create_payload_index("a", "n", field_schema="integer")
    c.upsert("a", [models.PointStruct(id=i, vector={"x": [1.0, i, 2], "y": [float(i), 0]}, payload={"n": i, "deep": {"v": [i, None, 0.5]}})
                   for i in range(200)])
    c.delete("a", [0, 1])
    c.delete_vectors("a", vectors=["y"], points=[2])
    c.set_payload("a", {"n": None, "new": 2**60 + 1}, points=[3])
    c.create_collection("gone2", vectors_config=models.VectorParams(size=2, distance="Dot"))
    c.delete_collection("gone")
    c.update_collection_aliases([models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name="a", alias_name="live"))])

    def state():
        points = c.scroll("live", limit=1000, with_vectors=True)[0]
        config = {k: v for k, v in rest("GET", "/collections/a").result.items() if k in ("config", "payload_schema", "points_count")}
        hits = c.query_points("a", [1.0, 5, 2], using="x", limit=20, search_params=models.SearchParams(exact=True)).points
        return points, config, [(h.id, h.score, h.version) for h in hits], sorted(x.name for x in c.get_collections().collections)

    before = state()
    assert before[3] == ["a", "gone2"] and len(before[0]) == 198
    for _ in range(3):
        server.restart(graceful)
        rest.close()
        c = connect(server)
        assert state() == before
    top = rest("PUT", "/collections/a/points?wait=true", {"points": [{"id": 500, "vector": {"y": [1, 2]}}]}).result["operation_id"]
    assert top > max(h[2] for h in before[2]), "operation ids go on rising"
    wait_green(c, "a")


def test_stopping_while_idle_and_under_load_is_clean(server):
    import threading
    c = connect(server)
    c.create_collection("a", vectors_config=models.VectorParams(size=64, distance="Dot"))
    acknowledged, halt = [], threading.Event()

    def write():
        rest, n = Rest(server.url), 0
        while not halt.is_set():
            try:
                if rest("PUT", "/collections/a/points?wait=true", {"points": [{"id": n, "vector": [n] * 64}]}).status == 200:
                    acknowledged.append(n)
            except OSError:
                return
            except Exception:
                return
            n += 1

    t = threading.Thread(target=write)
    t.start()
    while len(acknowledged) < 50:
        assert t.is_alive()
    assert server.stop() == 0
    halt.set()
    t.join()
    server.start()
    assert connect(server).count("a").count >= len(acknowledged)


def test_configuration_file_and_unknown_settings(tmp_path):
    server = Server()
    config = tmp_path / "octant.yaml"
    config.write_text(f"""
log_level: INFO
storage:
  storage_path: {server.folder}/from_file
  optimizers:
    indexing_threshold: 4321
  hnsw_index:
    m: 33
  no_such_setting: 1
service:
  max_request_size_mb: 1
  http_port: 1
""")
    server.args = ["--config-path", str(config)]
    server.extra = {"QDRANT__STORAGE__HNSW_INDEX__EF_CONSTRUCT": "77", "QDRANT__SERVICE__ANOTHER_UNKNOWN": "x"}
    server.storage = f"{server.folder}/from_env"
    with server:
        rest = Rest(server.url)
        assert rest("PUT", "/collections/a", {"vectors": {"size": 2, "distance": "Dot"}}).status == 200
        config = rest("GET", "/collections/a").result["config"]
        assert config["optimizer_config"]["indexing_threshold"] == 4321
        assert config["hnsw_config"]["m"] == 33 and config["hnsw_config"]["ef_construct"] == 77
        assert os.path.isdir(server.storage) and not os.path.exists(f"{server.folder}/from_file"), "the environment wins"
        assert rest("POST", "/collections/a/points/scroll", b" " * (2 << 20) + b"{}").status == 400
        assert "no_such_setting" in server.log() and "another_unknown" in server.log().lower()
        assert server.stop() == 0


def test_a_broken_configuration_is_refused_with_the_reason(tmp_path):
    config = tmp_path / "octant.yaml"
    config.write_text("service: [not, a, map\n")
    for args in (["--config-path", str(config)], ["--config-path", str(tmp_path / "missing.yaml")]):
        server = Server(args=args)
        try:
            with pytest.raises(RuntimeError):
                server.start(timeout=15)
            assert server.process.returncode not in (0, -9, None), server.log()
            assert str(args[1]) in server.log()
        finally:
            server.close()
