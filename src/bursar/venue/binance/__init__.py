"""Binance: its names for coins, wallets, markets and operations, and what its rows become."""
