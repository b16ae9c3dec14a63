"""Positions, holdings and margins: worked out of trades, as the venue shows them.

The figures follow the recorded samples: `value` is what was sold less what was bought, `pnl` adds what the open
quantity is worth at the last price, and `m2m` takes the previous close for what was carried over night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from surefill.testing.emulators.kite.amounts import average, shown
from surefill.testing.emulators.kite.instruments import Instrument
from surefill.testing.emulators.kite.market import Price
from surefill.testing.emulators.kite.orders import BUY, Trade

Lookup = Callable[[str], tuple[Instrument, Price]]
PositionKey = tuple[str, str]  # EXCHANGE:TRADINGSYMBOL, product


class Legs(NamedTuple):
    """What was bought and sold of one thing: quantities, and values as price times quantity."""

    bought: int = 0
    bought_value: int = 0
    sold: int = 0
    sold_value: int = 0

    def plus(self, trade: Trade) -> Legs:
        """With one more trade."""
        value = trade.px * trade.quantity
        if trade.transaction_type == BUY:
            return self._replace(bought=self.bought + trade.quantity, bought_value=self.bought_value + value)
        return self._replace(sold=self.sold + trade.quantity, sold_value=self.sold_value + value)

    @property
    def net(self) -> int:
        """What is left: positive is long."""
        return self.bought - self.sold


def legs_of(trades: Iterable[Trade]) -> dict[PositionKey, Legs]:
    """The legs of every position."""
    found: dict[PositionKey, Legs] = {}
    for trade in trades:
        key = (trade.key, trade.product)
        found[key] = found.get(key, Legs()).plus(trade)
    return found


def carried(legs: Legs) -> Legs:
    """What a day leaves to the next: the open quantity at its average price."""
    if legs.net > 0:
        return Legs(bought=legs.net, bought_value=round(legs.bought_value * legs.net / legs.bought))
    if legs.net < 0:
        return Legs(sold=-legs.net, sold_value=round(legs.sold_value * -legs.net / legs.sold))
    return Legs()


def positions(trades: list[Trade], day: int, lookup: Lookup) -> dict[str, list[dict[str, object]]]:
    """`net` (with what was carried over night) and `day` (today's trades alone)."""
    before = legs_of(trade for trade in trades if trade.day < day)
    today = legs_of(trade for trade in trades if trade.day == day)
    net: list[dict[str, object]] = []
    for key in dict.fromkeys((*before, *today)):
        overnight = carried(before.get(key, Legs()))
        if key in today or (overnight.net and key[1] != "CNC"):
            shown_overnight = Legs() if key[1] == "CNC" else overnight
            net.append(_line(key, shown_overnight, today.get(key, Legs()), lookup))
    return {"net": net, "day": [_line(key, Legs(), legs, lookup) for key, legs in today.items()]}


def _line(key: PositionKey, overnight: Legs, today: Legs, lookup: Lookup) -> dict[str, object]:
    instrument, price = lookup(key[0])
    times, close = instrument.multiplier, price.close
    both = Legs(*(a + b for a, b in zip(overnight, today, strict=True)))
    worth = both.net * price.last * times
    buy_value, sell_value = both.bought_value * times, both.sold_value * times
    buy_m2m = (overnight.bought * close + today.bought_value) * times
    sell_m2m = (overnight.sold * close + today.sold_value) * times
    buy_px, sell_px = average(both.bought_value, both.bought), average(both.sold_value, both.sold)
    pnl = shown(sell_value - buy_value + worth)
    return {
        "tradingsymbol": instrument.tradingsymbol,
        "exchange": instrument.exchange,
        "instrument_token": instrument.instrument_token,
        "product": key[1],
        "quantity": both.net,
        "overnight_quantity": overnight.net,
        "multiplier": times,
        "average_price": buy_px if both.net > 0 else sell_px if both.net < 0 else 0,
        "close_price": shown(close),
        "last_price": shown(price.last),
        "value": shown(sell_value - buy_value),
        "pnl": pnl,
        "m2m": shown(sell_m2m - buy_m2m + worth),
        "unrealised": pnl,
        "realised": 0,
        "buy_quantity": both.bought,
        "buy_price": buy_px,
        "buy_value": shown(buy_value),
        "buy_m2m": shown(buy_m2m),
        "sell_quantity": both.sold,
        "sell_price": sell_px,
        "sell_value": shown(sell_value),
        "sell_m2m": shown(sell_m2m),
        "day_buy_quantity": today.bought,
        "day_buy_price": average(today.bought_value, today.bought),
        "day_buy_value": shown(today.bought_value * times),
        "day_sell_quantity": today.sold,
        "day_sell_price": average(today.sold_value, today.sold),
        "day_sell_value": shown(today.sold_value * times),
    }


def holdings(trades: list[Trade], day: int, lookup: Lookup) -> list[dict[str, object]]:
    """Shares in the depository: what CNC trades of earlier days left."""
    before = legs_of(trade for trade in trades if trade.day < day and trade.product == "CNC")
    today = legs_of(trade for trade in trades if trade.day == day and trade.product == "CNC")
    lines: list[dict[str, object]] = []
    for key, legs in before.items():
        held = carried(legs)
        if held.net > 0:
            used = max(-today.get(key, Legs()).net, 0)
            lines.append(_holding(key, held, min(used, held.net), lookup))
    return lines


def _holding(key: PositionKey, held: Legs, used: int, lookup: Lookup) -> dict[str, object]:
    instrument, price = lookup(key[0])
    change = price.last - price.close
    return {
        "tradingsymbol": instrument.tradingsymbol,
        "exchange": instrument.exchange,
        "instrument_token": instrument.instrument_token,
        "isin": instrument.isin,
        "product": "CNC",
        "price": 0,
        "quantity": held.net - used,
        "used_quantity": used,
        "t1_quantity": 0,
        "realised_quantity": held.net,
        "authorised_quantity": 0,
        "authorised_date": "2025-01-17 00:00:00",
        "authorisation": {},
        "opening_quantity": held.net,
        "short_quantity": 0,
        "collateral_quantity": 0,
        "collateral_type": "",
        "discrepancy": False,
        "average_price": average(held.bought_value, held.bought),
        "last_price": shown(price.last),
        "close_price": shown(price.close),
        "pnl": shown(price.last * held.net - held.bought_value),
        "day_change": shown(change),
        "day_change_percentage": change * 100 / price.close if price.close else 0,
        "mtf": {"quantity": 0, "used_quantity": 0, "average_price": 0, "value": 0, "initial_margin": 0},
    }


def margin_of(cash: int, used: int) -> dict[str, object]:
    """One segment's money."""
    return {
        "enabled": True,
        "net": shown(cash - used),
        "available": {
            "adhoc_margin": 0,
            "cash": shown(cash),
            "opening_balance": shown(cash),
            "live_balance": shown(cash - used),
            "collateral": 0,
            "intraday_payin": 0,
        },
        "utilised": {
            "debits": shown(used),
            "exposure": 0,
            "m2m_realised": 0,
            "m2m_unrealised": 0,
            "option_premium": 0,
            "payout": 0,
            "span": 0,
            "holding_sales": 0,
            "turnover": 0,
            "liquid_collateral": 0,
            "stock_collateral": 0,
            "delivery": 0,
        },
    }


def order_margin(order_key: str, total: int, kind: str) -> dict[str, object]:
    """What one order needs; charges are not worked out."""
    exchange, tradingsymbol = order_key.split(":", 1)
    return {
        "type": kind,
        "tradingsymbol": tradingsymbol,
        "exchange": exchange,
        "span": 0,
        "exposure": 0,
        "option_premium": 0,
        "additional": 0,
        "bo": 0,
        "cash": 0,
        "var": shown(total),
        "pnl": {"realised": 0, "unrealised": 0},
        "leverage": 1,
        "charges": {
            "transaction_tax": 0,
            "transaction_tax_type": "",
            "exchange_turnover_charge": 0,
            "sebi_turnover_charge": 0,
            "brokerage": 0,
            "stamp_duty": 0,
            "gst": {"igst": 0, "cgst": 0, "sgst": 0, "total": 0},
            "total": 0,
        },
        "total": shown(total),
    }
