"""Kraken: its names for coins and pairs, its row types, its running balance.

Nothing here knows whether a row came from a file or from the API.
"""
