"""What the benchmarks share: other modules to compare with, workers, and figures."""
