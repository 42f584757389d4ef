from contextlib import suppress

from odoo.exceptions import UserError
from odoo.tests import tagged

from .life_documents import DocumentCase


@tagged("post_install", "-at_install")
class TestRenewalCancelled(DocumentCase):
    """A renewal is confirmed on 31 January for 1 February, and cancelled again.

    Before its first invoice, the subscription goes on as if there had been none: the
    usage of those hours is February's, 50 above the quota: 25.00.
    """

    def setUp(self):
        super().setUp()
        self.renewal = self._renew("2026-01-31 10:00:00")

    def _renew(self, at):
        def run():
            self.order.prepare_renewal_order()
            renewal = self.order.renewal_id or self.env["sale.order"].search(
                [("subscription_id", "=", self.order.id), ("state", "=", "draft")]
            )
            renewal.action_confirm()
            return renewal

        return self.at(at, run)

    def _use_and_cancel(self, quantity=150):
        self.use(quantity, "2026-02-01 02:00:00", "r1")
        self.at("2026-02-01 04:00:00", self.renewal.action_cancel)
        self.assertEqual(self.order.subscription_state, "3_progress")

    def _bill_by_finance(self, at):
        """Finance finds unallocated usage and bills it; refused is as good."""
        usage = self.env["fusion.billing.usage"].search(
            [
                ("subscription_id", "in", (self.order | self.renewal).ids),
                ("unallocated", "=", True),
                ("voided_at", "=", False),
            ]
        )
        if not usage:
            return

        def run():
            wizard = self.env["fusion.billing.usage.move.wizard"].with_context(
                active_ids=usage.ids
            )
            values = {"subscription_id": self.order.id, "reason": "renewal"}
            with suppress(UserError), self.env.cr.savepoint():
                wizard.create(values).action_move()

        self.at(at, run)

    def test_its_usage_is_that_of_the_subscription_again(self):
        """It stayed on the cancelled renewal, and on nobody's invoice."""
        self._use_and_cancel()
        self.days("2026-02-01 09:00:00", "2026-03-01 09:00:00")
        self.assertEqual(self.net(), 25.0)

    def test_its_usage_shares_the_quota_of_the_window_it_comes_back_to(self):
        self._use_and_cancel(60)
        self.day("2026-02-01 09:00:00")
        self.use(60, "2026-02-10", "r2")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 10.0)  # 120 - 100 = 20 x 0.50

    def test_the_app_sends_it_again_and_finance_bills_it(self):
        """The same keys are the same events: 150 calls, not 300."""
        self._use_and_cancel()
        self.day("2026-02-01 09:00:00")
        answer = self.use(150, "2026-02-01 02:00:00", "r1", now="2026-02-02 09:00:00")
        self._bill_by_finance("2026-02-03 09:00:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 25.0)
        self.assertEqual(answer, {"status": "duplicate"})

    def test_the_app_voids_it(self):
        self._use_and_cancel()
        self.day("2026-02-01 09:00:00")
        answer = self.void("r1", "2026-02-02 09:00:00")
        self.assertEqual(answer, {"status": "voided"})
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 0.0)

    def test_what_was_voided_on_the_renewal_stays_voided(self):
        self.use(150, "2026-02-01 02:00:00", "r1")
        self.void("r1", "2026-02-01 03:00:00")
        self.at("2026-02-01 04:00:00", self.renewal.action_cancel)
        answer = self.void("r1", "2026-02-02 09:00:00")
        self.assertEqual(answer, {"status": "already_voided"})
        self.days("2026-02-02 10:00:00", "2026-03-01 09:00:00")
        self.assertEqual(self.net(), 0.0)

    def test_the_app_is_told_of_one_window(self):
        self._use_and_cancel()
        self.day("2026-02-01 09:00:00")
        current = self.app_usage("2026-02-02 09:00:00")["current"]
        self.assertEqual(current["window_start"], "2026-02-01T00:00:00Z")
        [charge] = current["charges"]
        self.assertEqual((charge["quantity"], charge["amount"]), ("150", "25.00"))

    def test_late_usage_of_the_window_before_it(self):
        self.use(110, "2026-01-10", "a", now="2026-01-31 11:00:00")
        self._use_and_cancel()
        self.day("2026-02-01 09:00:00")
        self.use(10, "2026-01-20", "late", now="2026-02-02 09:00:00")
        self.day("2026-03-01 09:00:00")
        # January 20 x 0.50 = 10.00, February 50 x 0.50 = 25.00
        self.assertEqual(self.net(), 35.0)

    def test_renewed_anew_after_that(self):
        """The second renewal begins on 1 March; February is the old order's."""
        self._use_and_cancel()
        self.day("2026-02-01 09:00:00")
        self.renewal = self._renew("2026-02-10 09:00:00")
        self.use(110, "2026-03-02", "s1")
        self.days("2026-03-02 09:00:00", "2026-04-01 09:00:00")
        # February 25.00, March 10 x 0.50 = 5.00
        self.assertEqual(self.net(), 30.0)

    def test_cancelled_after_its_first_invoice_it_is_closed(self):
        """That bills its usage at once; the old subscription does not run again."""
        self.day("2026-02-01 09:00:00")
        self.use(150, "2026-02-10", "r1")
        self.at("2026-02-20 09:00:00", self.renewal.action_cancel)
        self.assertEqual(self.net(), 25.0)
        self.days("2026-02-21 09:00:00", "2026-03-01 09:00:00")
        self.assertEqual(self.net(), 25.0)
        self.assertEqual(self.order.subscription_state, "5_renewed")
