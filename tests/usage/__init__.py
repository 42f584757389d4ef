"""Events: who may post them, and how they are counted."""
