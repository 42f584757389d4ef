from . import ingest, move, void

# isort: split
from . import allocation, usage
