"""The backend, in a browser."""
