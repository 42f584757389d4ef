"""What a line of an invoice or credit note says of the usage line behind it."""

from ...engine.billing import money


def signed(line):
    """What a document line charges, below zero where it gives back (Decimal)."""
    sign = -1 if line.move_type == "out_refund" else 1
    step = money.to_decimal(line.currency_id.rounding)
    share = 1 - money.to_decimal(line.discount or 0) / 100
    price = money.to_decimal(line.price_unit) * money.to_decimal(line.quantity)
    return money.round_amount(price * share, step) * sign


def is_reversal(copy):
    """Whether a line counts as reversing the one that it was copied from."""
    move = copy.move_id
    return (
        move.state == "posted"
        and move.reversed_entry_id
        and move.reversed_entry_id == copy.fc_copied_from_id.move_id
    )


def net(line, until=None):
    """What a line charges, less what reverses it in its turn (Decimal).

    :param date until: leave out what reverses it with a later accounting date
    """
    copies = line.fc_copy_ids.filtered(is_reversal)
    if until:
        copies = copies.filtered(lambda copy: copy.move_id.date <= until)
    return sum((net(copy, until) for copy in copies), signed(line))


def may_correct(line):
    """Whether a copied line stands on an invoice that takes the place of another."""
    move = line.move_id
    is_debit_note = "debit_origin_id" in move._fields and move.debit_origin_id
    return (
        move.move_type == "out_invoice"
        and move.state != "cancel"
        and not move.reversed_entry_id
        and not is_debit_note
        and line.fc_copied_from_id
    )
