"""Prices that are thought about, on real usage."""
