"""Local inference: documents that the server turns into sparse vectors by BM25, and the frequencies of a corpus."""
import math
import random
import re
import struct
from collections import Counter

import pytest
from qdrant_client import models

MODEL = "qdrant/bm25"
PLAIN = {"stemmer": {"type": "none"}, "stopwords": {}}


def murmur3(data):
    def rotated(x, r):
        return (x << r | x >> (32 - r)) & 0xFFFFFFFF

    def mixed(k):
        return rotated(k * 0xCC9E2D51 & 0xFFFFFFFF, 15) * 0x1B873593 & 0xFFFFFFFF

    h, whole = 0, len(data) // 4 * 4
    for i in range(0, whole, 4):
        h = rotated(h ^ mixed(int.from_bytes(data[i:i + 4], "little")), 13) * 5 + 0xE6546B64 & 0xFFFFFFFF
    if whole < len(data):
        h ^= mixed(int.from_bytes(data[whole:], "little"))
    h ^= len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return h ^ h >> 16


def index_of(token):
    return abs(struct.unpack("<i", struct.pack("<I", murmur3(token.encode())))[0])


def tokens(text, lowercase=True, stop=()):
    words = re.findall(r"[^\W_]+", text)
    return [w for w in (w.lower() if lowercase else w for w in words) if w not in stop]


def document_vector(text, k=1.2, b=0.75, avg_len=256, **analysis):
    found = tokens(text, **analysis)
    weights = {index_of(t): n * (k + 1) / (k * (1 - b + b * len(found) / avg_len) + n) for t, n in Counter(found).items()}
    return dict(sorted(weights.items()))


def doc(text, **options):
    return {"text": text, "model": MODEL, "options": {**PLAIN, **options}}


def as_dict(vector):
    assert vector["indices"] == sorted(vector["indices"])
    return dict(zip(vector["indices"], vector["values"]))


WORDS = ["vector", "search", "engine", "rust", "swift", "python", "fast", "Größe", "naïve", "日本", "x86", "a1", "the"]
TEXTS = [" ".join(random.Random(n).choices(WORDS, k=1 + n % 9)) for n in range(60)]


@pytest.fixture
def made(rest, name):
    rest("PUT", f"/collections/{name}", {
        "vectors": {"dense": {"size": 3, "distance": "Dot"}},
        "sparse_vectors": {"text": {}, "idf": {"modifier": "idf"}}}).result
    return name


def upsert(rest, name, points):
    return rest("PUT", f"/collections/{name}/points?wait=true", {"points": points})


def query(rest, name, body):
    return rest("POST", f"/collections/{name}/points/query", body)


def stored(rest, name, id, vector="text"):
    points = rest("POST", f"/collections/{name}/points", {"ids": [id], "with_vector": True}).result
    return as_dict(points[0]["vector"][vector])


@pytest.mark.parametrize("model", ["qdrant/bm25", "bm25", "Qdrant/BM25"])
def test_documents_are_stored_as_their_weights(rest, made, model):
    upsert(rest, made, [{"id": n, "vector": {"text": {**doc(t), "model": model}}} for n, t in enumerate(TEXTS)]).result
    for n in range(0, len(TEXTS), 7):
        assert stored(rest, made, n) == pytest.approx(document_vector(TEXTS[n]), rel=1e-6)


@pytest.mark.parametrize("options", [{"k": 0}, {"k": 2.5, "b": 0}, {"b": 1, "avg_len": 3}, {"avg_len": 10.5}])
def test_parameters_change_weights(rest, made, options):
    upsert(rest, made, [{"id": 1, "vector": {"text": doc("a b b c c c", **options)}}]).result
    assert stored(rest, made, 1) == pytest.approx(document_vector("a b b c c c", **options), rel=1e-6)


