"""What is wrong with a setting, told to a person: where it stands, what it says, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, get_args, get_origin

from surefill.config.fields import Section
from surefill.config.tree import Settings

Keys = tuple[str, ...]


class Complaint(NamedTuple):
    """One mistake."""

    key: str
    source: str
    text: str


def told(errors: Iterable[Mapping[str, Any]], source_of: Callable[[Keys], str]) -> list[Complaint]:
    """Every mistake once: a value that fits none of several types is one mistake."""
    found = [_complaint(error, source_of) for error in errors]
    return list({each.key: each for each in reversed(found)}.values())[::-1]


def _complaint(error: Mapping[str, Any], source_of: Callable[[Keys], str]) -> Complaint:
    """One of pydantic's findings in our words."""
    keys = _without_branches(tuple(str(part) for part in error["loc"]))
    key, source = ".".join(keys), source_of(keys)
    at = f" (from {source})"
    if error["type"] == "extra_forbidden":
        return Complaint(key, source, f"{key} is not a setting: {_suggestion(keys)}{at}")
    message = error["msg"].removeprefix("Value error, ").replace("Input should be", "it should be")
    if error["type"] == "missing":
        return Complaint(key, source, f"{key} is missing: {_meaning(keys)}{at}")
    if error["type"] == "model_type":
        return Complaint(key, source, f"{key} is {_shown(error['input'])}: it is a section, give it keys{at}")
    if isinstance(error["input"], dict):
        return Complaint(key, source, f"{key}: {message}{at}")
    if keys[2:4] == ("entry", "params"):
        message = "it should be a number, text, true or false"
    elif error["type"] == "string_type":
        message = "it should be text: put it in quotes"
    return Complaint(key, source, f"{key} is {_shown(error['input'])}: {message}{at}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _without_branches(keys: Keys) -> Keys:
    """Pydantic names the branch of a union that failed: not a key, so it goes."""
    return keys[:5] if keys[2:4] == ("entry", "params") else keys


def _suggestion(keys: Keys) -> str:
    section = section_at(keys[:-1])
    siblings = list(section.model_fields) if section else []
    near = difflib.get_close_matches(keys[-1].lower(), siblings, 1, 0.6)
    if near:
        return f"did you mean {'.'.join((*keys[:-1], near[0]))}?"
    elsewhere = [".".join(path) for path in every_key() if path[-1] == keys[-1].lower()]
    if elsewhere:
        return f"did you mean {elsewhere[0]}?"
    return f"{'.'.join(keys[:-1]) or 'the file'} may have {', '.join(siblings)}"


def _meaning(keys: Keys) -> str:
    section = section_at(keys[:-1])
    field = section.model_fields.get(keys[-1]) if section else None
    return (field.description if field else None) or "give it a value"


def section_at(keys: Keys) -> type[Section] | None:
    """The section that stands at a path: names of list items and of instruments may be anything."""
    section: type[Section] | None = Settings
    at = 0
    while at < len(keys) and section is not None:
        field = section.model_fields.get(keys[at])
        if field is None:
            return None
        section = section_in(field.annotation)
        at += 2 if holds_many(field.annotation) else 1
    return section


def section_in(annotation: Any) -> type[Section] | None:
    """The section that an annotation speaks of: itself, or that of a list's or mapping's items."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for arg in get_args(annotation) if (found := section_in(arg))), None)


def holds_many(annotation: Any) -> bool:
    """Whether an annotation is a list or a mapping, whose items have a number or a name in the path."""
    return get_origin(annotation) in (list, dict)


def every_key(section: type[Section] = Settings, above: Keys = ()) -> list[Keys]:
    """The path of every key in the tree, sections left out; `*` stands for a name or a number."""
    found: list[Keys] = []
    for name, field in section.model_fields.items():
        inner = section_in(field.annotation)
        if inner is None:
            found.append((*above, name))
        else:
            found += every_key(inner, (*above, name, "*") if holds_many(field.annotation) else (*above, name))
    return found
