"""The page: one file that opens anywhere, without a network and without a server.

Script and style are files of this package; here the data are filled in. The page's own policy lets nothing run and
nothing load but these: it names their hashes and allows no address at all.
"""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Final

import msgspec

_BEFORE: Final = (
    "text.js",
    "data.js",
    "surface.js",
    "pane.js",
    "plot.js",
    "candles.js",
    "equity.js",
    "trade_plots.js",
    "tables.js",
    "sections.js",
)

_ENCODER = msgspec.json.Encoder(enc_hook=str)
#: What could end the data's element, or be taken for markup, is written in JSON's own escapes.
_ESCAPES: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def page(title: str, model: msgspec.Struct, scripts: Sequence[str] = ()) -> str:
    """The whole page as text: same data, same bytes. `scripts`: assets that draw what else is in the data."""
    style = _asset("style.css")
    script = '"use strict";\n(() => {\n' + "\n".join(map(_asset, (*_BEFORE, *scripts, "main.js"))) + "\n})();\n"
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": html.escape(policy),
        "title": html.escape(title),
        "style": style,
        "script": script,
        "data": escaped_json(model),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _asset("page.html"))


def escaped_json(value: object) -> str:
    """JSON that can stand inside a script element."""
    text = _ENCODER.encode(value).decode()
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text


def _asset(name: str) -> str:
    return files("surefill.views.report").joinpath("assets", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
