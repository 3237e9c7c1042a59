"""Alpaca: what its account activities say. Pure.

One activity is read into a `Row`; `kinds` says what its type is a part of, `symbols` what it is
about, `days` when it counted, and `statements` what it states.
"""
