"""The generic CSV: a person's own list of events, from any place. Pure.

`rows` says what one row may hold, `statements` what it states. docs/FILES.md is its page.
"""
