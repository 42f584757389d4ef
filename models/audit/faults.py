from typing import NamedTuple

from odoo import api, models


class Fault(NamedTuple):
    """Something wrong with one rating on an invoice.

    :ivar kind: key of ``messages.KINDS``
    :ivar key: names it with its figures
    :ivar text: what people read
    """

    kind: str
    key: str
    text: str


class FusionBillingAuditFaults(models.AbstractModel):
    """What the audit would find wrong with invoices, asked before they are posted."""

    _name = "fusion.billing.audit.faults"
    _description = "Errors on Invoices"

    @api.model
    def _of(self, moves):
        """What the audit would find wrong with the usage on these invoices.

        :return: dict of ``account.move`` -> {key: Fault}, what would break I2, I3 or I5
        """
        ratings = moves.sudo().fc_rating_ids.filtered(lambda r: r.state != "open")
        if not ratings:
            return {}
        self.env.flush_all()
        scope = self.env["fusion.billing.audit.check"]._scope(
            orders=ratings.subscription_id
        )
        found = [
            *self.env["fusion.billing.audit.usage"].sudo()._wrong_quantities(scope),
            *self.env["fusion.billing.audit.ledger"].sudo()._billed_twice(scope),
            *self.env["fusion.billing.audit.windows"].sudo()._not_in_order(scope),
        ]
        windows = ratings.grouped(lambda r: r.subscription_id.id)
        Finding = self.env["fusion.billing.audit.finding"]
        faults = {}
        for kind, rows, _total in found:
            for row in rows:
                for rating in windows.get(row["subscription_id"], ()):
                    if (
                        row.get("metric_id") in (None, rating.metric_id.id)
                        and rating.window_start < row["window_end"]
                        and row["window_start"] < rating.window_end
                    ):
                        [finding] = Finding._prepare_all(kind, [row])
                        key = f"{kind}:{rating.id}:{row.get('found') or ''}"
                        fault = Fault(kind, key, finding["message"])
                        faults.setdefault(rating.invoice_id, {})[key] = fault
        return faults
