"""Every field of every request: sent in an example where it matters, then left out, and the answer is another.

A field that must be there is an error when it is left out; of the others the answer, or what a write leaves behind, must change.
"""
import json
from fnmatch import fnmatchcase

import pytest
from client_models import REQUESTS, fields, m, used, without
from conftest import wait_green
from coverage_examples import ALIASES, CONFIG_MODELS, LOOKUP, POINTS, READS, RECOVERIES, REFUSALS, SETTINGS, WRITES
from coverage_lists import REFUSED, WITHOUT_EFFECT, entry
from pydantic import TypeAdapter


MATTERS = {}  # by field: whether an answer of this run hung on it


def parsed(kind, body):
    return TypeAdapter(kind).validate_python(body)


def examples(table):
    return [pytest.param(*row[1:], id=row[0]) for row in table]


@pytest.fixture(scope="module")
def filled(client, rest):
    """The collections that requests are about: one of every kind of vector, one to look things up in, one with codes."""
    names = {"c": "cover_all", "l": "cover_lookup", "q": "cover_codes", "u": "cover_unindexed", "b": "cover_texts"}
    for name in names.values():
        rest("DELETE", f"/collections/{name}")
    for short, settings in SETTINGS.items():
        if short not in names:
            continue
        assert rest("PUT", f"/collections/{names[short]}", settings["create"]).result is True
        for key, schema in settings.get("indexes", {}).items():
            assert rest("PUT", f"/collections/{names[short]}/index?wait=true", {"field_name": key, "field_schema": schema}).status == 200
        assert rest("PUT", f"/collections/{names[short]}/points?wait=true", {"points": settings["points"]}).status == 200
    wait_green(client, names["q"], indexed=len(SETTINGS["q"]["points"]))
    yield names
    for name in names.values():
        rest("DELETE", f"/collections/{name}")


def answer(rest, path, body):
    r = rest("POST", path, body)
    return r.status, r.json.get("result")


@pytest.mark.parametrize("collection, path, kind, body", examples(READS))
def test_every_field_of_a_read_matters(rest, filled, collection, path, kind, body):
    path = f"/collections/{filled[collection]}/{path}"
    body = json.loads(json.dumps(body).replace('"LOOKUP"', json.dumps(LOOKUP)))
    status, whole = answer(rest, path, body)
    assert status == 200, whole or rest("POST", path, body).error
    for field, required, where in used(parsed(kind, body)):
        if entry(WITHOUT_EFFECT, field):
            continue
        status, part = answer(rest, path, without(body, where))
        # An empty condition is one that holds: what must be there may leave something that is right as well.
        assert not required or status in (400, 422) or part != whole, f"without {field}: {part}"
        MATTERS[field] = MATTERS.get(field, False) or (status, part) != (200, whole)


def test_every_field_of_a_read_mattered_somewhere(request):
    if request.config.option.keyword:
        pytest.skip("only some examples were run")
    without_effect = [field for field, mattered in MATTERS.items() if not mattered]
    assert not without_effect, ", ".join(without_effect)


def state(rest, name):
    """All that writes can change."""
    r = rest("POST", f"/collections/{name}/points/scroll", {"limit": 100, "with_payload": True, "with_vector": True})
    return r.result["points"], rest("GET", f"/collections/{name}/aliases").result


@pytest.fixture(scope="module")
def written(rest):
    name = "cover_writes"
    rest("DELETE", f"/collections/{name}")
    assert rest("PUT", f"/collections/{name}", SETTINGS["w"]["create"]).result is True
    yield name
    rest("DELETE", f"/collections/{name}")


def write(rest, name, verb, path, body):
    """What a write leaves of the same points, and its status."""
    assert rest("POST", f"/collections/{name}/points/delete?wait=true", {"filter": {}}).status == 200
    assert rest("PUT", f"/collections/{name}/points?wait=true", {"points": POINTS}).status == 200
    r = rest(verb, f"/collections/{name}/points{path}?wait=true", body)
    return r.status, state(rest, name), r.body