@pytest.mark.parametrize("text, options, expected", [
    ("Rust RUST", {"lowercase": False}, ["Rust", "RUST"]),
    ("Größe naïve", {"ascii_folding": True}, ["grosse", "naive"]),
    ("a-b c,d", {"tokenizer": "whitespace"}, ["a-b", "c,d"]),
    ("日本 ab", {"tokenizer": "multilingual"}, ["日", "本", "ab"]),
    ("abc", {"tokenizer": "prefix", "min_token_len": 2}, ["ab", "abc"]),
    ("a bb ccc dddd", {"min_token_len": 2, "max_token_len": 3}, ["bb", "ccc"]),
    ("the cat sat", {"stopwords": "english"}, ["cat", "sat"]),
    ("the cat sat", {"stopwords": {"languages": ["english"], "custom": ["CAT"]}}, ["sat"]),
    ("running dogs", {"stemmer": {"type": "snowball", "language": "english"}}, ["run", "dog"]),
    ("die Häuser", {"stemmer": None, "stopwords": None, "language": "german"}, ["haus"]),
    ("the running dogs", {"stemmer": None, "stopwords": None}, ["run", "dog"]),
    ("the running dogs", {"stemmer": None, "stopwords": None, "language": "none"}, ["the", "running", "dogs"]),
    ("的 running", {"stemmer": None, "stopwords": None, "language": "zh"}, ["running"]),
])
def test_the_pipeline_of_tokens(rest, made, text, options, expected):
    upsert(rest, made, [{"id": 1, "vector": {"text": doc(text, **options)}}]).result
    assert set(stored(rest, made, 1)) == {index_of(t) for t in expected}


def test_the_reference_s_example(rest, made):
    """Numbers that the official embedded engine gives for this text with all defaults."""
    text = "Hybrid search: the quick brown foxes jumped, jumping over 42 lazy dogs!"
    upsert(rest, made, [{"id": 1, "vector": {"text": {"text": text, "model": MODEL}}}]).result
    indices = [226376294, 553238108, 741580288, 771291085, 1041526299, 1135041482, 1312749093, 1621867415, 1913189942]
    expected = dict.fromkeys(indices, 1.647747278213501) | {1913189942: 1.8842421770095825}
    assert stored(rest, made, 1) == pytest.approx(expected, rel=1e-6)


def test_all_ways_of_writing(rest, made):
    path = f"/collections/{made}/points"
    rest("PUT", f"{path}?wait=true", {"batch": {
        "ids": [1, 2], "vectors": {"text": [doc("one two"), {"indices": [5], "values": [1]}], "dense": [[1, 2, 3], [4, 5, 6]]}}}).result
    assert stored(rest, made, 1) == pytest.approx(document_vector("one two"), rel=1e-6)
    assert stored(rest, made, 2) == {5: 1}
    rest("PUT", f"{path}/vectors?wait=true", {"points": [{"id": 2, "vector": {"text": doc("three")}}]}).result
    assert stored(rest, made, 2) == pytest.approx(document_vector("three"), rel=1e-6)
    rest("POST", f"{path}/batch?wait=true", {"operations": [
        {"upsert": {"points": [{"id": 3, "vector": {"text": doc("four")}}]}},
        {"update_vectors": {"points": [{"id": 1, "vector": {"text": doc("five")}}]}}]}).result
    assert stored(rest, made, 3) == pytest.approx(document_vector("four"), rel=1e-6)
    assert stored(rest, made, 1) == pytest.approx(document_vector("five"), rel=1e-6)


def test_the_client_s_models(client, made, rest):
    options = models.Bm25Config(stemmer=models.DisabledStemmerParams(type="none"), stopwords=models.StopwordsSet(), k=2.0)
    made_of = lambda text: models.Document(text=text, model="Qdrant/bm25", options=options)
    client.upsert(made, [models.PointStruct(id=1, vector={"text": made_of("swift engine")})], wait=True)
    assert stored(rest, made, 1) == pytest.approx(document_vector("swift engine", k=2.0), rel=1e-6)
    assert [p.id for p in client.query_points(made, made_of("engine"), using="text").points] == [1]


@pytest.fixture
def filled(rest, made):
    upsert(rest, made, [{"id": n, "vector": {"text": doc(t), "idf": doc(t), "dense": [n % 5, n % 3, 1]},
                         "payload": {"n": n, "odd": n % 2 == 1}} for n, t in enumerate(TEXTS)]).result
    return made


def ranking(text, weight=lambda _: 1.0, only=lambda _: True):
    wanted = {index_of(t) for t in tokens(text)}
    found = []
    for n, t in enumerate(TEXTS):
        shared = {i: w for i, w in document_vector(t).items() if i in wanted}
        if shared and only(n):
            found.append((n, sum(w * weight(i) for i, w in shared.items())))
    return sorted(found, key=lambda p: (-p[1], p[0]))


