"""What is nobody's business is shown by nothing that shows things."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

import msgspec
import pytest

from surefill.secret import Secret

CANARY = "canary-4711"


class Keys(msgspec.Struct, frozen=True):
    api_key: Secret


@dataclass
class Account:
    keys: Keys


def test_secret_is_shown_by_no_text_of_it_or_of_what_holds_it() -> None:
    secret = Secret(CANARY)
    account = Account(Keys(secret))
    texts = [repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{account}", repr([{"key": account}])]
    texts += [str(ValueError(secret, account)), repr(secret.__rich_repr__())]

    assert CANARY not in " ".join(texts)
    assert (secret.reveal(), bool(secret), bool(Secret())) == (CANARY, True, False)


def test_secret_in_the_locals_of_a_traceback_is_not_shown() -> None:
    def fail(secret: Secret) -> None:
        raise RuntimeError(f"{secret} does not open the door")

    with pytest.raises(RuntimeError) as caught:
        fail(Secret(CANARY))
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    told = [line for line in shown.format() if "CANARY" not in line]

    assert "does not open" in "".join(told)
    assert CANARY not in "".join(told)


def test_secret_is_not_written_into_json() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode(Keys(Secret(CANARY)))
