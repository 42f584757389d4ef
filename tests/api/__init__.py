"""The handlers of the HTTP API, called directly and over HTTP."""
