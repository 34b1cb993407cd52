"""Refuses every parameter that the stripe package does not know, at any depth.

The TypedDicts it ships are Stripe's own description of the wire: a removed or misspelt parameter
is an error here as it is there.
"""

from __future__ import annotations

import functools
import re
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.store import Refused


def unflatten(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0][c]=1` → `{"a": {"b": [{"c": "1"}]}}`"""
    root: dict[str, Any] = {}
    for name, value in pairs:
        keys = re.findall(r"[^\[\]]+", name)
        place = root
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        if name.endswith("[]"):
            place.setdefault(keys[-1], []).append(value)
        else:
            place[keys[-1]] = value
    return {name: _lists(value) for name, value in root.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(each) for name, each in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def check(given: Mapping[str, Any], params: type, path: str = "") -> None:
    """Raises Refused for the first parameter that `params` does not have."""
    known = _known(params)
    for name, value in given.items():
        full = f"{path}[{name}]" if path else name
        if name not in known:
            if name == "payment_method_types":
                raise Refused(
                    "payment_method_types is no longer supported; "
                    "use allowed_payment_method_types.",
                    code="payment_method_types_no_longer_supported",
                    param=full,
                )
            raise Refused(
                f"Received unknown parameter: {full}", code="parameter_unknown", param=full
            )
        _check_value(value, known[name], full)


@functools.cache
def _known(params: type) -> dict[str, Any]:
    """Names and types one by one: a few of the package's types exist only for checkers."""
    known = {}
    for name, annotation in params.__annotations__.items():
        one = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            known.update(typing.get_type_hints(one, vars(sys.modules[params.__module__])))
        except NameError:
            known[name] = Any
    return known


def _check_value(value: Any, annotation: Any, path: str) -> None:
    """Look into nested parameters; where several shapes are allowed, one must fit."""
    shapes = list(_shapes(annotation))
    if not shapes:
        return
    places = [(path, value)]
    if isinstance(value, list):
        places = [(f"{path}[{n}]", each) for n, each in enumerate(value)]
    for place, inner in places:
        if not isinstance(inner, dict):
            continue
        problems = []
        for shape in shapes:
            try:
                check(inner, shape, place)
            except Refused as refused:
                problems.append(refused)
        if len(problems) == len(shapes):
            raise problems[0]


def _shapes(annotation: Any) -> Iterable[type]:
    # The package uses typing_extensions' TypedDict, which `typing.is_typeddict` does not know.
    if isinstance(annotation, type) and hasattr(annotation, "__total__"):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _shapes(part)


def whole(value: Any, name: str, *, least: int = 1) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise Refused(f"Invalid integer: {value}", param=name) from None
    if number < least:
        raise Refused(
            f"This value must be greater than or equal to {least}.",
            code="parameter_invalid_integer",
            param=name,
        )
    if len(str(number)) > 8:
        raise Refused(
            "Amount must be no more than 999,999.99.", code="amount_too_large", param=name
        )
    return number
