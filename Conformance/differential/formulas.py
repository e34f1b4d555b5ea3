"""Random formulas: every expression, at most a few levels deep."""
from qdrant_client import models as m


class Formulas:
    def __init__(self, filters):
        self.filters, self.values, self.rnd = filters, filters.values, filters.rnd

    def query(self, lists):
        """A formula over so many prefetched lists."""
        defaults = {"n": 2.0, "x": 0.5, "obj.deep.n": 1.0, "loc": {"lon": 1.0, "lat": 2.0}, "at": "2021-05-05T00:00:00Z", "nope": -1.5,
                    "rank": 0.25, "home": {"lon": -5.0, "lat": 50.0}, "when": "2020-05-05T00:00:00Z"}
        if self.values.chance(0.1):  # a value that is missing then is an error
            del defaults[self.rnd.choice(list(defaults))]
        if self.values.chance(0.3):
            defaults[self.rnd.choice(["$score", "$score[1]"])] = 0.25
        return m.FormulaQuery(formula=self.expression(0, lists), defaults=defaults)

    def score(self, lists):
        place = self.rnd.randrange(lists + 1)
        return "$score" if place == 0 and self.values.chance(0.7) else f"$score[{place}]"

    def expression(self, depth, lists):
        r, v = self.rnd, self.values
        # A key with several values, or one of another kind, is refused: seldom that.
        rather = lambda sound, odd: odd if v.chance(0.04) else sound
        inner = lambda: self.expression(depth + 1, lists)
        leaf = {
            "score": lambda: self.score(lists), "number": lambda: r.choice([0.0, 1.0, -0.5, 2.5, 3.0]),
            "variable": lambda: rather(r.choice(["rank", "rank", "obj.deep.n", "nope"]), r.choice(["n", "x", "items[0].n", "mix"])),
            "condition": lambda: self.filters.condition(2),
            "geo": lambda: m.DivExpression(div=m.DivParams(left=m.GeoDistance(geo_distance=m.GeoDistanceParams(
                origin=self.filters.point(), to=rather("home", "loc"))), right=1e6)),
            "date": lambda: m.DivExpression(div=m.DivParams(left=m.SumExpression(sum=[
                m.DatetimeKeyExpression(datetime_key=rather("when", "at")),
                m.NegExpression(neg=m.DatetimeExpression(datetime="2021-01-01T00:00:00Z"))]), right=1e7)),
        }
        if depth >= 3 or v.chance(0.25 if depth else 0.05):
            return r.choices(list(leaf.values()), [4, 2, 3, 2, 1, 1])[0]()
        some = lambda: [inner() for _ in range(r.randint(1, 3))]
        positive = lambda: m.SumExpression(sum=[0.5, m.AbsExpression(abs=inner())])
        decay = lambda linear: m.DecayParamsExpression(
            x=inner(), target=r.choice([None, 1.0, "$score"]), scale=r.choice([None, 0.5, 3.0]),
            midpoint=r.choice([None, 0.3, 0.0] if linear else [None, 0.3, 0.9]))
        branch = [
            lambda: m.SumExpression(sum=some()), lambda: m.SumExpression(sum=[self.score(lists), inner()]), lambda: m.MultExpression(mult=some()),
            lambda: m.NegExpression(neg=inner()), lambda: m.AbsExpression(abs=inner()),
            lambda: m.DivExpression(div=m.DivParams(left=inner(), right=positive())),
            lambda: m.DivExpression(div=m.DivParams(left=inner(), right=self.rnd.choice([0.0, "rank"]), by_zero_default=r.choice([1.0, None]))),
            lambda: m.SqrtExpression(sqrt=r.choice([positive, inner])() if v.chance(0.3) else positive()),
            lambda: m.PowExpression(pow=m.PowParams(base=positive(), exponent=r.choice([0.5, 2.0, -1.0]))),
            lambda: m.ExpExpression(exp=m.NegExpression(neg=m.AbsExpression(abs=inner()))),
            lambda: m.MaxExpression(max=some()), lambda: m.MinExpression(min=some()),
            lambda: m.AcoshExpression(acosh=m.SumExpression(sum=[1.5, positive()])),
            lambda: m.Log10Expression(log10=positive()), lambda: m.LnExpression(ln=positive()),
            lambda: m.LinDecayExpression(lin_decay=decay(True)), lambda: m.ExpDecayExpression(exp_decay=decay(False)),
            lambda: m.GaussDecayExpression(gauss_decay=decay(False))]
        return r.choice(branch)()
