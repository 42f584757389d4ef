"""Routes, and the document that describes them."""
