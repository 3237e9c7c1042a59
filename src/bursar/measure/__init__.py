"""How well it went: curves, drawdown, returns, ratios, trade statistics, heatmaps, limits, regime.

Amounts of money and percentages of them are decimals, exact but for one named rounding to the 18th
decimal. Statistics are floats on the inside and leave through `exact.statistic`. What too little
data says nothing about is `None` with a reason, never a zero. docs/MEASURES.md has every formula.
"""
