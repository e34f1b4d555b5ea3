"""The texts that clients match, one row each: what is asked, the status, the whole text or how it begins and what it names.

What test_errors.py asks of every endpoint (unknown collections, dimensions, names, malformed bodies) is not repeated here.
"""
import pytest
from qdrant_client import models as m

C = "texts"
V = [0.1, 0.2, 0.3, 0.4]
POINTS, QUERY, SCROLL = f"/collections/{C}/points", f"/collections/{C}/points/query", f"/collections/{C}/points/scroll"


@pytest.fixture(scope="module")
def collection(client):
    client.delete_collection(C)
    client.create_collection(C, vectors_config={
        "d": m.VectorParams(size=4, distance="Dot"),
        "m": m.VectorParams(size=2, distance="Dot", multivector_config=m.MultiVectorConfig(comparator="max_sim"))}, sparse_vectors_config={"s": m.SparseVectorParams()})
    client.upsert(C, [m.PointStruct(id=i, vector={"d": V}, payload={"n": i, "word": "a", "list": [1, 2]}) for i in range(1, 4)])
    client.create_payload_index(C, "word", "keyword")
    yield C
    client.delete_collection(C)


class Names(tuple):
    """A text that begins with the first and has all the others in it."""

    def __eq__(self, text):
        return text.startswith(self[0]) and all(part in text for part in self[1:])

    __hash__ = tuple.__hash__


def begins(text, *parts):
    return Names((text, *parts))


NEAREST = {"query": V, "using": "d"}
PREFETCH = {"prefetch": [NEAREST]}


def nested(depth):
    """A query with prefetches inside each other."""
    return {**NEAREST, "prefetch": nested(depth - 1)} if depth else NEAREST


def formula(expression, **more):
    return {**PREFETCH, "query": {"formula": expression, **more}}


