from . import ingest, move, store, void

# isort: split
from . import imported, imports, refused, usage
