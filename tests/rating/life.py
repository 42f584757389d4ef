from freezegun import freeze_time

from ..common import BillingCase


class LifeCase(BillingCase):
    """Plays the life of subscriptions, day by day, as people and apps do.

    100 calls of a month are included, each above costs 0.50; the base fee is 10.00;
    days are those of UTC. A test tells one life, which begins on 1 January 2026, and
    asks what the customer has been charged for usage when all is over.
    """

    @classmethod
    def _create_subscription(cls, **values):
        """None yet: a life begins with `subscribe`."""
        return cls.env["sale.order"]

    def setUp(self):
        super().setUp()
        freezer = freeze_time("2026-01-01 08:00:00")
        self.clock = freezer.start()
        self.addCleanup(freezer.stop)
        self.event_count = 0

    # -- time ------------------------------------------------------------------

    def at(self, moment):
        """It is ``moment`` now (naive UTC, as text)."""
        self.clock.move_to(moment)

    def day(self, moment):
        """The daily jobs run at ``moment``, then the hourly rating job."""
        self.at(moment)
        Order = self.env["sale.order"]
        Order._cron_subscription_expiration()
        Order._create_recurring_invoice(automatic=True)
        self.rate()

    def rate(self):
        """The rating job runs."""
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref(
                "fusion_centralized_billing.cron_rate_usage"
            ).method_direct_trigger()
        self.env.invalidate_all()

    def month(self, moment):
        """A day on which invoices that were left in draft are posted as well."""
        self.day(moment)
        self.post_drafts()
        self.day(moment)

    # -- what happens ----------------------------------------------------------

    def subscribe(self, start="2026-01-01", **values):
        """A subscription confirmed on its first day, its first base fee invoiced."""
        self.at(f"{start} 08:00:00")
        order = self._create_order(start_date=start, **values)
        order.action_confirm()
        self.day(f"{start} 09:00:00")
        return order

    def use(self, quantity, start, order=None, metric=None, key=None):
        """The app records one event that begins at ``start``; returns its result."""
        self.event_count += 1
        moment = f"{start}T00:00:00Z" if len(start) == 10 else f"{start}Z"
        answer = self._post_usage(
            {
                "subscription_id": (order or self.order).id,
                "metric_code": (metric or self.metric).code,
                "quantity": str(quantity),
                "period_start": moment,
                "period_end": moment,
                "idempotency_key": key or f"event-{self.event_count}",
            }
        )
        return answer["results"][0]

    def void(self, key, order=None, metric=None):
        """The app takes the event back that it named ``key``."""
        answer = self.service._api_void_usage(
            {
                "reason": "counted twice",
                "events": [
                    {
                        "subscription_id": (order or self.order).id,
                        "metric_code": (metric or self.metric).code,
                        "idempotency_key": key,
                    }
                ],
            }
        )
        self.assertEqual(answer["voided"], 1)

    def renew(self, order=None):
        """Renew from the next period on; returns the renewal, running."""
        action = (order or self.order).prepare_renewal_order()
        renewal = self.env["sale.order"].browse(action["res_id"])
        renewal.action_confirm()
        return renewal

    def credit(self, move):
        """Credit ``move`` in full by Odoo's dialog; its usage is to be billed again."""
        before = move.reversal_move_ids
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        wizard.create(
            {"journal_id": move.journal_id.id, "fc_usage_choice": "again_today"}
        ).refund_moves()
        credit = move.reversal_move_ids - before
        if credit.state == "draft":
            credit.action_post()
        return credit

    def take_back(self, move):
        """Reset a posted document to draft and cancel it."""
        move.button_draft()
        move.button_cancel()

    def post_drafts(self):
        self.documents("draft").action_post()

    # -- what came of it -------------------------------------------------------

    def documents(self, *states):
        """Invoices, credit notes and reversals of the customer, oldest first."""
        return self.env["account.move"].search(
            [
                ("partner_id", "=", self.partner.id),
                ("state", "in", states or ("posted",)),
            ],
            order="id",
        )

    def usage_lines(self, moves=None):
        moves = self.documents() if moves is None else moves
        charges = self.env["fusion.billing.charge"].with_context(active_test=False)
        products = charges.search([]).product_id
        return moves.line_ids.filtered(
            lambda line: line.product_id in products and line.display_type == "product"
        )

    def net(self, moves=None):
        """What the customer was charged for usage, untaxed, less what was returned."""
        return round(0.0 - sum(self.usage_lines(moves).mapped("amount_currency")), 2)

    def usage_documents(self):
        """Posted documents with usage on them: [(move type, amount of usage), ...]."""
        found = [(move.move_type, self.net(move)) for move in self.documents()]
        return [(kind, amount) for kind, amount in found if amount]
