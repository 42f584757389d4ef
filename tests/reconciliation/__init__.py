"""The app's totals against ours."""
