"""What is to be told of at the end of a transaction, once, whatever happened in it."""


def noted_before(cr, key, tell):
    """What was noted of records before they changed in this transaction: a dict.

    A savepoint that begins or ends counts as the end of the transaction, too: what is
    undone with it must not be told, and what is not, must.

    :param str key: of this dict in the transaction
    :param tell: is called with the dict before the changes are committed
    """
    data = cr.precommit.data
    if key not in data:
        data[key] = {}
        cr.precommit.add(lambda: tell(cr.precommit.data.pop(key)))
    return data[key]
