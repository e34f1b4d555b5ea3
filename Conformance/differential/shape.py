"""What a collection looks like: its vectors, its field indexes and when its points go to segments."""
from dataclasses import dataclass, field

from qdrant_client import models as m

METRICS = [m.Distance.COSINE, m.Distance.DOT, m.Distance.EUCLID, m.Distance.MANHATTAN]

# What is in the payload, and which index each key may get.
INDEXES = {
    "city": ["keyword", "keyword prefix"], "n": ["integer", "integer lookup", "integer range"], "x": ["float"], "flag": ["bool"],
    "at": ["datetime"], "uid": ["uuid", "keyword"], "loc": ["geo"], "text": ["text word", "text whitespace", "text phrase", "text case"],
    "mix": ["keyword", "integer", "float", "bool"], "obj.deep.n": ["integer"], "items[].t": ["keyword"], "items[].n": ["integer", "float"],
    "rank": ["float"], "home": ["geo"], "when": ["datetime"],
}


@dataclass
class VectorShape:
    """One vector of a collection's points."""
    name: str
    kind: str  # dense, multi or sparse
    size: int = 0
    distance: m.Distance = m.Distance.DOT
    datatype: str = "float32"
    idf: bool = False

    def params(self):
        multi = m.MultiVectorConfig(comparator=m.MultiVectorComparator.MAX_SIM) if self.kind == "multi" else None
        datatype = None if self.datatype == "float32" else m.Datatype(self.datatype)
        return m.VectorParams(size=self.size, distance=self.distance, multivector_config=multi, datatype=datatype)

    def sparse_params(self):
        return m.SparseVectorParams(modifier=m.Modifier.IDF if self.idf else None)

    def name_config(self):
        """The same for adding it to a collection that is there."""
        if self.kind == "sparse":
            return m.SparseVectorNameConfig(sparse=m.SparseVectorConfig(modifier=m.Modifier.IDF if self.idf else None))
        params = self.params()
        return m.DenseVectorNameConfig(dense=m.DenseVectorConfig(
            size=self.size, distance=self.distance, multivector_config=params.multivector_config))


@dataclass
class Shape:
    """A collection: its vectors now, and the indexes it has now."""
    vectors: dict[str, VectorShape]
    named: bool
    indexes: dict[str, str] = field(default_factory=dict)

    def of_kind(self, *kinds):
        return [v for v in self.vectors.values() if v.kind in kinds]

    def keys_indexed(self, *kinds):
        return [key for key, kind in self.indexes.items() if kind in kinds]

    @property
    def orderable(self):
        return self.keys_indexed("integer", "integer range", "float", "datetime")

    @property
    def countable(self):
        return self.keys_indexed("keyword", "keyword prefix", "integer", "integer lookup", "bool", "uuid")

    def create(self, client, name, optimizers):
        dense = {v.name: v.params() for v in self.of_kind("dense", "multi")}
        sparse = {v.name: v.sparse_params() for v in self.of_kind("sparse")}
        client.create_collection(
            name, vectors_config=dense[""] if "" in dense else dense, sparse_vectors_config=sparse or None,
            hnsw_config=m.HnswConfigDiff(full_scan_threshold=10), optimizers_config=optimizers)


def index_schema(kind):
    """The request for a kind of index as it is named in `INDEXES`."""
    text = lambda tokenizer, **more: m.TextIndexParams(type="text", tokenizer=tokenizer, **more)
    special = {
        "keyword prefix": m.KeywordIndexParams(type="keyword", prefix=True),
        "integer lookup": m.IntegerIndexParams(type="integer", lookup=True, range=False),
        "integer range": m.IntegerIndexParams(type="integer", lookup=False, range=True),
        "text word": text(m.TokenizerType.WORD, lowercase=True), "text whitespace": text(m.TokenizerType.WHITESPACE, lowercase=True),
        "text phrase": text(m.TokenizerType.WORD, lowercase=True, phrase_matching=True),
        "text case": text(m.TokenizerType.WORD, lowercase=False, min_token_len=2, max_token_len=6),
    }
    return special.get(kind) or m.PayloadSchemaType(kind)


def random_vector(rnd, name, number):
    kind = rnd.choices(["dense", "multi", "sparse"], [5, 3, 3])[0] if name else rnd.choice(["dense", "dense", "multi"])
    if kind == "sparse":
        return VectorShape(name, kind, idf=rnd.random() < 0.4)
    distance = METRICS[number % 4]
    datatype = "float32"
    if kind == "dense" and distance != m.Distance.COSINE:
        datatype = rnd.choices(["float32", "float16", "uint8"], [6, 1, 1])[0]
    return VectorShape(name, kind, rnd.choice([3, 4, 8, 8, 40]), distance, datatype)


def random_shape(rnd, number):
    """The shape of the collection of this number: one in three has one unnamed vector, the others several names; one in twelve has both."""
    if number % 3 == 0:
        vector = random_vector(rnd, "", number // 3)
        if number % 12 == 6:
            return Shape({"": vector, "s": VectorShape("s", "sparse", idf=rnd.random() < 0.5)}, named=True)
        return Shape({"": vector}, named=False)
    if number % 3 == 1:
        names = ["a", "b"]
    else:
        names = rnd.sample(["a", "b", "c", "vector ü"], rnd.randint(1, 4))
    return Shape({n: random_vector(rnd, n, number + i) for i, n in enumerate(names)}, named=True)


def random_optimizers(rnd):
    """Some collections stay in memory, others flush and index while the test runs."""
    threshold = rnd.choice([0, 1, 1, 2, 5])
    return m.OptimizersConfigDiff(
        indexing_threshold=threshold, vacuum_min_vector_number=100, deleted_threshold=rnd.choice([0.05, 0.2]),
        default_segment_number=rnd.choice([1, 2, 4]), flush_interval_sec=1)
