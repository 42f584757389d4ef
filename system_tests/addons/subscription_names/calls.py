"""Counts which overrides ran. Tests empty it, and look."""

from collections import Counter

calls = Counter()