@pytest.mark.parametrize("verb, path, kind, body", examples(WRITES))
def test_every_field_of_a_write_matters(rest, written, verb, path, kind, body):
    status, whole, text = write(rest, written, verb, path, body)
    assert status == 200, text
    assert whole[0] != write(rest, written, "POST", "/delete", {"points": []})[1][0], "it writes something"
    matters = {}  # a field may be in several points, of which only some are written
    for field, required, where in used(parsed(kind, body)):
        status, part, text = write(rest, written, verb, path, without(body, where))
        if required:
            assert status in (400, 422), f"without {field}: {text}"
        else:
            matters[field] = matters.get(field, False) or status != 200 or part != whole
    assert all(matters.values()), f"the same is written without {[f for f, matter in matters.items() if not matter]}"


@pytest.mark.parametrize("body", [pytest.param(b, id=str(i)) for i, b in enumerate(ALIASES)])
def test_every_field_of_a_change_of_aliases_matters(rest, written, body):
    body = json.loads(json.dumps(body).replace("COLLECTION", written))
    parsed(m.ChangeAliasesOperation, body)
    clear = {"actions": [{"delete_alias": {"alias_name": a["alias_name"]}} for a in rest("GET", f"/collections/{written}/aliases").result["aliases"]]}
    assert rest("POST", "/collections/aliases", clear).status == 200
    assert rest("POST", "/collections/aliases", {"actions": [{"create_alias": {"collection_name": written, "alias_name": "cover_old"}}]}).status == 200
    before = rest("GET", f"/collections/{written}/aliases").result
    for field, required, where in used(parsed(m.ChangeAliasesOperation, body)):
        assert required and rest("POST", "/collections/aliases", without(body, where)).status in (400, 422), field
    assert rest("GET", f"/collections/{written}/aliases").result == before
    assert rest("POST", "/collections/aliases", body).status == 200
    assert rest("GET", f"/collections/{written}/aliases").result != before


@pytest.mark.parametrize("path, kind, body", examples(RECOVERIES))
def test_every_field_of_a_recovery_matters(rest, shared, written, path, kind, body):
    made = rest("POST", f"/collections/{written}/snapshots").result
    path, location = f"/collections/{written}{path}/snapshots/recover", f"file://{shared.snapshots}/{written}/{made['name']}"
    body = {**body, "location": location, "checksum": made["checksum"]}
    assert rest("PUT", path, body).result is True
    for field, required, where in used(parsed(kind, body)):
        if entry(WITHOUT_EFFECT, field):
            continue
        if required:
            assert rest("PUT", path, without(body, where)).status == 400, field
        else:
            assert where == ("checksum",)
            assert rest("PUT", path, {**body, "checksum": "0" * 64}).status == 400
            assert rest("PUT", path, without(body, where)).result is True


@pytest.mark.parametrize("verb, path, kind, body", examples(REFUSALS))
def test_what_is_not_there_is_refused(rest, filled, verb, path, kind, body):
    """Each field that stands on the list makes a good request a refused one."""
    path = path.replace("{c}", filled["c"])
    parsed(kind, body)
    r = rest(verb, path, body)
    assert r.status in (400, 405, 422, 501) and r.error, r.body


def mentioned():
    """The fields that examples use; those of settings are all tried in test_coverage.py."""
    seen = {f"{model}.{field.alias or name}" for model in CONFIG_MODELS for name, field in REQUESTS[model].model_fields.items()}
    for *_, kind, body in READS + WRITES + RECOVERIES + REFUSALS:
        seen |= {field for field, _, _ in used(parsed(kind, body))}
    for body in ALIASES:
        seen |= {field for field, _, _ in used(parsed(m.ChangeAliasesOperation, body))}
    return seen


def test_every_field_of_every_request_is_in_an_example_or_on_a_list():
    every, seen = fields(REQUESTS), mentioned()
    listed = {f for f in every if entry(REFUSED, f)}
    missing = every - seen - listed
    assert not missing, sorted(missing)
    print(f"{len(every)} fields of {len(REQUESTS)} models; {len(listed)} listed")


def test_the_lists_name_what_there_is():
    every = fields(REQUESTS)
    values = {f.split(".")[1] for f in every} | {f.split(".")[0] for f in every}
    for pattern in [*REFUSED, *WITHOUT_EFFECT]:
        name, _, value = pattern.partition("=")
        fits = any(fnmatchcase(f, name) for f in every) if not value else any(fnmatchcase(v, name.split(".")[-1]) for v in values)
        assert fits, f"{pattern} fits no field"
