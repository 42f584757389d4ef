"""What usage must come to, worked out by other means than the addon's.

Exact fractions, no database, nothing of the addon. `system_tests/life` plays whole
lives with it, `benchmarks/oracle.py` rates a database again, and the demo knows by it
what its month must come to.
"""
