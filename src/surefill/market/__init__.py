"""Bars and quotes from files, synthetic markets, session calendars: what prices look like before the core sees them.

Everything leaves this ring as integers in the instrument's quanta and nanoseconds UTC (`surefill.domain.market`).
"""
