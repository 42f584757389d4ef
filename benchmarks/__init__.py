"""Benchmarks: one module each, run by `./fcb bench NAME`; see docs/benchmarks.md."""
