"""Binance: what its histories say; and itself, asked.

A row is read into a `HistoryRow` or a `TradeRow`; `operations` says what it is a part of, `assets`
and `symbols` what it is about, `identity` by what it is known, `history_rows` and `trade_rows` what
it states: all pure, whether a file or the API told it. What asks: `keys` sign for the `client`;
`items` reads the `lists` of what is no trade, `windows` asks for them, `markets` and `futures` tell
trades; `history` makes chunks of it all, held against the wallets by `closing`, with a mark of
`place`. `wire` reads what lies there, `market` tells prices, `stream` wakes; `account` is the whole
as a `Venue`.
"""
