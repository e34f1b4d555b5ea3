"""Random filters of every kind."""
from qdrant_client import models as m

from .values import CITIES, DATES, PLACES, WORDS

PLAIN = ["city", "n", "x", "flag", "mix", "obj", "obj.in", "obj.deep.n", "items", "not.there", "not", "at", "uid", "loc", "text", "items[0]",
         "rank", "home"]
FROM_DATES = ["2021-01-01T00:00:00Z", "2021-06-07T06:09:10.123456Z", "1960-01-01T00:00:00Z", "2022-01-01T00:00:00+05:00"]
TO_DATES = ["2022-02-02T02:02:02Z", "2021-03-04T05:06:00Z", "2024-01-01T00:00:00Z"]


class Filters:
    """Random filters for the payloads that `Values` makes."""

    def __init__(self, values):
        self.values, self.rnd, self.shape = values, values.rnd, values.shape

    def filter(self, depth=0, nested=None):
        """A filter; `nested` is the key of the array whose elements it is for."""
        r, v, f = self.rnd, self.values, {}
        make = lambda low, high: [self.condition(depth, nested) for _ in range(r.randint(low, high))]
        if v.chance(0.5):
            f["must"] = make(0, 2)
        if v.chance(0.35):
            f["should"] = make(0, 3)
        if v.chance(0.3):
            f["must_not"] = make(0, 2)
        if v.chance(0.15):
            f["min_should"] = m.MinShould(conditions=make(1, 3), min_count=r.randint(1, 2))
        return m.Filter(**f) if f else m.Filter(must=make(1, 1))

    def maybe(self, p=0.5):
        return self.filter() if self.values.chance(p) else None

    def wide(self):
        """A filter that many points pass."""
        return self.rnd.choice([
            m.Filter(must_not=[self.condition(2)]), m.Filter(should=[self.condition(2), m.IsEmptyCondition(is_empty=m.PayloadField(key="n"))]),
            m.Filter(must=[m.FieldCondition(key="n", range=m.Range(gte=-2))]), m.Filter(must=[self.slice()])])

    def condition(self, depth, nested=None):
        if nested is not None:
            return self.nested_condition(depth, nested)
        kinds = {
            self.match: 26, self.range: 12, self.dates: 6, self.text: 7, self.geo: 8, self.count: 5, self.is_empty: 5, self.is_null: 5,
            self.flag: 6, self.has_id: 5, self.has_vector: 4, self.slice: 3, self.several: 4,
        }
        if depth < 3:
            pick = self.rnd.random()
            if pick < 0.08:
                return self.filter(depth + 1)
            if pick < 0.16:
                key = self.rnd.choice(["items", "items[]", "mix", "obj", "obj.list", "obj.list[]"])
                return m.NestedCondition(nested=m.Nested(key=key, filter=self.filter(depth + 1, nested=key)))
        return self.rnd.choices(list(kinds), list(kinds.values()))[0]()

    def nested_condition(self, depth, key):
        r = self.rnd
        if key == "sub":
            return m.FieldCondition(key="k", match=m.MatchValue(value=r.randint(0, 2)))
        if depth < 3 and r.random() < 0.15:
            return m.NestedCondition(nested=m.Nested(key="sub", filter=self.filter(depth + 1, nested="sub")))
        plain = r.choice(["n", "t", "at", "sub", "a"])
        return r.choice([
            m.FieldCondition(key="n", match=m.MatchValue(value=r.randint(0, 4))),
            m.FieldCondition(key="t", match=m.MatchValue(value=r.choice(CITIES))),
            m.FieldCondition(key="t", match=m.MatchAny(any=self.values.some(CITIES, 0, 3))),
            m.FieldCondition(key="t", match=m.MatchExcept(**{"except": self.values.some(CITIES, 0, 3)})),
            m.FieldCondition(key="n", range=m.Range(gte=r.randint(0, 4))), self.dates("at"),
            m.IsEmptyCondition(is_empty=m.PayloadField(key=plain)), m.IsNullCondition(is_null=m.PayloadField(key=plain)),
            m.FieldCondition(key="sub[].k", match=m.MatchValue(value=r.randint(0, 2))),
            m.FieldCondition(key="sub", values_count=m.ValuesCount(gte=r.randint(0, 2))),
            m.FieldCondition(key="t", match=m.MatchPrefix(prefix=r.choice(["o", "os", "r"])))])

    # ---- one kind each

    def match(self):
        r, v = self.rnd, self.values
        key, values = r.choice([
            ("city", CITIES), ("n", range(-5, 11)), ("flag", [True, False]), ("mix", ["a", "oslo", "3"]), ("mix", [3, 1, 0, -1, 2**53 + 1]),
            ("mix", [True, False]), ("obj.in", ["a", "oslo"]), ("obj.in", [3, 1, 0]), ("obj.deep.n", range(6)), ("items[].n", range(5)),
            ("items[].t", CITIES), ("items[0].n", range(5)), ("mix[]", [1, 2, 3]), ("mix[0]", [1, 3]), ("mix.a", [1]), ("mix[].a", [1, 2]),
            ("not.there", [1]), ("x", range(-3, 4)), ("city[]", CITIES), ("city", [1, 2]), ("n", CITIES), ("uid", v.uids),
            ("obj.list[].sub[].k", range(3)), ("obj.list[1].t", CITIES)])
        values = list(values)
        kind = r.random()
        if isinstance(values[0], str) and kind < 0.12:
            part = r.choice(["o", "os", "osl", "ü", "", "zz"])
            return m.FieldCondition(key=key, match=r.choice([m.MatchPrefix(prefix=part), m.MatchSubstring(substring=part)]))
        if kind < 0.55 or isinstance(values[0], bool):
            return m.FieldCondition(key=key, match=m.MatchValue(value=r.choice(values)))
        chosen = v.some(values, 0, 4)
        if kind < 0.8 or key == "x":  # an integral float is no integer: keep to what both define
            return m.FieldCondition(key=key, match=m.MatchAny(any=chosen))
        return m.FieldCondition(key=key, match=m.MatchExcept(**{"except": chosen}))

    def range(self):
        r, v = self.rnd, self.values
        key = r.choice(["n", "x", "mix", "obj.deep.n", "obj.in", "items[].n", "mix[]", "city", "flag", "not.there", "at", "rank", "rank"])
        low = r.randint(-12, 12) / 4 if v.chance(0.5) else r.randint(-6, 8)
        bounds = {}
        if v.chance(0.8):
            bounds[r.choice(["gt", "gte"])] = low
        if v.chance(0.6):
            bounds[r.choice(["lt", "lte"])] = low + r.randint(0, 20) / 2
        return m.FieldCondition(key=key, range=m.Range(**bounds))

    def dates(self, key=None):
        r, bounds = self.rnd, {}
        if self.values.chance(0.8):
            bounds[r.choice(["gt", "gte"])] = r.choice(FROM_DATES)
        if self.values.chance(0.6) or not bounds:
            bounds[r.choice(["lt", "lte"])] = r.choice(TO_DATES)
        return m.FieldCondition(key=key or r.choice(["at", "at", "at", "when", "items[].at", "city", "n"]), range=m.DatetimeRange(**bounds))

    def text(self):
        r = self.rnd
        key = r.choice(["text", "text", "text", "city", "items[].t", "n"])
        words = r.choice([" ", " ", "  "]).join(self.values.some([*WORDS, "vec", "fast", "missing"], 1, 3))
        kind = r.choice(["text", "text", "text_any", "phrase", "prefix"])
        if kind == "text":
            return m.FieldCondition(key=key, match=m.MatchText(text=words))
        if kind == "text_any":
            return m.FieldCondition(key=key, match=m.MatchTextAny(text_any=words))
        if kind == "phrase":
            return m.FieldCondition(key=key, match=m.MatchPhrase(phrase=words))
        return m.FieldCondition(key=key, match=m.MatchPrefix(prefix=words))

    def point(self):
        place = self.values.place()
        return m.GeoPoint(**place)

    def geo(self):
        r, key = self.rnd, self.rnd.choice(["loc", "loc", "home", "loc[]", "mix", "city"])
        kind = r.choice(["box", "radius", "polygon", "polygon with a hole"])
        if kind == "box":
            (west, south), (east, north) = (r.choice(PLACES) if self.values.chance(0.5) else (r.uniform(-180, 180), r.uniform(-85, 85)) for _ in "ab")
            south, north = min(south, north), max(south, north)
            return m.FieldCondition(key=key, geo_bounding_box=m.GeoBoundingBox(
                top_left=m.GeoPoint(lon=west, lat=north), bottom_right=m.GeoPoint(lon=east, lat=south)))
        if kind == "radius":
            return m.FieldCondition(key=key, geo_radius=m.GeoRadius(center=self.point(), radius=r.choice([1.0, 5e5, 3e6, 9e6])))
        lon, lat = r.uniform(-100, 100), r.uniform(-40, 40)
        ring = lambda size: m.GeoLineString(points=[m.GeoPoint(lon=lon + size * dx + 0.013, lat=lat + size * dy / 2 + 0.017) for dx, dy in (
            (-1, -1), (1, -0.8), (0.9, 1), (-0.7, 0.9), (-1, -1))])
        interiors = [ring(r.uniform(3, 15))] if kind != "polygon" else None
        return m.FieldCondition(key=key, geo_polygon=m.GeoPolygon(exterior=ring(r.uniform(20, 70)), interiors=interiors))

    def count(self):
        r, bounds = self.rnd, {}
        bounds[r.choice(["gt", "gte"])] = r.randint(0, 2)
        if self.values.chance(0.5):
            bounds[r.choice(["lt", "lte"])] = r.randint(0, 4)
        if self.values.chance(0.3):
            bounds = {r.choice(["lt", "lte"]): r.randint(0, 3)}
        return m.FieldCondition(key=r.choice(PLAIN), values_count=m.ValuesCount(**bounds))

    def is_empty(self):
        return m.IsEmptyCondition(is_empty=m.PayloadField(key=self.rnd.choice(PLAIN)))

    def is_null(self):
        return m.IsNullCondition(is_null=m.PayloadField(key=self.rnd.choice(PLAIN)))

    def flag(self):
        return m.FieldCondition(key=self.rnd.choice(PLAIN), **{self.rnd.choice(["is_empty", "is_null"]): self.values.chance(0.5)})

    def has_id(self):
        return m.HasIdCondition(has_id=self.values.some(self.values.pool, 0, 40))

    def has_vector(self):
        return m.HasVectorCondition(has_vector=self.rnd.choice([*self.shape.vectors] or [""]))

    def slice(self):
        total = self.rnd.randint(1, 5)
        return m.SliceCondition(slice=m.Slice(total=total, index=self.rnd.randrange(total)))

    def several(self):
        """Several predicates in one condition: any may hold."""
        parts = self.values.some([self.match(), self.range(), self.geo()], 2, 3)
        both = {}
        for part in parts:
            both |= {k: getattr(part, k) for k in ("match", "range", "geo_bounding_box", "geo_radius", "geo_polygon") if getattr(part, k) is not None}
        return m.FieldCondition(key=parts[0].key, **both)
