"""The audit: clean over whole lives of subscriptions, loud where a fault is planted."""