def check(points, expected):
    assert len(points) == len(expected)
    scores = dict(expected)
    assert [p["score"] for p in points] == pytest.approx([s for _, s in expected], rel=1e-5, abs=1e-6)
    for p in points:
        assert p["score"] == pytest.approx(scores[p["id"]], rel=1e-5, abs=1e-6)


def idf(population):
    documents = [set(document_vector(TEXTS[n])) for n in population]
    return lambda i: math.log((len(documents) - (df := sum(i in d for d in documents)) + 0.5) / (df + 0.5) + 1)


@pytest.mark.parametrize("text", ["swift", "Search ENGINE engine", "größe 日本", "naïve x86 the", "nothing"])
def test_a_query_counts_each_token_once(rest, filled, text):
    body = {"using": "text", "limit": 100}
    for q in (doc(text), {"nearest": doc(text)}):
        check(query(rest, filled, {"query": q, **body}).result["points"], ranking(text))
    check(query(rest, filled, {"query": doc(text), "using": "idf", "limit": 100}).result["points"],
          ranking(text, idf(range(len(TEXTS)))))


@pytest.mark.parametrize("corpus, chosen", [
    ({"must": [{"key": "odd", "match": {"value": True}}]}, lambda n: n % 2 == 1),
    ({"must": [{"key": "n", "range": {"lt": 10}}]}, lambda n: n < 10),
    ({"must_not": [{"has_id": list(range(30))}]}, lambda n: n >= 30),
    ({}, lambda n: True),
    ({"must": [{"key": "n", "match": {"value": 1000}}]}, lambda n: False),
])
@pytest.mark.parametrize("indexed", [False, True])
def test_frequencies_of_a_corpus(rest, filled, corpus, chosen, indexed):
    if indexed:
        for key, schema in (("odd", "bool"), ("n", "integer")):
            rest("PUT", f"/collections/{filled}/index?wait=true", {"field_name": key, "field_schema": schema}).result
    weight = idf([n for n in range(len(TEXTS)) if chosen(n)])
    params = {"idf": {"corpus": corpus}}
    for text in ("swift search", "python 日本 fast"):
        body = {"query": doc(text), "using": "idf", "limit": 100, "params": params}
        check(query(rest, filled, body).result["points"], ranking(text, weight))
        narrow = {**body, "filter": {"must": [{"key": "n", "range": {"gte": 20}}]}}
        check(query(rest, filled, narrow).result["points"], ranking(text, weight, only=lambda n: n >= 20))


def test_a_corpus_needs_the_modifier(rest, filled):
    for using, q in (("text", doc("a")), ("dense", [1, 2, 3])):
        r = query(rest, filled, {"query": q, "using": using, "params": {"idf": {"corpus": {}}}})
        assert r.status == 400 and "`params.idf` needs a sparse vector with the modifier `idf`" in r.error
        query(rest, filled, {"query": q, "using": using, "params": {"idf": "global"}}).result
    r = query(rest, filled, {"query": doc("a"), "using": "idf", "params": {"idf": "local"}})
    assert r.status == 400 and "`local`" in r.error


def test_hybrid_search(rest, filled):
    prefetch = [{"query": doc("swift search"), "using": "text", "limit": 20}, {"query": [1, 2, 0], "using": "dense", "limit": 20}]
    found = query(rest, filled, {"prefetch": prefetch, "query": {"fusion": "rrf"}, "limit": 40}).result["points"]
    lists = [query(rest, filled, {k: v for k, v in p.items()}).result["points"] for p in prefetch]
    scores = Counter()
    for points in lists:
        for rank, p in enumerate(points):
            scores[p["id"]] += 1 / (rank + 2)
    assert {p["id"]: p["score"] for p in found} == pytest.approx(dict(scores), rel=1e-5)


