"""Takes the pictures of the documentation from the demo's database."""
