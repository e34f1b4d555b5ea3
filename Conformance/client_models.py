"""The fields of the official client's models: which there are, which a body uses, and sample values of each.

All is taken from the pydantic models and the functions that send them, so a new version of the client brings its new fields along.
"""
import enum
import importlib
import inspect
import pkgutil
import re
import typing

import qdrant_client.http.api as api
from pydantic import BaseModel
from qdrant_client.http.models import models as m


def models_in(annotation):
    """The models that an annotation names."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    elif isinstance(annotation, (str, typing.ForwardRef)):
        name = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        yield from models_in(getattr(m, name, None))
    else:
        for part in typing.get_args(annotation):
            if typing.get_origin(annotation) is not typing.Literal:
                yield from models_in(part)


def reachable(roots):
    found, todo = {}, list(roots)
    while todo:
        model = todo.pop()
        if model.__name__ not in found:
            found[model.__name__] = model
            for field in model.model_fields.values():
                todo += models_in(field.annotation)
    return found


def roots():
    """The models of requests and of answers that the client's functions name."""
    requests, answers = [], []
    for module in pkgutil.iter_modules(api.__path__):
        for name, kind in vars(importlib.import_module(f"{api.__name__}.{module.name}")).items():
            if not (name.startswith("_") and inspect.isclass(kind)):
                continue
            for function_name, function in vars(kind).items():
                if function_name.startswith("_build_for_"):
                    for parameter in inspect.signature(function).parameters.values():
                        requests += models_in(parameter.annotation)
                    for text in re.findall(r"type_=m\.(\w+)", inspect.getsource(function)):
                        answers += models_in(text)
    return requests, answers


REQUESTS, ANSWERS = map(reachable, roots())


def fields(models):
    """All fields as `Model.field`, by the name they have in JSON."""
    return {f"{model.__name__}.{field.alias or name}" for model in models.values() for name, field in model.model_fields.items()}


def used(value, path=()):
    """Every field set in a parsed body: its name `Model.field`, whether it must be there, and its path in the JSON."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            field = type(value).model_fields.get(name)
            if field is None:  # not of the model; it stays as it is
                continue
            key = field.alias or name
            yield f"{type(value).__name__}.{key}", field.is_required(), (*path, key)
            part = getattr(value, name)
            if isinstance(value, m.Document) and key == "options" and isinstance(part, dict):
                part = m.Bm25Config(**part)  # the models leave open whose options these are
            yield from used(part, (*path, key))
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from used(part, (*path, key))
    elif isinstance(value, (list, tuple)):
        for place, part in enumerate(value):
            yield from used(part, (*path, place))


def without(body, path):
    """A copy of a body without what is at a path."""
    if len(path) == 1:
        if isinstance(body, list):
            return [v for place, v in enumerate(body) if place != path[0]]
        return {k: v for k, v in body.items() if k != path[0]}
    if isinstance(body, list):
        return [without(v, path[1:]) if place == path[0] else v for place, v in enumerate(body)]
    return {k: without(v, path[1:]) if k == path[0] else v for k, v in body.items()}


MISSING = object()


def at(value, path):
    """What is at a path; MISSING if there is nothing."""
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return MISSING
        value = value[key]
    return value


def kinds(annotation):
    """The alternatives of an annotation, without None and without the wrappers of single types."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from kinds(typing.get_args(annotation)[0])
    elif origin is typing.Union:
        for part in typing.get_args(annotation):
            yield from kinds(part)
    elif isinstance(annotation, (str, typing.ForwardRef)):
        yield from kinds(getattr(m, annotation if isinstance(annotation, str) else annotation.__forward_arg__))
    elif annotation is not type(None):
        yield annotation


def samples(model, name, overrides):
    """Values for one field that is no model: those of a table, or what its annotation allows."""
    if (key := f"{model.__name__}.{name}") in overrides:
        return overrides[key]
    values = []
    for kind in kinds(model.model_fields[name].annotation):
        if inspect.isclass(kind) and issubclass(kind, enum.Enum):
            values += [member.value for member in kind]
        elif kind is bool:
            values += [True, False]
        elif kind is int:
            values.append(123)
        elif kind is float:
            values.append(0.75)
        elif typing.get_origin(kind) is dict and not any(models_in(kind)):
            values.append({"key": [1, {"a": "b"}]})
        elif typing.get_origin(kind) is list and not any(models_in(kind)):
            values.append(["one", "two"])
        elif kind is str:
            values.append("text")
    return values


def leaves(model, overrides, path=(), above=()):
    """Every field under a model: its name, the models and keys that lead to it, and the values to try.

    The path is of (model, key) pairs; the key of a map has None for its model.
    """
    for name, field in model.model_fields.items():
        here = (*path, (model, field.alias or name))
        for value in samples(model, name, overrides):
            yield f"{model.__name__}.{name}", here, value
        if f"{model.__name__}.{name}" in overrides:
            continue
        for kind in kinds(field.annotation):
            if inspect.isclass(kind) and issubclass(kind, BaseModel) and kind not in above:
                yield from leaves(kind, overrides, here, (*above, kind))
            elif typing.get_origin(kind) is dict:
                for inner in models_in(kind):
                    yield from leaves(inner, overrides, (*here, (None, "a")), above)


def body(path, value, required):
    """The smallest body that has a value at a path: around it only what must be there."""
    for model, key in reversed(path):
        value = {key: value}
        if model is not None:
            value = {**{k: v for k, v in required.get(model.__name__, {}).items() if k != key}, **value}
    return value
