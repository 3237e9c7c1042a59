"""Venues: what an exchange says, in its files and over its API, turned into statements.

A reader here translates and nothing more. It never merges two rows, never decides what a fact is,
and never asks for a price; the ledger does that from the statements, whatever their order.
"""
