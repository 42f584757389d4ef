from . import account_move, adjustment, documents
