"""A YAML file as plain values, with the line that each came from.

Stricter than YAML where YAML is a trap: a key that stands twice is an error, and keys are taken as they are written
(a symbol named NO or ON stays text).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from surefill.errors import ConfigError

FILE_BYTES_MAX: Final = 1_000_000
NODES_MAX: Final = 50_000  # aliases of aliases can blow a small file up
Path_ = tuple[str, ...]


class YamlFile:
    """`tree` is what the file says; `lines` has the line of every path in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Path_, int] = {}
        self._nodes = 0
        self.tree = self._read()

    def _read(self) -> dict[str, Any]:
        loader = self._loader(self._text())
        try:
            node = loader.get_single_node()
            if node is None:
                return {}
            if not isinstance(node, yaml.MappingNode):
                raise self._wrong(
                    node, "the file must be sections with keys, like `workspace:` and below it `id: main`"
                )
            tree = self._value(loader, node, ())
            assert isinstance(tree, dict)
            return tree
        except yaml.YAMLError as error:
            raise ConfigError(f"{self.path} is not YAML: {_reason(error)}", file=str(self.path)) from error
        finally:
            loader.dispose()

    def _text(self) -> str:
        try:
            if self.path.stat().st_size > FILE_BYTES_MAX:
                raise ConfigError(f"{self.path} is larger than {FILE_BYTES_MAX} bytes: is it a configuration?")
            return self.path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise ConfigError(
                f"{self.path} does not exist: name another file, or let 'surefill init' write one", file=str(self.path)
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.path} cannot be read: {error}", file=str(self.path)) from error

    def _loader(self, text: str) -> yaml.SafeLoader:
        try:
            return yaml.SafeLoader(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"{self.path} is not YAML: {_reason(error)}", file=str(self.path)) from error

    def _value(self, loader: yaml.SafeLoader, node: yaml.Node, path: Path_) -> Any:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise self._wrong(node, f"the file unfolds to more than {NODES_MAX} values")
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, item, (*path, str(at))) for at, item in enumerate(node.value)]
        try:
            return loader.construct_object(node)
        except ValueError as error:  # a date such as 2024-13-01
            raise self._wrong(node, f"{node.value!r} cannot be read ({error}): put text in quotes") from error

    def _mapping(self, loader: yaml.SafeLoader, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        written = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._wrong(key, "a key must be plain text")
            if written.count(key.value) > 1 and key.value != "<<":
                raise self._wrong(key, f"{'.'.join((*path, key.value))} stands here more than once: keep one")
        loader.flatten_mapping(node)
        found = {}
        for key, value in node.value:
            found[key.value] = self._value(loader, value, (*path, key.value))
            self.lines[(*path, key.value)] = key.start_mark.line + 1
        return found

    def _wrong(self, node: yaml.Node, what: str) -> ConfigError:
        line = node.start_mark.line + 1
        return ConfigError(f"{self.path} line {line}: {what}", file=str(self.path), line=line)


def _reason(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem
