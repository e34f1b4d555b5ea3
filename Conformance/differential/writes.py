"""Random writes, each as an operation of the batch endpoint, which `apply` can also send through the endpoint of its own."""
from qdrant_client import models as m

KEYS = ["city", "n", "x", "flag", "mix", "obj.in", "obj.deep.n", "items[].t", "items[0]", "city[]", "not.there", "mix.a", "at", "loc", "text"]


class Writes:
    """Random writes to a collection whose points `live` are."""

    def __init__(self, filters):
        self.filters, self.values, self.rnd, self.shape, self.live = filters, filters.values, filters.rnd, filters.shape, []

    def target(self):
        """points or filter, as keyword arguments of a payload operation."""
        return {"points": self.values.some(self.live)} if self.values.chance(0.75) else {"filter": self.filters.filter()}

    def condition(self):
        """What may hold a write back."""
        if self.values.chance(0.75):
            return {}
        return self.rnd.choice([{"update_filter": self.filters.filter()}, {"update_mode": self.rnd.choice(list(m.UpdateMode))},
                                {"update_filter": self.filters.filter(), "update_mode": self.rnd.choice(list(m.UpdateMode))}])

    def write(self, in_batch=False):
        kinds = {self.upsert: 26, self.columns: 8, self.delete: 0 if in_batch else 6, self.set_payload: 12, self.overwrite: 5, self.delete_keys: 7,
                 self.clear: 2, self.update_vectors: 7, self.delete_vectors: 5}
        if not self.live:
            return self.upsert()
        make = self.rnd.choices(list(kinds), list(kinds.values()))[0]
        if make in (self.update_vectors, self.delete_vectors, self.columns) and not self.shape.vectors:
            make = self.upsert
        return make()

    def upsert(self):
        v = self.values
        points = [m.PointStruct(id=i, vector=v.vectors(), payload=v.payload() if v.chance(0.95) else None) for i in v.some(v.pool, 1, 10)]
        return m.UpsertOperation(upsert=m.PointsList(points=points, **self.condition()))

    def columns(self):
        v, shape = self.values, self.shape
        ids = v.some(v.pool, 1, 8)
        column = lambda vector: [v.vector(vector) for _ in ids]
        vectors = {n: column(shape.vectors[n]) for n in v.some(shape.vectors)} if shape.named else column(shape.vectors[""])
        batch = m.Batch(ids=ids, vectors=vectors, payloads=[v.payload() for _ in ids] if v.chance(0.8) else None)
        return m.UpsertOperation(upsert=m.PointsBatch(batch=batch, **self.condition()))

    def delete(self):
        v = self.values
        if v.chance(0.8):
            return m.DeleteOperation(delete=m.PointIdsList(points=v.some(v.pool, 1, 6)))
        few = m.Filter(must=[self.filters.filter(), m.HasIdCondition(has_id=v.some(v.pool, 5, 25))])
        return m.DeleteOperation(delete=m.FilterSelector(filter=few))

    def set_payload(self):
        r, v = self.rnd, self.values
        key = r.choice([None, None, None, "obj", "obj.deep", "fresh.path", "items[0]", "items[7]", "items[]", "obj.list[].sub[0]"])
        if key is None:
            value = v.payload()
            for k in v.some(["city", "n", "x", "mix", "loc"], 0, 2):
                value[k] = None
        elif key.startswith("items"):
            value = {"n": r.randint(0, 4)}
        elif key.endswith("sub[0]"):
            value = {"k": r.randint(0, 2)}
        else:
            value = {"n": r.choice([1, None])} if key == "obj.deep" else {"in": v.mixed()}
        return m.SetPayloadOperation(set_payload=m.SetPayload(payload=value, key=key, **self.target()))

    def overwrite(self):
        return m.OverwritePayloadOperation(overwrite_payload=m.SetPayload(payload=self.values.payload(), **self.target()))

    def delete_keys(self):
        return m.DeletePayloadOperation(delete_payload=m.DeletePayload(keys=self.values.some(KEYS, 1, 3), **self.target()))

    def clear(self):
        if self.values.chance(0.7):
            return m.ClearPayloadOperation(clear_payload=m.PointIdsList(points=self.values.some(self.live, 1, 3)))
        few = m.Filter(must=[self.filters.filter(), m.HasIdCondition(has_id=self.values.some(self.values.pool, 1, 9))])
        return m.ClearPayloadOperation(clear_payload=m.FilterSelector(filter=few))

    def update_vectors(self):
        v, shape = self.values, self.shape
        points = [m.PointVectors(id=i, vector=v.vectors(v.some(shape.vectors))) for i in v.some(self.live)]
        held = {"update_filter": self.filters.filter()} if v.chance(0.2) else {}
        return m.UpdateVectorsOperation(update_vectors=m.UpdateVectors(points=points, **held))

    def delete_vectors(self):
        names = self.values.some(self.shape.vectors)
        if self.values.chance(0.75):
            return m.DeleteVectorsOperation(delete_vectors=m.DeleteVectors(points=self.values.some(self.live, 1, 4), vector=names))
        few = m.Filter(must=[self.filters.filter(), m.HasIdCondition(has_id=self.values.some(self.values.pool, 5, 25))])
        return m.DeleteVectorsOperation(delete_vectors=m.DeleteVectors(filter=few, vector=names))

    def batch(self):
        operations = [self.write(in_batch=True) for _ in range(self.rnd.randint(1, 4))]
        if self.values.chance(0.4):
            operations.append(m.DeleteOperation(delete=m.PointIdsList(points=self.values.some(self.values.pool))))
        return operations


def apply(client, name, operation):
    """One operation through the method of its own, not through the batch endpoint."""
    op = operation
    if isinstance(op, m.UpsertOperation):
        u = op.upsert
        client.upsert(name, u.batch if isinstance(u, m.PointsBatch) else u.points, update_filter=u.update_filter, update_mode=u.update_mode)
    elif isinstance(op, m.DeleteOperation):
        client.delete(name, op.delete)
    elif isinstance(op, m.SetPayloadOperation):
        s = op.set_payload
        client.set_payload(name, s.payload, points=s.points or s.filter, key=s.key)
    elif isinstance(op, m.OverwritePayloadOperation):
        s = op.overwrite_payload
        client.overwrite_payload(name, s.payload, points=s.points or s.filter)
    elif isinstance(op, m.DeletePayloadOperation):
        s = op.delete_payload
        client.delete_payload(name, s.keys, points=s.points or s.filter)
    elif isinstance(op, m.ClearPayloadOperation):
        client.clear_payload(name, points_selector=op.clear_payload)
    elif isinstance(op, m.UpdateVectorsOperation):
        client.update_vectors(name, op.update_vectors.points, update_filter=op.update_vectors.update_filter)
    elif isinstance(op, m.DeleteVectorsOperation):
        d = op.delete_vectors
        client.delete_vectors(name, vectors=d.vector, points=d.points or d.filter)
    else:
        raise AssertionError(op)
