from typing import NamedTuple

from odoo import api, models

KINDS = [
    ("declared", "Another Total Was Declared"),
    ("quantity", "Quantity Is Not What Was Used"),
    ("changed", "Changed by Hand"),
    ("fault", "Wrong: to Be Corrected"),
]


class Difference(NamedTuple):
    """One reason to hold an invoice.

    :ivar kind: a key of ``KINDS``
    :ivar key: names the difference with its figures: with others it is another one
    :ivar text: what people read
    """

    kind: str
    key: str
    text: str


class FusionBillingInvoiceDifferences(models.AbstractModel):
    """Why invoices are not to be posted, as their companies want it.

    Wrong amounts: what the audit would find wrong, which has to be mended, and what was
    changed by hand. Totals that differ: what an app has declared otherwise, quantities
    that are not what was used, and what was changed by hand.
    """

    _name = "fusion.billing.invoice.differences"
    _description = "Reasons to Hold Invoices"

    @api.model
    def _wanted(self, company):
        """The kinds of differences that hold invoices of a company (set of str)."""
        kinds = set()
        if company.fc_hold_differing:
            kinds |= {"declared", "quantity", "changed"}
        if company.fc_block_bad_invoices:
            # A wrong quantity is one of the faults: not asked about twice.
            kinds = (kinds - {"quantity"}) | {"fault", "changed"}
        return kinds

    @api.model
    def _of(self, moves, only=None):
        """What differs about drafts.

        :param moves: ``account.move`` records in draft
        :param set only: look for these kinds alone, which is quicker
        :return: dict of ``account.move`` -> {key: Difference}
        """
        moves = moves.sudo()
        wanted = {}
        for company, of_company in moves.grouped("company_id").items():
            kinds = self._wanted(company)
            kinds = kinds & only if only else kinds
            wanted |= dict.fromkeys(of_company, kinds)
        moves = moves.filtered(lambda move: wanted[move])
        audited = moves.filtered(lambda m: wanted[m] & {"fault", "quantity"})
        faults = self.env["fusion.billing.audit.faults"]._of(audited)
        found = {}
        for move in moves:
            kinds = wanted[move]
            differences = []
            if "changed" in kinds:
                changes = self.env["fusion.billing.invoice.changes"]._changes(move)
                differences += [Difference("changed", *change) for change in changes]
            if "declared" in kinds:
                differences += self._declared_otherwise(move)
            for fault in faults.get(move, {}).values():
                if "fault" in kinds:
                    differences.append(Difference("fault", fault.key, fault.text))
                elif "quantity" in kinds and fault.kind == "quantity":
                    differences.append(Difference("quantity", fault.key, fault.text))
            found[move] = {difference.key: difference for difference in differences}
        return found

    def _declared_otherwise(self, move):
        """The apps' totals that differ from what is billed here (list)."""
        self.env.flush_all()
        Reconciliation = self.env["fusion.billing.reconciliation"].sudo()
        found = []
        for rating in move.fc_rating_ids.filtered(lambda r: r.state == "invoiced"):
            for record in Reconciliation.search(
                [
                    ("subscription_id", "=", rating.subscription_id.id),
                    ("metric_id", "=", rating.metric_id.id),
                    ("window_start", "<", rating.window_end),
                    ("window_end", ">", rating.window_start),
                    ("state", "=", "mismatch"),
                ]
            ):
                text = self.env._(
                    "The total declared by %(app)s differs from ours: %(what)s",
                    app=record.service_id.name,
                    what=record.display_name,
                )
                key = f"declared:{record.id}:{record.difference_quantity!r}"
                found.append(Difference("declared", key, text))
        return found
