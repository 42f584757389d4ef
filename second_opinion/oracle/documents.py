"""What invoices and credit notes charge for usage, and whether the ledger agrees."""

from collections import defaultdict
from fractions import Fraction

from second_opinion.arithmetic import rounded

from .rows import item_of, shown


def signed(item):
    amount = item.price * item.quantity * (1 - item.discount / 100)
    amount = rounded(amount, item.rounding)
    return -amount if item.kind == "out_refund" else amount


class Documents:
    """What invoices and credit notes charge for usage, and their journal items."""

    def __init__(self, rows):
        self.copies = defaultdict(list)
        for item in sorted(map(item_of, rows)):
            self.copies[item.source].append(item)

    def charged(self, line):
        """What a line charges, less what reverses it; below zero: it gives back."""
        return signed(line) + sum(map(self.charged, self.reversals(line)))

    def reversals(self, line):
        return [
            copy
            for copy in self.copies.get(line.id, ())
            if copy.state == "posted" and copy.reverses == line.move
        ]

    def judge(self, line, charged, in_ledger):
        """What credit notes mean: (billed again, {their line: how much it forgives}).

        Parts that add up to the line are a full credit, billed again only if all of
        them say so. What is beyond the line is by hand.
        """
        credits = self.reversals(line)
        sign, left, forgiven = (1 if charged >= 0 else -1), abs(charged), {}
        for credit in credits:
            part = in_ledger(-self.charged(credit)) * sign
            counted = min(part, left) if part > 0 else part
            left -= counted
            forgiven[credit.id] = counted * sign
        counting = [credit for credit in credits if forgiven[credit.id]]
        again = bool(counting and not left) and all(
            credit.kind == "out_refund" and credit.again for credit in counting
        )
        return again, {} if again else forgiven


class DocumentCheck:
    """Holds ratings against the documents that bill them.

    :param report: where differences go
    :param documents: ``Documents``
    :param adjustments: rows of ADJUSTMENTS, in the order of posting
    """

    def __init__(self, report, documents, adjustments):
        self.counts, self.differ = report.counts, report.differ
        self.documents = documents
        self.adjustments = defaultdict(list)
        for rating, *values in adjustments:
            self.adjustments[rating].append(values)

    def check_invoice(self, order, row, line):
        """What documents charge for a rating, and whether it says the same of them.

        :param line: the ``Item`` that bills it, or None
        :return: (amount, what finance has charged otherwise: [(its place in the order
            of posting, how much was forgiven, whether it counts no more)])
        """
        self.counts["ratings"] += 1
        text = f"{order.name}: rating {row.id}"
        if row.state == "open":
            if row.invoice:
                self.differ(text, f"is open, and on invoice {row.invoice}")
            return row.amount, []
        again, forgiven = False, {}
        is_posted = line is not None and row.line_state == "posted"
        # A draft that somebody has edited counts as it stands.
        if is_posted or (line is not None and row.line_state == "draft"):
            again, forgiven = self.judge_line(order, row, line)
        if row.state == "released":
            if is_posted and row.invoice and row.amount and not again:
                self.differ(
                    text, f"does not count, and its invoice {row.name} is posted"
                )
            return Fraction(0), []
        if again:
            self.differ(text, f"counts as billed, and its line on {row.name} does not")
        return self.check_billed(text, row, forgiven)

    def check_billed(self, text, row, forgiven):
        """Whether what counts as billed is on an invoice.

        :param forgiven: {document line: how much of the rating it forgives}
        :return: as :meth:`check_invoice`
        """
        if not row.amount:
            if row.invoice_state == "cancel":
                self.differ(text, "counts as billed, and its invoice is cancelled")
            return Fraction(0), []
        if row.line_state not in ("draft", "posted") or not row.invoice:
            self.differ(text, "counts as billed, and is on no invoice")
            return row.amount, []
        if row.move != row.invoice:
            self.differ(text, "is on the line of another invoice")
        return self.check_adjustments(text, row, forgiven)

    def judge_line(self, order, row, line):
        """(billed again, {document line: how much of the rating it forgives})"""
        self.check_item(line)
        for copy in self.documents.reversals(line):
            self.check_item(copy)
        adapted = order.row["fiscal_position_id"] or row.position
        put = row.put if adapted else row.amount

        def in_ledger(amount):
            return rounded(amount * row.amount / put, line.rounding) if put else amount

        charged = in_ledger(signed(line))
        again, forgiven = self.documents.judge(line, charged, in_ledger)
        forgiven[line.id] = row.amount - charged
        return again, {key: value for key, value in forgiven.items() if value}

    def check_adjustments(self, text, row, forgiven):
        """Whether the ledger knows what was charged otherwise than rated."""
        known = {
            line: (key, Fraction(amount), ended)
            for key, line, amount, ended, _agreement in self.adjustments[row.id]
        }
        if any(entry[4] != row.agreement for entry in self.adjustments[row.id]):
            self.differ(text, "has an adjustment of another window")
        less = sum(forgiven.values())
        if {line: entry[1] for line, entry in known.items()} != forgiven:
            self.differ(
                text,
                f"over {shown(row.amount)} is on {row.name} over"
                f" {shown(row.amount - less)}",
            )
        less = sum(entry[1] for entry in known.values())
        return row.amount - less, [*known.values()]

    def check_item(self, item):
        """Whether a journal item says what its line of the document does."""
        text = f"{item.name}: line {item.id}"
        sign = 1 if item.kind == "out_refund" else -1
        amount = rounded(
            item.price * item.quantity * (1 - item.discount / 100), item.rounding
        )
        if not item.taxed and item.subtotal != amount:
            self.differ(
                text, f"comes to {shown(amount)}, has {shown(item.subtotal)} as its sum"
            )
        spare = 2 * item.rounding if item.taxed else 0
        if abs(item.amount - sign * item.subtotal) > spare:
            self.differ(text, f"is booked over {shown(item.amount)}")
        balance = item.amount if item.is_own else item.amount / item.rate
        spare = 0 if item.is_own else item.own_rounding
        if abs(item.balance - balance) > spare:
            self.differ(text, f"has the balance {shown(item.balance)}")
        if item.currency != item.move_currency:
            self.differ(text, "is in another currency than its document")
        if item.account in ("asset_receivable", "liability_payable", "asset_cash"):
            self.differ(text, f"is booked on an account of the kind {item.account}")
