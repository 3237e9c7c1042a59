"""Kraken: its names for coins and pairs, its row types, its running balance; and itself, asked.

What reads rows (`assets`, `pairs`, `kinds`, `rows`, `ledger_rows`, `trade_rows`, `chain`) does not
know whether they came from a file or from the API. What asks: `signing`, `nonce` and `pace` serve
the `client`; `wire` reads its answers; `sweep`, `place`, `tags` and `history` make chunks of them;
`metadata`, `market`, `past` and `stream` tell prices; `account` is the whole as a `Venue`.
"""
