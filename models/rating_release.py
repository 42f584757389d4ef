from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class FusionBillingRating(models.Model):
    """Taking back what was billed, and billing it after all."""

    _inherit = "fusion.billing.rating"

    released_by_id = fields.Many2one(
        "account.move",
        string="Credited By",
        ondelete="set null",
        readonly=True,
        index="btree_not_null",
        help="The credit note after which the window is billed again.",
    )

    is_taken_back = fields.Boolean(
        string="Invoice Taken Back",
        readonly=True,
        help="Its invoice was cancelled or deleted, or its line taken off.",
    )

    def _release(self, credit=None):
        """Give back the windows of an invoice that will not be collected.

        The rows stay as they are, as history; being released they no longer
        count as billed, so the next rating opens a revision for the whole.

        There can be two reasons, the credit note and the cancelled invoice. Each is
        kept: a row counts again when both are gone.

        :param credit: the credit note that did it, if any (``account.move``)
        """
        billed = self.filtered(lambda r: r.state != "open")
        if credit:
            reason = {"released_by_id": credit.id}
            billed = billed.filtered(lambda r: not r.released_by_id)
        else:
            reason = {"is_taken_back": True}
        billed.write({"state": "released", **reason})
        self.env["fusion.billing.rating.queue"].sudo()._add(billed.subscription_id)

    def _reclaim(self, credit=None):
        """Count released ratings as billed again: what had released them is undone.

        :param credit: the credit note that is undone (``account.move``); without: the
            cancelling of their invoice is
        :raises UserError: another invoice has billed the same window meanwhile
        """
        for rating in self.filtered(lambda r: r.state == "released"):
            if not credit:
                rating.is_taken_back = False
            elif other := rating.invoice_line_id._fc_full_credits() - credit:
                rating.released_by_id = other[0]
            else:
                rating.released_by_id = False
            if rating.released_by_id or rating.is_taken_back:
                continue
            if again := rating._billed_again():
                raise UserError(
                    self.env._(
                        "The usage of %(rating)s was billed again by %(invoice)s. "
                        "Collecting %(first)s too would bill it twice.",
                        rating=rating.display_name,
                        invoice=again.invoice_id.display_name,
                        first=rating.invoice_id.display_name,
                    )
                )
            rating.state = "invoiced"
        self.env["fusion.billing.rating.queue"].sudo()._add(self.subscription_id)

    def _billed_again(self):
        """An invoiced revision that bills what this one does, if there is one.

        Not one that billed what was left over by this one, or that this one did.
        """
        self.ensure_one()
        invoiced = self.search(
            [
                ("subscription_id", "=", self.subscription_id.id),
                ("charge_id", "=", self.charge_id.id),
                ("window_start", "=", self.window_start),
                ("id", "!=", self.id),
                ("state", "=", "invoiced"),
                ("amount", "!=", 0),
            ]
        )
        if not self.amount:
            return self.browse()
        return invoiced.filtered(
            lambda other: (
                self.revision not in (other.explanation or {}).get("billed_by", ())
                and other.revision not in (self.explanation or {}).get("billed_by", ())
            )
        )[:1]

    def _bill_again_by(self, line):
        """Make the revision that the line of a corrected invoice bills.

        :param line: ``account.move.line``, a copy of this rating's own
        """
        self.ensure_one()
        self.flush_model()
        key = self.subscription_id.id, self.charge_id.id, self.window_start
        # An open revision (late usage) stays the latest.
        self.env.cr.execute(
            """
            UPDATE fusion_billing_rating SET revision = revision + 1
             WHERE subscription_id = %s AND charge_id = %s AND window_start = %s
               AND state = 'open'
            """,
            key,
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO fusion_billing_rating
                       (subscription_id, partner_id, company_id, charge_id, metric_id,
                        window_start, window_end, revision, quantity, included,
                        billable, amount, currency_id, explanation, peak_share, state,
                        order_line_id, invoice_line_id, invoice_id,
                        create_uid, create_date, write_uid, write_date)
                SELECT subscription_id, partner_id, company_id, charge_id, metric_id,
                       window_start, window_end,
                       (SELECT max(revision) + 1 FROM fusion_billing_rating
                         WHERE subscription_id = %s AND charge_id = %s
                           AND window_start = %s AND state != 'open'),
                       quantity, included, billable, amount, currency_id,
                       explanation || jsonb_build_object('billed_by', (
                           SELECT coalesce(jsonb_agg(revision), '[]')
                             FROM fusion_billing_rating
                            WHERE subscription_id = %s AND charge_id = %s
                              AND window_start = %s AND state = 'invoiced'
                              AND amount != 0)),
                       peak_share, 'invoiced', order_line_id, %s, %s,
                       %s, now() AT TIME ZONE 'UTC', %s, now() AT TIME ZONE 'UTC'
                  FROM fusion_billing_rating WHERE id = %s
                """,
                *key,
                *key,
                line.id,
                line.move_id.id,
                self.env.uid,
                self.env.uid,
                self.id,
            )
        )
        self.env.invalidate_all()
