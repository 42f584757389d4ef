# An invoice's bases are registered before it.
# isort: off
from . import documents, hold, held

# isort: on
from . import account_move, adjustment, closing
