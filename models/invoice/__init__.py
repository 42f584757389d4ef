from . import account_move, account_move_reversal, adjustment, closing, documents
