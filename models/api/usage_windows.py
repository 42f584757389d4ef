from datetime import datetime
from decimal import Decimal

from odoo import models
from odoo.tools import SQL

from ...engine.api import answers
from ..base.render import amount
from ..subscription.timeline import CHURNED

DEFAULT_PAST_WINDOWS = 3


class FusionBillingApiUsageWindows(models.AbstractModel):
    """What a subscription has used, and what it comes to, window by window."""

    _name = "fusion.billing.api.usage.windows"
    _description = "API: Usage of Billing Windows"

    def _api_subscription_usage(self, reference, past=DEFAULT_PAST_WINDOWS):
        """What a subscription has used and what it comes to, window by window
        (``SubscriptionUsage``).

        :param str reference: external id or id of the subscription
        :param int past: how many windows before the open one
        :raises NotFoundError: ``unknown_subscription``
        """
        order = self._subscription_in_path(reference)
        window = order._fc_window()
        if order.subscription_state == CHURNED or window.is_settled:
            window = window.browse()
        return answers.SubscriptionUsage(
            subscription_id=order.id,
            external_id=order.fc_external_id or None,
            currency=order.currency_id.name,
            current=self._current_window(window) if window else None,
            past=self._past_windows(order, window, past),
            unallocated=self._unallocated_usage(order),
        ).as_json()

    def _current_window(self, window):
        """What a window comes to so far, as its invoice will say."""
        jobs = self.env["fusion.billing.rater"]._preview(window)
        untaxed = self.env["fusion.billing.rates"]._untaxed_reader()
        Charge = self.env["fusion.billing.charge"].sudo()
        return answers.OpenWindow(
            window_start=window.start,
            window_end=window.end,
            charges=[
                answers.Charge(
                    **_charge_values(
                        Charge.browse(job.agreement.charge), revision.explanation
                    ),
                    amount=amount(
                        window.currency_id,
                        untaxed(job.agreement.product, job.window, revision.amount),
                    ),
                )
                for job, revision in jobs
            ],
        )

    def _past_windows(self, order, window, count):
        """The windows of the ledger before the current one, the latest first."""
        if not count:
            return []
        Rating = self.env["fusion.billing.rating"].sudo()
        Rating.flush_model()
        before = window.start if window else datetime.max
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT window_start FROM fusion_billing_rating
                 WHERE subscription_id = %s AND state <> 'released'
                   AND window_start < %s
                 ORDER BY window_start DESC LIMIT %s
                """,
                order.id,
                before,
                count,
            )
        )
        ratings = Rating.search(
            [
                ("subscription_id", "=", order.id),
                ("state", "!=", "released"),
                ("window_start", "in", [start for [start] in rows]),
            ],
            order="window_start desc, metric_id, revision",
        )
        return [
            answers.PastWindow(
                window_start=window.start,
                window_end=window.end,
                charges=[
                    self._past_charge(revisions)
                    for revisions in group.grouped("agreement_id").values()
                ],
            )
            for window, group in ratings.grouped("window_id").items()
        ]

    def _past_charge(self, revisions):
        """What one metric of a past window came to, over all its revisions."""
        open_ones = revisions.filtered(lambda r: r.state == "open")
        latest = revisions[-1]
        return answers.PastCharge(
            **_charge_values(latest.charge_id, latest.explanation or {}),
            amount=amount(latest.currency_id, sum(revisions.mapped("amount_untaxed"))),
            state="open" if open_ones else "invoiced",
            invoices=[
                answers.InvoiceReference(invoice.id, invoice.name)
                for invoice in revisions.invoice_id
                if invoice.state == "posted"
            ],
            rated_at=latest.rated_at or None,
        )

    def _unallocated_usage(self, order):
        """What no invoice bills by itself, for each metric."""
        return [
            answers.UnallocatedUsage(
                code, events, Decimal(quantity), order.fc_rated_at or None
            )
            for code, events, quantity in self.env.execute_query(
                SQL(
                    """
                    SELECT m.code, count(*), sum(u.quantity)::text
                      FROM fusion_billing_usage u
                      JOIN fusion_billing_metric m ON m.id = u.metric_id
                     WHERE u.subscription_id = %s AND u.unallocated IS TRUE
                       AND u.voided_at IS NULL
                     GROUP BY m.code ORDER BY m.code
                    """,
                    order.id,
                )
            )
        ]


def _charge_values(charge, explanation):
    """Of a ``Charge`` of a window, as it was or will be priced."""
    return {
        "metric_code": charge.metric_id.code,
        "plan_code": charge.plan_code,
        "charge_model": explanation.get("model", charge.charge_model),
        "quantity": Decimal(explanation.get("quantity", 0)),
        "included_quota": Decimal(explanation.get("quota", 0)),
        "included": Decimal(explanation.get("included", 0)),
        "billable": Decimal(explanation.get("billable", 0)),
    }
