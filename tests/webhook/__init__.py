"""The outbox, and delivery to a receiver."""
