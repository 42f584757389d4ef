from . import billed, ingest, move, store, unallocated, void

# isort: split
from . import imported, imports, refused, usage
