"""Projections: folds over the journal's events, each of which can be thrown away and rebuilt to the same bytes.

Nothing here is a truth of its own. A view sees events that are durable, in the order of their sequence numbers, and
knows nothing else: no clock, no market data beyond what a decision copied into its event.
"""
