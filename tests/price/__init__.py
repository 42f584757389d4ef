"""Charges, their models and their products, and metrics."""
