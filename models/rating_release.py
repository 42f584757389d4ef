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

    def _release(self, credit=None):
        """Give back the windows of an invoice that will not be collected.

        The rows stay as they are, as history; being released they no longer
        count as billed, so the next rating opens a revision for the whole.

        :param credit: the credit note that did it, if any (``account.move``)
        """
        invoiced = self.filtered(lambda r: r.state == "invoiced")
        invoiced.write(
            {"state": "released", "released_by_id": credit.id if credit else False}
        )
        self.env["fusion.billing.rating.queue"].sudo()._add(invoiced.subscription_id)

    def _reclaim(self):
        """Count released ratings as billed again: what had released them is undone.

        :raises UserError: another invoice has billed the same window meanwhile
        """
        for rating in self.filtered(lambda r: r.state == "released"):
            later = self.search(
                [
                    ("subscription_id", "=", rating.subscription_id.id),
                    ("charge_id", "=", rating.charge_id.id),
                    ("window_start", "=", rating.window_start),
                    ("revision", ">", rating.revision),
                    ("state", "=", "invoiced"),
                ],
                limit=1,
            )
            if later:
                raise UserError(
                    self.env._(
                        "The usage of %(rating)s was billed again by %(invoice)s. "
                        "Collecting %(first)s too would bill it twice.",
                        rating=rating.display_name,
                        invoice=later.invoice_id.display_name,
                        first=rating.invoice_id.display_name,
                    )
                )
            rating.write({"state": "invoiced", "released_by_id": False})
        self.env["fusion.billing.rating.queue"].sudo()._add(self.subscription_id)

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
                       quantity, included, billable, amount, currency_id, explanation,
                       peak_share, 'invoiced', order_line_id, %s, %s,
                       %s, now() AT TIME ZONE 'UTC', %s, now() AT TIME ZONE 'UTC'
                  FROM fusion_billing_rating WHERE id = %s
                """,
                *key,
                line.id,
                line.move_id.id,
                self.env.uid,
                self.env.uid,
                self.id,
            )
        )
        self.env.invalidate_all()
