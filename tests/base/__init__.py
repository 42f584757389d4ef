"""Rules that hold for all models: in the database, and for what only code writes."""
