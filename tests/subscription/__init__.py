"""Windows, references, renewals, and usage that no window bills."""
