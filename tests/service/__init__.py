"""Source apps: keys, accounts, turns, and whom to tell."""
