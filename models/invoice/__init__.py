# An invoice's bases are registered before it.
# isort: off
from . import held

# isort: on
from . import (
    account_move,
    account_move_line,
    account_move_reversal,
    adjustment,
    changes,
    closing,
    differences,
    document_lines,
    documents,
    hold,
)
