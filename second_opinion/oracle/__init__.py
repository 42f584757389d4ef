"""The oracle: a whole database rated again, from its raw events."""

from .oracle import Oracle

__all__ = ["Oracle"]
