"""What it is worth: marks, conversion, valuation, equity with its coverage.

A mark is a price that somebody stated, with source and time. What has no mark is a named gap that
every total carries: it is never zero, never cost, never yesterday's number without saying so.
"""
