from . import ingest, move, store, unallocated, void

# isort: split
from . import usage
