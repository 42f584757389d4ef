"""`./fcb demo`: sample apps post a month of usage, and every figure is checked."""
