from . import account_move, adjustment, closing, documents, hold
