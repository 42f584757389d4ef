# An invoice's bases are registered before it.
# isort: off
from . import blocked

# isort: on
from . import (
    account_move,
    account_move_line,
    account_move_reversal,
    adjustment,
    block,
    closing,
    document_lines,
    documents,
    hold,
)
