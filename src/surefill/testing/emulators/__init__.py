"""Venues that speak the real wire protocols, with a truth to hold an adapter against."""
