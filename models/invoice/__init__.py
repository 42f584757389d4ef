from . import (
    account_move,
    account_move_line,
    account_move_reversal,
    adjustment,
    closing,
    document_lines,
    documents,
    hold,
)
