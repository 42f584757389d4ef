from collections import Counter

from odoo import api, fields, models
from odoo.tools import SQL


class FusionBillingWebhookSequence(models.Model):
    """The number of the last event that a service was told of a subscription.

    Receivers get events in no promised order. By its number an event is known to be
    older than what was seen already, and a number that is left out to be on its way.
    """

    _name = "fusion.billing.webhook.sequence"
    _description = "Webhook Sequence"
    _inherit = ["fusion.billing.guarded"]
    _log_access = False

    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="service_id.company_id")
    subscription_id = fields.Many2one(
        "sale.order", required=True, readonly=True, ondelete="cascade", index=True
    )
    last = fields.Integer(required=True, readonly=True)

    _key_unique = models.UniqueIndex("(service_id, subscription_id)")

    @api.model
    def _next(self, keys):
        """Number events, without a gap in what is committed.

        Whoever tells of the same subscription at the same time waits for this
        transaction, or is refused and repeats its own.

        :param list keys: of each event (service id, subscription id or None)
        :return: of each its number, counted from 1; None: of no one subscription
        """
        counts = Counter(key for key in keys if key[1])
        if not counts:
            return [None] * len(keys)
        services, subscriptions = zip(*sorted(counts), strict=True)
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO fusion_billing_webhook_sequence AS s
                       (service_id, subscription_id, last)
                SELECT * FROM unnest(%s, %s, %s) ORDER BY 1, 2
                ON CONFLICT (service_id, subscription_id)
                DO UPDATE SET last = s.last + excluded.last
                RETURNING service_id, subscription_id, last
                """,
                [*services],
                [*subscriptions],
                [counts[key] for key in sorted(counts)],
            )
        )
        numbers = {
            (service, subscription): last - counts[service, subscription]
            for service, subscription, last in rows
        }
        found = []
        for key in keys:
            if key in numbers:
                numbers[key] += 1
            found.append(numbers.get(key))
        return found