ROWS = [
    # Ids
    ("id in a path", "GET", f"{POINTS}/x", None, 400, 'Wrong input: Can not recognize "x" as point id'),
    ("negative id in a path", "GET", f"{POINTS}/-1", None, 400, 'Wrong input: Can not recognize "-1" as point id'),
    ("id in a body", "POST", POINTS, {"ids": ["x"]}, 400,
     begins("Format error in JSON body: ", "x is not a valid point ID, valid values are either an unsigned integer or a UUID")),
    ("point that is not there", "GET", f"{POINTS}/77", None, 404, "Not found: Point with id 77 does not exists!"),
    # Collections
    ("collection that is there", "PUT", f"/collections/{C}", {"vectors": {"size": 4, "distance": "Dot"}}, 409,
     f"Wrong input: Collection `{C}` already exists!"),
    ("one name for two vectors", "PUT", "/collections/texts_new", {"vectors": {"x": {"size": 4, "distance": "Dot"}}, "sparse_vectors": {"x": {}}}, 400,
     "Wrong input: Dense and sparse vector names must be unique - duplicate found with 'x'"),
    ("sparse vector without a name", "PUT", "/collections/texts_new", {"sparse_vectors": {"": {}}}, 422,
     begins("Validation error in JSON body: [", "Sparse vector name cannot be empty")),
    ("forbidden letter in a name", "PUT", "/collections/a%3Cb", {"vectors": {"size": 4, "distance": "Dot"}}, 422, begins("Validation error in path parameters: [", "<")),
    ("long name", "PUT", "/collections/" + 256 * "a", {"vectors": {"size": 4, "distance": "Dot"}}, 422, begins("Validation error in path parameters: [", "255")),
    ("pinned vectors", "PUT", "/collections/texts_new", {"vectors": {"size": 4, "distance": "Dot", "memory": "pinned"}}, 422, begins("Validation error in JSON body: [", "pinned")),
    ("change of a vector that is not there", "PATCH", f"/collections/{C}", {"vectors": {"zzz": {"on_disk": True}}}, 400,
     "Wrong input: Not existing vector name error: zzz"),
    ("another definition of a vector", "PUT", f"/collections/{C}/vectors/d", {"dense": {"size": 5, "distance": "Dot"}}, 400, begins("Wrong input: ", "d")),
    # Field indexes
    ("index without a schema", "PUT", f"/collections/{C}/index", {"field_name": "n"}, 400,
     "Bad request: Can't auto-detect field type, please specify `field_schema` in the request"),
    ("integer index for nothing", "PUT", f"/collections/{C}/index", {"field_name": "n", "field_schema": {"type": "integer", "lookup": False, "range": False}}, 422,
     begins("Validation error in JSON body: [", "the 'lookup' and 'range' capabilities can't be both disabled")),
    ("order without an index", "POST", SCROLL, {"order_by": "n"}, 400, begins("Wrong input: ", "`n`", "integer", "float", "datetime")),
    ("order by an index that knows no order", "POST", SCROLL, {"order_by": "word"}, 400, begins("Wrong input: ", "`word`", "integer")),
    ("query in order without an index", "POST", QUERY, {"query": {"order_by": "n"}}, 400, begins("Wrong input: ", "`n`", "integer")),
    ("facet without an index", "POST", f"/collections/{C}/facet", {"key": "n"}, 400, begins("Wrong input: ", "n", "keyword", "integer")),
    ("order and an offset", "POST", SCROLL, {"order_by": "n", "offset": 1}, 400, begins("Bad request: ", "offset", "order_by")),
    # Rules of queries
    ("prefetches without a query", "POST", QUERY, PREFETCH, 400,
     "Bad request: A query is needed to merge the prefetches. Can't have prefetches without defining a query."),
    ("threshold without a query", "POST", QUERY, {"score_threshold": 0.5}, 400,
     "Bad request: A query is needed to use the score_threshold. Can't have score_threshold without defining a query."),
    ("threshold of an order", "POST", QUERY, {"query": {"order_by": "n"}, "score_threshold": 0.5}, 400,
     "Bad request: Can't use score_threshold with an order_by query."),
    ("fusion of a vector", "POST", QUERY, {**PREFETCH, "query": {"fusion": "rrf"}, "using": "d"}, 400,
     "Bad request: Fusion queries cannot be combined with the 'using' field."),
    ("the same inside a prefetch", "POST", QUERY, {"prefetch": [{**PREFETCH, "query": {"fusion": "rrf"}, "using": "d"}], "query": {"fusion": "rrf"}}, 400,
     "Bad request: Fusion queries cannot be combined with the 'using' field."),
    ("fusion of nothing", "POST", QUERY, {"query": {"fusion": "rrf"}}, 400, begins("Bad request: ", "prefetch")),
    ("formula over nothing", "POST", QUERY, {"query": {"formula": "$score"}}, 400, begins("Bad request: ", "prefetch")),
    ("too many weights", "POST", QUERY, {**PREFETCH, "query": {"rrf": {"weights": [1, 2]}}}, 400, begins("Bad request: ", "2", "1")),
    ("rrf with a k of zero", "POST", QUERY, {**PREFETCH, "query": {"rrf": {"k": 0}}}, 422, begins("Validation error in JSON body: [", "value 0 invalid, must be 1 or larger")),
    ("average of nothing wanted", "POST", QUERY, {"query": {"recommend": {"negative": [1]}}, "using": "d"}, 400, "Wrong input: Positive vectors should not be empty with `average` strategy"),
    ("examples of nothing", "POST", QUERY, {"query": {"recommend": {"strategy": "best_score"}}, "using": "d"}, 400,
     "Wrong input: At least one positive or negative vector ID required with this strategy"),
    ("feedback of nothing", "POST", QUERY, {"query": {"relevance_feedback": {"target": V, "feedback": [], "strategy": {"naive": {"a": 1, "b": 1, "c": 1}}}}, "using": "d"}, 422,
     begins("Validation error in JSON body: [", "feedback elements must be non-empty")),
    ("variety above one", "POST", QUERY, {"query": {"nearest": V, "mmr": {"diversity": 1.5}}, "using": "d"}, 422, begins("Validation error in JSON body: [", "diversity", "1.5")),
    ("an example that is not there", "POST", QUERY, {"query": 77, "using": "d"}, 404, "Not found: No point with id 77 found"),
    ("examples in a collection that is not there", "POST", QUERY, {"query": 1, "using": "d", "lookup_from": {"collection": "nowhere"}}, 404,
     "Not found: Collection `nowhere` doesn't exist!"),
    ("a limit of zero", "POST", QUERY, {**NEAREST, "limit": 0}, 422, "Validation error in JSON body: [internal.limit: value 0 invalid, must be 1 or larger]"),
    ("a sample of one", "POST", f"{POINTS}/search/matrix/pairs", {"sample": 1, "using": "d"}, 422, begins("Validation error in JSON body: [", "value 1 invalid, must be 2 or larger")),
    ("acorn beyond all points", "POST", QUERY, {**NEAREST, "params": {"acorn": {"enable": True, "max_selectivity": 1.5}}}, 422,
     begins("Validation error in JSON body: [", "max_selectivity", "1.5")),
    ("frequencies of a vector without them", "POST", QUERY, {"query": {"indices": [1], "values": [1.0]}, "using": "s", "params": {"idf": {"corpus": {}}}}, 400,
     begins("Wrong input: ", "idf")),
    ("groups with a lookup that is not there", "POST", f"{QUERY}/groups", {**NEAREST, "group_by": "n", "with_lookup": "nowhere"}, 404, "Not found: Collection nowhere not found"),
    ("a model that is not there", "POST", QUERY, {"query": {"text": "a", "model": "clip"}, "using": "s"}, 400, begins("Wrong input: ", "clip", "qdrant/bm25")),
    ("bm25 with a negative k", "POST", QUERY, {"query": {"text": "a", "model": "bm25", "options": {"k": -1}}, "using": "s"}, 400, begins("Wrong input: ", "k")),
    ("bm25 with b above one", "POST", QUERY, {"query": {"text": "a", "model": "bm25", "options": {"b": 2}}, "using": "s"}, 400, begins("Wrong input: ", "b")),
    ("bm25 without a length", "POST", QUERY, {"query": {"text": "a", "model": "bm25", "options": {"avg_len": 0}}, "using": "s"}, 400, begins("Wrong input: ", "avg_len")),
    # Formulas
    ("a variable that is not there", "POST", QUERY, formula({"sum": ["$score", "missing"]}), 400, begins("", "missing")),
    ("a variable with several values", "POST", QUERY, formula({"sum": ["$score", "list"]}), 400, begins("", "list")),
    ("a root of a negative number", "POST", QUERY, formula({"sqrt": {"neg": "n"}}), 400, "Wrong input: The expression √-1.0 produced a non-finite number"),
    ("a division by zero", "POST", QUERY, formula({"div": {"left": "n", "right": 0}}), 400, begins("", "0")),
    ("a decay without scale", "POST", QUERY, formula({"lin_decay": {"x": "n", "scale": 0}}), 400, "Bad request: Scale must be non-zero positive, got 0.0"),
    ("a decay with a midpoint of one", "POST", QUERY, formula({"exp_decay": {"x": "n", "midpoint": 1}}), 400, begins("", "midpoint")),
    # Filters
    ("no condition of a field", "POST", SCROLL, {"filter": {"must": [{"key": "n"}]}}, 422,
     begins("Validation error in JSON body: [", "At least one field condition must be specified")),
    ("a key that no filter has", "POST", SCROLL, {"filter": {"most": []}}, 400, begins("Format error in JSON body: ", "most")),
    ("an open ring", "POST", SCROLL, {"filter": {"must": [{"key": "g", "geo_polygon": {"exterior": {"points": [{"lat": 0, "lon": i} for i in range(4)]}}}]}}, 400,
     begins("Format error in JSON body: ", "the first and the last points should be the same to form a closed line")),
    # Writes
    ("vectors of a point without any", "PUT", f"{POINTS}/vectors", {"points": [{"id": 1, "vector": {}}]}, 422,
     "Validation error in JSON body: [points[0].vector: must specify vectors to update for point]"),
    ("an empty vector", "PUT", POINTS, {"points": [{"id": 1, "vector": {"d": []}}]}, 422, begins("Validation error in JSON body: [", "dense vector must not be empty")),
    ("indices twice", "PUT", POINTS, {"points": [{"id": 1, "vector": {"s": {"indices": [1, 1], "values": [1, 2]}}}]}, 422, begins("Validation error in JSON body: [", "unique")),
    ("indices without values", "PUT", POINTS, {"points": [{"id": 1, "vector": {"s": {"indices": [1, 2], "values": [1]}}}]}, 422,
     begins("Validation error in JSON body: [", "same length")),
    ("a timeout of zero", "PUT", f"{POINTS}?timeout=0", {"points": []}, 422, "Validation error in query parameters: [timeout: value 0 invalid, must be 1 or larger]"),
    ("no such ordering", "PUT", f"{POINTS}?ordering=none", {"points": []}, 400, begins("Query deserialize error: ", "none")),
    # Ranges and forms of settings
    *((f"settings {settings}", "PUT", "/collections/texts_new", {"vectors": {"size": 4, "distance": "Dot"}, **settings}, 422,
       f"Validation error in JSON body: [{text}]") for settings, text in (
        ({"shard_number": 0}, "shard_number: value 0 invalid, must be 1 or larger"),
        ({"replication_factor": 0}, "replication_factor: value 0 invalid, must be 1 or larger"),
        ({"write_consistency_factor": 0}, "write_consistency_factor: value 0 invalid, must be 1 or larger"),
        ({"vectors": {"size": 65537, "distance": "Dot"}}, "vectors.size: value 65537 invalid, must be from 1 to 65536"),
        ({"vectors": {"size": 4, "distance": "Dot", "memory": "pinned"}},
         "vectors.memory: `pinned` memory placement is not supported for dense vector storage"),
        ({"payload": {"memory": "pinned"}}, "payload.memory: `pinned` memory placement is not supported for payload storage"),
        ({"vectors": {"a/b": {"size": 4, "distance": "Dot"}}}, 'vectors: vector name cannot contain "/"'),
        ({"vectors": {201 * "a": {"size": 4, "distance": "Dot"}}}, "vectors: vector name must be at most 200 bytes long"),
        ({"vectors": {"a": {"size": 4, "distance": "Dot", "hnsw_config": {"ef_construct": 3}}}},
         "vectors.?.hnsw_config.ef_construct: value 3 invalid, must be 4 or larger"),
        ({"hnsw_config": {"full_scan_threshold": 9}}, "hnsw_config.full_scan_threshold: value 9 invalid, must be 10 or larger"),
        ({"optimizers_config": {"deleted_threshold": 1.5}}, "optimizers_config.deleted_threshold: value 1.5 invalid, must be from 0.0 to 1.0"),
        ({"optimizers_config": {"max_segment_size": 0}}, "optimizers_config.max_segment_size: value 0 invalid, must be 1 or larger"),
        ({"optimizers_config": {"vacuum_min_vector_number": 99}},
         "optimizers_config.vacuum_min_vector_number: value 99 invalid, must be 100 or larger"),
        ({"wal_config": {"wal_capacity_mb": 0}}, "wal_config.wal_capacity_mb: value 0 invalid, must be 1 or larger"),
        ({"wal_config": {"wal_retain_closed": 0}}, "wal_config.wal_retain_closed: value 0 invalid, must be 1 or larger"),
        ({"quantization_config": {"scalar": {"type": "int8", "quantile": 0.4}}},
         "quantization_config.scalar.quantile: value 0.4 invalid, must be from 0.5 to 1.0"),
        *(({"strict_mode_config": {key: 0}}, f"strict_mode_config.{key}: value 0 invalid, must be 1 or larger")
          for key in ("max_query_limit", "max_timeout", "read_rate_limit", "write_rate_limit", "max_points_count")),
        ({"strict_mode_config": {"max_resident_memory_percent": 101}},
         "strict_mode_config.max_resident_memory_percent: value 101 invalid, must be from 1 to 100"),
        ({"strict_mode_config": {"multivector_config": {"a": {"max_vectors": 0}}}},
         "strict_mode_config.multivector_config.?.max_vectors: value 0 invalid, must be 1 or larger"),
        ({"strict_mode_config": {"sparse_config": {"a": {"max_length": 0}}}},
         "strict_mode_config.sparse_config.?.max_length: value 0 invalid, must be 1 or larger"))),
    *((f"settings {settings}", "PUT", "/collections/texts_new", {"vectors": {"size": 4, "distance": "Dot"}, **settings}, 400,
       begins("Format error in JSON body: ", *parts)) for settings, parts in (
        ({"vectors": {"size": 4, "distance": "Dot", "datatype": "float8"}}, ("datatype", "float8", "float32")),
        ({"vectors": {"size": 4, "distance": "Dot", "multivector_config": {"comparator": "min"}}}, ("comparator", "min", "max_sim")),
        ({"hnsw_config": {"memory": "warm"}}, ("hnsw_config.memory", "warm", "cold", "cached", "pinned")),
        ({"sparse_vectors": {"x": {"modifier": "bm25"}}}, ("modifier", "bm25", "idf")),
        ({"strict_mode_config": {"max_nothing": 1}}, ("strict_mode_config", "max_nothing")))),
    ("pinned vectors by a change", "PATCH", f"/collections/{C}", {"vectors": {"d": {"memory": "pinned"}}}, 422,
     "Validation error in JSON body: [vectors.?.memory: `pinned` memory placement is not supported for dense vector storage]"),
    ("pinned payload by a change", "PATCH", f"/collections/{C}", {"params": {"payload": {"memory": "pinned"}}}, 422,
     "Validation error in JSON body: [params.payload.memory: `pinned` memory placement is not supported for payload storage]"),
    ("removing a vector that is not there", "DELETE", f"/collections/{C}/vectors/zzz", None, 400, "Wrong input: Not existing vector name error: zzz"),
    ("an added vector of no kind", "PUT", f"/collections/{C}/vectors/x", {}, 400, begins("Format error in JSON body: ", "dense", "sparse")),
    ("index without a key", "PUT", f"/collections/{C}/index", {"field_schema": "keyword"}, 400, "Format error in JSON body: missing field `field_name`"),
    ("index of no type", "PUT", f"/collections/{C}/index", {"field_name": "a", "field_schema": "number"}, 400,
     begins("Format error in JSON body: ", "number", "keyword", "integer")),
    ("index of a path that is none", "PUT", f"/collections/{C}/index", {"field_name": "a[", "field_schema": "keyword"}, 400,
     "Bad request: Invalid json path: 'a['"),
    # Aliases
    ("alias with a collection's name", "POST", "/collections/aliases", {"actions": [{"create_alias": {"collection_name": C, "alias_name": C}}]}, 409,
     f"Wrong input: Collection `{C}` already exists!"),
    ("alias that is not there", "POST", "/collections/aliases", {"actions": [{"rename_alias": {"old_alias_name": "none", "new_alias_name": "x"}}]}, 404,
     "Not found: Alias none does not exists!"),
    ("alias of nothing", "POST", "/collections/aliases", {"actions": [{"create_alias": {"collection_name": "none", "alias_name": "x"}}]}, 404,
     "Not found: Collection `none` doesn't exist!"),
    # Kinds of vector
    *((f"vector {vector}", "PUT", POINTS, {"points": [{"id": 1, "vector": vector}]}, status, text) for vector, status, text in (
        ({"m": [[]]}, 400, "Wrong input: All vectors of a multivector must be non-empty for vector 'm'"),
        ({"m": [[1, 2], [1]]}, 400, "Wrong input: Vector dimension error: expected dim: 2, got 1 for vector 'm'"),
        ({"m": []}, 422, begins("Validation error in JSON body: [", "must not be empty")),
        ({"d": [V]}, 400, "Wrong input: Conversion between multi and regular vectors failed for vector 'd'"),
        ({"d": {"indices": [1], "values": [1]}}, 400, "Wrong input: Conversion between sparse and regular vectors failed for vector 'd'"),
        ({"s": V}, 400, "Wrong input: Conversion between sparse and regular vectors failed for vector 's'"),
        ({"s": {"indices": [-1], "values": [1]}}, 400, begins("Format error in JSON body: ", "-1", "u32")),
        (V, 400, "Wrong input: Not existing vector name error: "))),
    *((f"id {id}", "PUT", POINTS, {"points": [{"id": id, "vector": {}}]}, 400,
       f"Format error in JSON body: value {text} is not a valid point ID, valid values are either an unsigned integer or a UUID") for id, text in (
        (-1, "-1"), (1.5, "1.5"), ("12", "12"), (None, "null"), ("not-a-uuid", "not-a-uuid"))),
    ("no vectors to write", "PUT", f"{POINTS}/vectors", {"points": []}, 422, "Validation error in JSON body: [points: must specify points to update]"),
    ("no names to delete", "POST", f"{POINTS}/vectors/delete", {"points": [1], "vector": []}, 422,
     "Validation error in JSON body: [vector: must specify vector names to delete]"),
    ("payload for no points", "POST", f"{POINTS}/payload", {"payload": {"a": 1}}, 400, "Format error in JSON body: Either list of point ids or filter must be provided"),
    ("no such mode", "PUT", POINTS, {"points": [], "update_mode": "replace"}, 400, begins("Format error in JSON body: ", "replace", "insert_only", "update_only")),
    # More rules of queries
    ("prefetches too deep", "POST", QUERY, nested(66), 400, "Bad request: prefetches depth 65 exceeds max depth 64"),
    ("too many candidates", "POST", QUERY, {"query": {"nearest": V, "mmr": {"candidates_limit": 16385}}, "using": "d"}, 422,
     begins("Validation error in JSON body: [", "candidates_limit: value 16385 invalid, must be from 1 to 16384")),
    ("discovery without context", "POST", QUERY, {"query": {"discover": {"target": 1}}, "using": "d"}, 400, begins("Format error in JSON body: ", "missing field `context`")),
    ("half a pair", "POST", QUERY, {"query": {"context": [{"positive": 1}]}, "using": "d"}, 400, begins("Format error in JSON body: ", "missing field `negative`")),
    ("feedback with a negative power", "POST", QUERY,
     {"query": {"relevance_feedback": {"target": V, "feedback": [{"example": 1, "score": 1}], "strategy": {"naive": {"a": 1, "b": -1, "c": 1}}}}, "using": "d"}, 422,
     begins("Validation error in JSON body: [", "b: value -1.0 invalid, must be 0.0 or larger")),
    ("a point without the vector", "POST", QUERY, {"query": 1, "using": "s"}, 400, "Wrong input: Point 1 does not have vector with name s"),
    ("no vector has no name", "POST", QUERY, {"query": V}, 400, "Wrong input: Not existing vector name error: "),
    ("a narrow search of nothing", "POST", QUERY, {**NEAREST, "params": {"hnsw_ef": 0}}, 422, "Validation error in JSON body: [internal.params.hnsw_ef: value 0 invalid, must be 1 or larger]"),
    ("less than all of a sample", "POST", QUERY, {**NEAREST, "params": {"quantization": {"oversampling": 0.5}}}, 422,
     begins("Validation error in JSON body: [", "oversampling: value 0.5 invalid, must be 1.0 or larger")),
    ("groups of nothing", "POST", f"{QUERY}/groups", {**NEAREST, "group_by": "n", "group_size": 0}, 422,
     "Validation error in JSON body: [internal.group_size: value 0 invalid, must be 1 or larger]"),
    ("a page of nothing", "POST", SCROLL, {"limit": 0}, 422, "Validation error in JSON body: [internal.limit: value 0 invalid, must be 1 or larger]"),
    ("a facet of nothing", "POST", f"/collections/{C}/facet", {"key": "word", "limit": 0}, 422,
     "Validation error in JSON body: [internal.limit: value 0 invalid, must be 1 or larger]"),
    ("a matrix of nothing", "POST", f"{POINTS}/search/matrix/pairs", {"limit": 0, "using": "d"}, 422,
     "Validation error in JSON body: [internal.limit: value 0 invalid, must be 1 or larger]"),
    ("the older recommendation of nothing", "POST", f"{POINTS}/recommend", {"limit": 3}, 400,
     "Wrong input: Positive vectors should not be empty with `average` strategy"),
    ("the older discovery of nothing", "POST", f"{POINTS}/discover", {"limit": 3}, 400, "Bad request: target and/or a valid context should be specified"),
    ("0 to a negative power", "POST", QUERY, formula({"pow": {"base": 0, "exponent": -1}}), 400, "Wrong input: The expression 0.0^-1.0 produced a non-finite number"),
    # More of filters
    *((f"filter {condition}", "POST", SCROLL, {"filter": {"must": [condition]}}, status, text) for condition, status, text in (
        ({"nested": {"key": "a", "filter": {"must": [{"has_id": [1]}]}}}, 400, begins("Bad request: ", "has_id", "nested")),
        ({"slice": {"total": 0, "index": 0}}, 422, begins("Validation error in JSON body: [", "total: value 0 invalid, must be 1 or larger")),
        ({"slice": {"total": 2, "index": 2}}, 422, begins("Validation error in JSON body: [", "index: value 2 invalid")),
        ({"key": "g", "geo_radius": {"center": {"lon": 1, "lat": 91}, "radius": 1}}, 400, begins("Format error in JSON body: ", "91")),
        ({"key": "g", "geo_polygon": {"exterior": {"points": [{"lon": 1, "lat": 1}]}}}, 400, begins("Format error in JSON body: ", "at least 4")),
        ({"key": "d", "range": {"gt": "yesterday"}}, 400, begins("Format error in JSON body: ", "yesterday", "RFC 3339")),
        ({"key": "a[", "match": {"value": 1}}, 400, "Bad request: Invalid json path: 'a['"))),
    ("at least none of a filter", "POST", SCROLL, {"filter": {"min_should": {"conditions": [], "min_count": 0}}}, 422,
     begins("Validation error in JSON body: [", "min_count: value 0 invalid, must be 1 or larger")),
    # Query strings and paths
    ("a timeout of no number", "POST", f"{SCROLL}?timeout=x", {}, 400, begins("Query deserialize error: ")),
    ("a read with a timeout of zero", "POST", f"{SCROLL}?timeout=0", {}, 422, "Validation error in query parameters: [timeout: value 0 invalid, must be 1 or larger]"),
    ("no such consistency", "POST", f"{SCROLL}?consistency=some", {}, 400, begins("Query deserialize error: ", "some", "majority", "quorum", "all")),
    ("a wait of no bool", "PUT", f"{POINTS}?wait=x", {"points": []}, 400, begins("Query deserialize error: ", "true", "false")),
    ("quotas", "PUT", "/quotas", {"enabled": True}, 501, begins("Quotas are not supported yet")),
    # What only a cluster can do
    *((f"{verb} {path}", verb, path, {}, 405, begins("Qdrant is running in standalone mode")) for verb, path in (
        ("POST", "/cluster/recover"), ("DELETE", "/cluster/peer/1"), ("POST", f"/collections/{C}/cluster"), ("PUT", f"/collections/{C}/shards"),
        ("POST", f"/collections/{C}/shards/delete"), ("GET", "/cluster/metadata/keys"), ("PUT", "/cluster/metadata/keys/a"))),
    ("no such snapshot", "GET", f"/collections/{C}/snapshots/none.snapshot", None, 404, "Not found: Snapshot none.snapshot not found"),
    ("a snapshot of nothing", "POST", "/collections/nothing/snapshots", None, 404, "Not found: Collection `nothing` doesn't exist!"),
    ("a snapshot nowhere", "PUT", f"/collections/{C}/snapshots/recover", {"location": "file://x/y"}, 400,
     "Bad request: Invalid snapshot URI, file path must be absolute or on localhost"),
    ("a snapshot that is not there", "PUT", f"/collections/{C}/snapshots/recover", {"location": "file:///y"}, 400,
     'Bad request: Snapshot file "/y" does not exist'),
    ("a snapshot of others", "PUT", f"/collections/{C}/snapshots/recover", {"location": "file:///etc/passwd"}, 403,
     begins("Forbidden: ", "must be inside the snapshots directory")),
    ("a priority of no kind", "PUT", f"/collections/{C}/snapshots/recover", {"location": "file:///y", "priority": "x"}, 400,
     begins("Format error in JSON body: priority: unknown variant `x`")),
]


@pytest.mark.parametrize("verb, path, body, status, text", [pytest.param(*row[1:], id=row[0]) for row in ROWS])
def test_refusal(rest, collection, verb, path, body, status, text):
    r = rest(verb, path, body)
    assert r.status == status, r.body
    assert text == r.error, r.error
    assert rest("GET", "/collections/texts_new").status == 404, "nothing is half made"


def test_a_body_above_the_limit_is_refused_in_the_usual_form(server):
    from rest import Rest
    from octant_server import Server
    with Server(env={"QDRANT__SERVICE__MAX_REQUEST_SIZE_MB": "1"}) as small:
        r = Rest(small.url)("PUT", "/collections/x/points", b'{"points": "' + b"a" * (2 << 20) + b'"}')
        assert r.status == 400 and "limit" in r.error and r.json["time"] == 0.0
