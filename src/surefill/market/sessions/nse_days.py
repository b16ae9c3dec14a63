"""The days on which the National Stock Exchange of India deviates from its week: a table, year by year.

It holds for the capital market (equities) and for futures and options, which keep the same days. Days and hours are
local (Asia/Kolkata). Holidays on a Saturday or Sunday are left out: those days are closed anyway.

Provenance (looked up on 2026-11-28).

- 2011 to 2025: the exchange's yearly lists of trading holidays, as `exchange_calendars` 4.13.2 (XBOM) and
  `pandas_market_calendars` (BSE, NSE) carry them, compared with each other and with recorded bars of the exchange
  (RELIANCE 2011 to 2022, NIFTY January 2024 to July 2025). Where the two lists differ the bars decided: 2013-11-14 was
  traded and 2013-11-15 was not; 2020-07-31 was traded. No bars were at hand for 2023 and from August 2025 on.
- 2026: circular NSE/CMTR/71775 of 2025-12-12; 15 January added by the circular of 2026-01-12 (municipal elections in
  Maharashtra). A closure decreed after that and not known to either package by autumn 2026 would be missing.
- 2027: PROVISIONAL. The exchange had not published its list. See `PROVISIONAL`.

How to add a year: docs/calendars.md.
"""

from __future__ import annotations

from typing import Final

#: Weekdays without ordinary trading, "month-day", by year. Those on which a special session is held are among them.
CLOSED: Final[dict[int, str]] = {
    2011: "01-26 03-02 04-12 04-14 04-22 08-15 08-31 09-01 10-06 10-26 10-27 11-07 11-10 12-06",
    2012: "01-26 02-20 03-08 04-05 04-06 05-01 08-15 08-20 09-19 10-02 10-24 11-13 11-14 11-28 12-25",
    2013: "03-27 03-29 04-19 04-24 05-01 08-09 08-15 09-09 10-02 10-16 11-04 11-15 12-25",
    2014: "02-27 03-17 04-08 04-14 04-18 04-24 05-01 07-29 08-15 08-29 10-02 10-03 10-06 10-15 10-23 10-24 11-04"
    " 11-06 12-25",
    2015: "01-26 02-17 03-06 04-02 04-03 04-14 05-01 09-17 09-25 10-02 10-22 11-11 11-12 11-25 12-25",
    2016: "01-26 03-07 03-24 03-25 04-14 04-15 04-19 07-06 08-15 09-05 09-13 10-11 10-12 10-31 11-14",
    2017: "01-26 02-24 03-13 04-04 04-14 05-01 06-26 08-15 08-25 10-02 10-19 10-20 12-25",
    2018: "01-26 02-13 03-02 03-29 03-30 05-01 08-15 08-22 09-13 09-20 10-02 10-18 11-07 11-08 11-23 12-25",
    2019: "03-04 03-21 04-17 04-19 04-29 05-01 06-05 08-12 08-15 09-02 09-10 10-02 10-08 10-21 10-28 11-12 12-25",
    2020: "02-21 03-10 04-02 04-06 04-10 04-14 05-01 05-25 10-02 11-16 11-30 12-25",
    2021: "01-26 03-11 03-29 04-02 04-14 04-21 05-13 07-21 08-19 09-10 10-15 11-04 11-05 11-19",
    2022: "01-26 03-01 03-18 04-14 04-15 05-03 08-09 08-15 08-31 10-05 10-24 10-26 11-08",
    2023: "01-26 03-07 03-30 04-04 04-07 04-14 05-01 06-29 08-15 09-19 10-02 10-24 11-14 11-27 12-25",
    2024: "01-22 01-26 03-08 03-25 03-29 04-11 04-17 05-01 05-20 06-17 07-17 08-15 10-02 11-01 11-15 11-20 12-25",
    2025: "02-26 03-14 03-31 04-10 04-14 04-18 05-01 08-15 08-27 10-02 10-21 10-22 11-05 12-25",
    2026: "01-15 01-26 03-03 03-26 03-31 04-03 04-14 05-01 05-28 06-26 09-14 10-02 10-20 11-10 11-24 12-25",
    # Republic Day 01-26; Id-ul-Fitr 03-10 (by the moon, a day either way); Holi 03-22; Good Friday 03-26; Ambedkar
    # Jayanti 04-14; Ram Navami 04-15; Mahavir Jayanti 04-19 (04-18 by some reckonings); Bakri Id 05-17 and Muharram
    # 06-15 (by the moon); Diwali Laxmi Pujan 10-29. On weekends: Mahashivratri, Maharashtra Day, Independence Day,
    # Ganesh Chaturthi, Gandhi Jayanti, Dussehra, Balipratipada, Guru Nanak Jayanti, Christmas.
    2027: "01-26 03-10 03-22 03-26 04-14 04-15 04-19 05-17 06-15 10-29",
}

