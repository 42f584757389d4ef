"""Headings of an order: where its usage stands, and which ones an invoice shows."""

SECTION = "line_section"
SUBSECTION = "line_subsection"
NOTE = "line_note"
DEFAULT_SEQUENCE = 10


def sequence_for_usage(order):
    """Return the sequence (int) that a new usage line of an order takes.

    Usage stands where the customer looks for what comes every month: right after the
    last recurring line of the order and the notes to it, and so under its heading.
    Lines of the same sequence stand in the order of their making; what would come
    before the new line that way is moved down.

    :param order: one ``sale.order`` record
    """
    lines = order.sudo().order_line.sorted(lambda line: (line.sequence, line.id))
    own = lines.filtered(lambda line: not line.fc_charge_id and not line.is_downpayment)
    products = own.filtered(lambda line: not line.display_type)
    recurring = products.filtered("product_id.recurring_invoice")
    # An optional product that the customer did not take has quantity 0.
    anchor = (recurring.filtered("product_uom_qty") or recurring or products)[-1:]
    if not anchor:
        return lines[-1:].sequence or DEFAULT_SEQUENCE
    below = own[own.ids.index(anchor.id) + 1 :]
    for line in below:
        if line.display_type != NOTE:
            break
        anchor = line
    below = lines[lines.ids.index(anchor.id) + 1 :]
    while below and below[0].fc_charge_id:  # usage that stands here already
        below = below[1:]
    if below and below[0].sequence == anchor.sequence:
        for line in below:
            line.sequence += 1
    return anchor.sequence


def read_again_in_order(orders):
    """Have the lines of orders read anew where they are not known in their order.

    A line that was just made comes last in what is known, wherever it stands; and an
    invoice made in the same transaction would have it there.
    """
    unsorted = orders.browse()
    for order in orders:
        places = [(line.sequence, line.id) for line in order.order_line]
        if places != sorted(places):
            unsorted |= order
    unsorted.invalidate_recordset(["order_line"])


def without_empty_headings(lines):
    """Leave out the headings with nothing below them, and the notes to these.

    As Odoo does for what is not to be invoiced; but it does not know that a usage line
    can be left out, too.

    :param lines: ``sale.order.line`` records in the order of the invoice; down
        payments stand at its end, under a heading of their own
    """
    kept, section, subsection = [], [], []  # headings wait for a line
    for line in lines:
        if line.display_type == SECTION:
            section, subsection = [line.id], []
        elif line.display_type == SUBSECTION:
            subsection = [line.id]
        elif line.display_type and (section or subsection):
            (subsection or section).append(line.id)
        elif line.is_downpayment:
            kept.append(line.id)
        else:
            kept += [*section, *subsection, line.id]
            section, subsection = [], []
    return lines.browse(kept)
