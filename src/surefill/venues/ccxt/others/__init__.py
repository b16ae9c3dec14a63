"""Exchanges by configuration: Bybit, OKX and Coinbase."""
