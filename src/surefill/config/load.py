"""Put the sources together: defaults < file < environment < flags, and remember which value came from where."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from surefill.config.complaints import told
from surefill.config.tree import Settings
from surefill.config.yaml_file import YamlFile
from surefill.errors import ConfigError

ENV_PREFIX: Final = "SUREFILL__"
_FREE_KEYS: Final = "instruments"  # its keys are symbols: they keep their case

Keys = tuple[str, ...]


def load_settings(
    path: str | os.PathLike[str] | None = None,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of a file (None: no file), the environment (None: this process's) and `overrides`.

    `overrides` are nested, or have dotted keys: `{"execution.slippage_bps": 3}`. Relative paths in the settings start
    from the file's folder. Raises ConfigError, with every mistake of all sources in one message.
    """
    merged = _Merged()
    base_dir, file = Path(), None
    if path is not None:
        file = Path(path)
        base_dir = file.parent
        read = YamlFile(file)
        merged.add_file(read)
    merged.add_environment(os.environ if environ is None else environ)
    for key, value in (overrides or {}).items():
        merged.put(tuple(key.split(".")), value, f"flag {key}")
    return _validated(merged).remember(merged.sources, base_dir, file)


def _validated(merged: _Merged) -> Settings:
    try:
        return Settings.model_validate(merged.tree)
    except ValidationError as error:
        found = told([dict(item) for item in error.errors(include_url=False)], merged.source_of)
        text = found[0].text if len(found) == 1 else "\n".join(["", *(f"  {each.text}" for each in found)])
        first = found[0]
        raise ConfigError(
            f"the configuration is wrong: {text}", key=first.key, source=first.source, count=len(found)
        ) from None


class _Merged:
    """The sources so far: a tree of plain values, and the source of each path."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}
        self.sources: dict[Keys, str] = {}

    def source_of(self, keys: Keys) -> str:
        """The source of a path, or of what it lies in."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.sources:
                return self.sources[keys[:length]]
        return "default"

    def add_file(self, file: YamlFile) -> None:
        """All that the file says."""
        self.tree = file.tree
        self.sources = {keys: f"{file.path} line {line}" for keys, line in file.lines.items() if keys}

    def add_environment(self, environ: Mapping[str, str]) -> None:
        """Every variable that has our prefix."""
        for name in sorted(environ):
            if name.startswith(ENV_PREFIX):
                keys = self._keys_of(name)
                self.put(keys, value_from_text(f"environment {name}", environ[name]), f"environment {name}")

    def _keys_of(self, name: str) -> Keys:
        parts = name.removeprefix(ENV_PREFIX).split("__")
        keys = [part.lower() for part in parts]
        if keys[0] == _FREE_KEYS and len(keys) > 1 and keys[1] != "default":
            known = self.tree.get(_FREE_KEYS)
            same = [symbol for symbol in known or () if symbol.upper() == parts[1].upper()]
            keys[1] = same[0] if same else parts[1]
        return tuple(keys)

    def put(self, keys: Keys, value: object, source: str) -> None:
        """Lay a value over what is there: a mapping key by key, anything else whole."""
        if isinstance(value, Mapping) and value:
            for key, inner in value.items():
                self.put((*keys, str(key)), inner, source)
            return
        node = self.tree
        for key in keys[:-1]:
            if not isinstance(node.get(key), dict):
                node[key] = {}
            node = node[key]
        node[keys[-1]] = value
        for known in [known for known in self.sources if known[: len(keys)] == keys]:
            del self.sources[known]
        self.sources[keys] = source


def value_from_text(source: str, text: str) -> object:
    """Text as it is; what begins like a list or a mapping is read as YAML (and so as JSON)."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{source} is neither a list nor a mapping, though it begins like one: {error}", source=source
        ) from error
