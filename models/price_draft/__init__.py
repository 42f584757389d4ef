from . import compare

# isort: split
from . import price_draft, result
