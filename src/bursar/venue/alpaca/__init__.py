"""Alpaca: what its account activities say; and itself, asked.

One activity is read into a `Row`; `kinds` says what its type is a part of, `symbols` what it is
about, `days` when it counted, and `statements` what it states: all pure, whether a file or the API
told it. What asks: `keys` serve the `client`, `wire` reads its answers, `place` and `history` make
chunks of activities, `market` and `polling` tell prices; `account` is the whole as a `Venue`.
"""
