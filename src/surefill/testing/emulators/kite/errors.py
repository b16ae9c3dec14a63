"""The errors that Kite Connect answers with, each with its HTTP status.

Source: https://kite.trade/docs/connect/v3/exceptions/ (types) and the client library 5.2.2 (their statuses), read on
2026-11-28. What Kite answers to a refusal of its own risk checks is HTTP 400, whatever the type.
"""

from __future__ import annotations

from typing import Final


class KiteError(Exception):
    """A request is answered with an error: `status`, `error_type`, and a message."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message

    @property
    def body(self) -> dict[str, object]:
        """The answer's body."""
        return {"status": "error", "message": self.message, "data": None, "error_type": self.error_type}


def bad_input(message: str) -> KiteError:
    """A parameter is missing or wrong, or the broker's first checks refuse."""
    return KiteError(400, "InputException", message)


def bad_order(message: str) -> KiteError:
    """The order cannot be changed or ended as asked."""
    return KiteError(400, "OrderException", message)


def no_margin(required: str, available: str) -> KiteError:
    """There is not enough money."""
    return KiteError(
        400,
        "MarginException",
        f"Insufficient funds. Required margin is {required} but available margin is {available}.",
    )


def no_holding(tradingsymbol: str, held: int) -> KiteError:
    """There is not enough stock."""
    return KiteError(400, "HoldingException", f"Insufficient stock holding. You hold {held} of {tradingsymbol}.")


def bad_token(message: str = "Incorrect `api_key` or `access_token`.") -> KiteError:
    """The session is not, or no longer, valid."""
    return KiteError(403, "TokenException", message)


def not_permitted(message: str = "Insufficient permission for that call.") -> KiteError:
    """The app may not do this."""
    return KiteError(403, "PermissionException", message)


def not_found() -> KiteError:
    """There is no such route."""
    return KiteError(404, "GeneralException", "Route not found")


def too_many(message: str = "Too many requests") -> KiteError:
    """A rate limit: not done. It has the type of a network error; only the status tells it apart."""
    return KiteError(429, "NetworkException", message)


#: What an answer may say when nobody knows whether it was done, by the name that a test gives it.
DOUBTS: Final[dict[str, KiteError]] = {
    "general_500": KiteError(500, "GeneralException", "Something went wrong. Please try again after some time."),
    "order_500": KiteError(500, "OrderException", "Order request could not be processed."),
    "data_502": KiteError(502, "DataException", "Unknown Content-Type in the response of the order management system"),
    "network_503": KiteError(503, "NetworkException", "Error communicating with the order management system"),
    "network_504": KiteError(504, "NetworkException", "Gateway timed out"),
    "timed_out_400": KiteError(400, "OrderException", "Request to the order management system timed out"),
}