def test_every_place_of_an_example(rest, filled):
    a, b = doc("swift engine"), doc("python")
    for q in ({"recommend": {"positive": [a], "negative": [b]}}, {"recommend": {"positive": [a, 3], "strategy": "best_score"}},
              {"recommend": {"negative": [b], "strategy": "sum_scores"}}, {"discover": {"target": a, "context": [{"positive": a, "negative": b}]}},
              {"context": [{"positive": a, "negative": b}]}, {"nearest": a, "mmr": {"diversity": 0.5}},
              {"relevance_feedback": {"target": a, "feedback": [{"example": b, "score": 1}, {"example": 1, "score": 0.5}],
                                      "strategy": {"naive": {"a": 1, "b": 1, "c": 1}}}}):
        vectors = {id(d): {"indices": sorted({index_of(t) for t in tokens(d["text"])}), "values": [1.0] * len(set(tokens(d["text"])))}
                   for d in (a, b)}

        def plain(x):
            if id(x) in vectors:
                return vectors[id(x)]
            if isinstance(x, dict):
                return {k: plain(v) for k, v in x.items()}
            return [plain(v) for v in x] if isinstance(x, list) else x

        body = {"using": "text", "limit": 20}
        assert query(rest, filled, {"query": q, **body}).result == query(rest, filled, {"query": plain(q), **body}).result
    groups = rest("POST", f"/collections/{filled}/points/query/groups",
                  {"query": a, "using": "text", "group_by": "n", "limit": 3}).result["groups"]
    assert [g["id"] for g in groups] == [n for n, _ in ranking("swift engine")[:3]]
    batch = rest("POST", f"/collections/{filled}/points/query/batch", {"searches": [{"query": a, "using": "text"}] * 2}).result
    assert batch[0] == batch[1] and batch[0]["points"]


@pytest.mark.parametrize("vector, status, part", [
    ({"text": "a", "model": "sentence-transformers/all-MiniLM-L6-v2"}, 400, "this server has `qdrant/bm25`, and no inference service"),
    ({"image": "aGk=", "model": "bm25"}, 400, "takes texts only"),
    ({"object": {"a": 1}, "model": "clip"}, 400, "Model `clip` is not there"),
    ({"text": "a", "model": MODEL, "options": {"k": -1}}, 400, "k must be at least 0"),
    ({"text": "a", "model": MODEL, "options": {"b": 1.01}}, 400, "b must be from 0 to 1"),
    ({"text": "a", "model": MODEL, "options": {"avg_len": 0}}, 400, "avg_len must be greater than 0"),
    ({"text": "a", "model": MODEL, "options": {"tokenizer": "code"}}, 400, "not supported yet"),
    ({"text": "a", "model": MODEL, "options": {"tokenizer": "ord"}}, 400, "Invalid BM25 config"),
    ({"text": "a", "model": MODEL, "options": {"language": "klingon"}}, 400, "`klingon` is not known"),
    ({"text": "a", "model": MODEL, "options": {"stemmer": {"type": "porter"}}}, 400, "Invalid BM25 config"),
    ({"text": "a", "model": MODEL, "options": {"k1": 1}}, 400, "unknown field `k1`"),
    ({"text": "a"}, 400, "missing field `model`"),
    ({"model": MODEL}, 400, "missing field `text`"),
    ({"text": 5, "model": MODEL}, 400, ""),
])
def test_what_is_refused(rest, made, vector, status, part):
    for r in (upsert(rest, made, [{"id": 1, "vector": {"text": vector}}]), query(rest, made, {"query": vector, "using": "text"}),
              query(rest, made, {"query": {"nearest": vector}, "using": "text"})):
        assert r.status == status and part in r.error, r.body
    assert rest("POST", f"/collections/{made}/points/count", {}).result["count"] == 0


def test_a_document_for_another_kind_of_vector(rest, made):
    for r in (upsert(rest, made, [{"id": 1, "vector": {"dense": doc("a")}}]), query(rest, made, {"query": doc("a"), "using": "dense"})):
        assert r.status == 400 and "Conversion between sparse and regular vectors failed" in r.error


def test_text_indexes_of_other_languages(rest, name):
    rest("PUT", f"/collections/{name}", {"vectors": {}}).result
    upsert(rest, name, [{"id": 1, "vector": {}, "payload": {"t": "Die Häuser am Fluss"}},
                        {"id": 2, "vector": {}, "payload": {"t": "вагонов много"}}]).result

    def found(text):
        f = {"must": [{"key": "t", "match": {"text": text}}]}
        return [p["id"] for p in rest("POST", f"/collections/{name}/points/scroll", {"filter": f}).result["points"]]

    for language, hits in (("german", {"haus": [1], "die haus": [1]}), ("ru", {"вагон": [2], "вагонами": [2]})):
        schema = {"type": "text", "stopwords": language, "stemmer": {"type": "snowball", "language": language}}
        rest("PUT", f"/collections/{name}/index?wait=true", {"field_name": "t", "field_schema": schema}).result
        assert {text: found(text) for text in hits} == hits
