from odoo import models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    """Keeping a wrong invoice from being posted, where the company wants that."""

    _inherit = "account.move"

    def _post(self, soft=True):
        self._fc_check_before_posting()
        return super()._post(soft)

    def _fc_check_before_posting(self):
        """Hold the usage of these invoices to what the audit asks of it.

        :raises UserError: one would break I2, I3 or I5
        """
        moves = self.filtered("company_id.fc_block_bad_invoices").sudo()
        ratings = moves.fc_rating_ids.filtered(lambda r: r.state != "open")
        if not ratings:
            return
        self.env.flush_all()
        Audit = self.env["fusion.billing.audit"].sudo()
        scope = Audit._scope(orders=ratings.subscription_id)
        found = [
            *Audit._wrong_quantities(scope),
            *Audit._double_charges(scope),
            *Audit._double_windows(scope),
        ]
        windows = ratings.grouped(lambda r: (r.subscription_id.id, r.metric_id.id))
        Finding = self.env["fusion.billing.audit.finding"]
        for kind, rows, _total in found:
            for row in rows:
                billed = windows.get((row["subscription_id"], row["metric_id"]), ())
                rating = next(
                    (
                        r
                        for r in billed
                        if r.window_start < row["window_end"]
                        and row["window_start"] < r.window_end
                    ),
                    None,
                )
                if rating:
                    [finding] = Finding._prepare_all(kind, [row])
                    raise UserError(
                        self.env._(
                            "%(invoice)s is not posted, because it would be wrong:\n"
                            "%(message)s\n"
                            "Delete the draft and invoice the subscription anew, or"
                            " ask who looks after Fusion Billing.",
                            invoice=rating.invoice_id.display_name,
                            message=finding["message"],
                        )
                    )
