"""A text that is nobody's business: keys, tokens, pass phrases."""

from __future__ import annotations


class Secret:
    """No repr, message or traceback shows it, also inside something else; `reveal` gives it to whoever needs it."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret('***')" if self._text else "Secret('')"

    def __rich_repr__(self) -> tuple[str]:
        return ("***" if self._text else "",)
