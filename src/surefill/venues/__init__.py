"""Venues: one Protocol, and adapters that know their own venue and nothing of each other."""
