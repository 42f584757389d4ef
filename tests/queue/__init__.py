"""Which subscriptions wait to be rated again."""