#: Years of `CLOSED` that the exchange has not published: the fixed holidays, and those that go by the moon on the days
#: that sun and moon make likely (tithis reckoned for India; the same reckoning gives the published days of 2026).
PROVISIONAL: Final = frozenset({2027})

#: Days with hours of their own, on weekends and holidays alike; more than one span where trading paused. Muhurat
#: sessions of Diwali unless it says otherwise.
#:
#: Left out because their hours were not found: the Muhurat sessions of Sunday 2013-11-03 and of Sunday 2026-11-08
#: (announced by circular 71775, "timings to be notified separately"). Those days count as closed. So does 2027-10-29.
SPECIAL: Final[dict[str, str]] = {
    "2011-10-26": "16:45-18:00",  # ndtv.com, November 2012: "last year between 4.45 p.m. and 6 p.m."
    # Saturdays on which the exchange tried its systems in live trading. 2012-04-28: circular 032/2012. The others by
    # recorded bars of the same times.
    "2012-01-07": "11:15-12:45",
    "2012-03-03": "11:15-12:45",
    "2012-04-28": "11:15-12:45",
    "2012-09-08": "11:15-12:45",
    "2012-11-13": "15:45-17:00",  # ndtv.com, November 2012
    "2013-05-11": "11:15-12:45",  # by recorded bars
    "2014-03-22": "11:15-12:45",  # teluguinvestor.com, sharemanthan.in, March 2014
    "2014-10-23": "18:30-19:30",  # teluguinvestor.com, October 2014
    "2015-02-28": "09:15-15:30",  # Union Budget, a Saturday; by recorded bars
    "2015-11-11": "17:45-18:45",  # planetarypositions.com, quoting the exchange, 2015-11-09
    "2016-10-30": "18:30-19:30",  # hindupad.com, quoting the exchange, October 2016
    "2017-10-19": "18:30-19:30",  # upcomingipocalendar.com, October 2017
    "2018-11-07": "17:30-18:30",  # livemint.com, 2018-11-06
    "2019-10-27": "18:15-19:15",  # moneycontrol.com, 2019-10-22
    "2020-02-01": "09:15-15:30",  # Union Budget, a Saturday; millenniumpost.in, 2020-01-22: both exchanges
    "2020-11-14": "18:15-19:15",  # ndtv.com, 2020-11-14
    # A Wednesday: halted at 11:40 by an outage, hours extended (SEBI's and the exchange's statements of the day).
    "2021-02-24": "09:15-11:40 15:45-17:00",
    "2021-11-04": "18:15-19:15",  # freepressjournal.in, 2021-11-04
    "2022-10-24": "18:15-19:15",  # livemint.com, 2022-10-24
    "2023-11-12": "18:15-19:15",  # tradingqna.com, November 2023
    # Saturdays. January: an ordinary day in place of Monday 22 (ndtvprofit.com, 2024-05-07). March and May: half at the
    # primary, half at the disaster recovery site (livemint.com, 2024-02-15; business-standard.com, 2024-05-17).
    "2024-01-20": "09:15-15:30",
    "2024-03-02": "09:15-10:00 11:30-12:30",
    "2024-05-18": "09:15-10:00 11:30-12:30",
    "2024-11-01": "18:00-19:00",  # businesstimes.co, 2024-10-21
    "2025-02-01": "09:15-15:30",  # Union Budget, a Saturday; by recorded bars
    "2025-10-21": "13:45-14:45",  # newsbytesapp.com, 2025-09-22
    "2026-02-01": "09:15-15:30",  # Union Budget, a Sunday; circulars NSE/CMTR/72349 and NSE/FAOP/72352 of 2026-01-16
}
