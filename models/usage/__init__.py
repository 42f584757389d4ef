from . import ingest, move, store, void

# isort: split
from . import usage
