from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .test_cohort import CohortCase

NAMES = ("starting_count", "running_count", "kept_mrr", "running_mrr")


@tagged("post_install", "-at_install")
class TestCohortLifeCycle(CohortCase):
    """What happens to real orders: each began with 100 in January."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fee.list_price = 10
        with freeze_time("2026-01-10"):
            cls.order = cls._create_quotation(
                company_id=cls.company_a.id,
                plan_id=cls.monthly.id,
                # Nothing is due: the company has no journal to invoice it in.
                next_invoice_date="2027-01-01",
                order_line=[
                    Command.create({"product_id": cls.fee.id, "product_uom_qty": 10})
                ],
            )
            cls.order.action_confirm()

    def _renewal(self, day):
        with freeze_time(day):
            renewal = self.order._create_upsell_renew_order("2_renewal")
            renewal.order_line.write({"price_unit": 10})
            renewal.action_confirm()
        return renewal

    def _on(self, day, method, *args):
        with freeze_time(day):
            return method(*args)

    def _ages(self):
        """Still running, MRR kept and running, from age 0 to 5, of one subscription."""
        found = self._read(self._cohort(), NAMES, ["age"])
        self.assertEqual({row[0] for row in found.values()}, {1})
        return [found[age][1:] for age in range(6)]

    def test_upsell_is_no_subscription_and_adds_to_its_parent(self):
        order = self._create_subscription(start="2026-01-10")
        self._run_cron("2026-01-10")
        with freeze_time("2026-01-20"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line.filtered("product_id").product_uom_qty = 5
            upsell.action_confirm()
        domain = [("order_id", "in", (order + upsell).ids)]
        found = self._read(self._cohort(self.company), NAMES, domain=domain)
        self.assertAmounts(found, {(): (1, 1, 10, 60)})

    def test_pause_with_a_change_of_plan_is_still_a_pause(self):
        """The change leaves a row of its own in the log, of no amount."""
        self._on("2026-02-10", self.order.pause_subscription)
        self._on("2026-03-10", self.order.change_plan, self.yearly)
        self.assertEqual(self._ages(), [(1, 100, 100)] * 6)
        self._on("2026-05-10", self.order.set_close)
        self.assertEqual(self._ages(), [(1, 100, 100)] * 4 + [(0, 0, 0)] * 2)

    def test_renewal_of_a_paused_one_goes_on(self):
        self._on("2026-02-10", self.order.pause_subscription)
        self._renewal("2026-04-10")
        self.assertEqual(self._ages(), [(1, 100, 100)] * 6)

    def test_paused_again_when_its_renewal_is_cancelled(self):
        """It is given back paused, of which the log says nothing."""
        self._on("2026-02-10", self.order.pause_subscription)
        renewal = self._renewal("2026-03-10")
        self._on("2026-03-12", renewal._action_cancel)
        self.assertEqual(self.order.subscription_state, "4_paused")
        self.assertEqual(self._ages(), [(1, 100, 100)] * 6)
        self._on("2026-05-10", self.order.set_close)
        self.assertEqual(self._ages(), [(1, 100, 100)] * 4 + [(0, 0, 0)] * 2)

    def test_closed_then_renewed_is_reopened(self):
        self._on("2026-02-10", self.order.set_close)
        renewal = self._renewal("2026-04-10")
        expected = [(1, 100, 100)] + [(0, 0, 0)] * 2 + [(1, 100, 100)] * 3
        self.assertEqual(self._ages(), expected)
        self._on("2026-05-10", renewal._action_cancel)
        self.assertEqual(self._ages(), expected[:4] + [(0, 0, 0)] * 2)

    def test_renewal_of_a_renewal_is_one_subscription(self):
        first = self.order
        self.order = self._renewal("2026-02-10")
        last = self._renewal("2026-03-10")
        self.assertEqual(self._ages(), [(1, 100, 100)] * 6)
        self.assertEqual(first.subscription_state, "5_renewed")
        with freeze_time("2026-06-10"):
            self.assertEqual(self._cohort().search([]).order_id, last)

    def test_quantity_of_zero_runs_and_brings_nothing(self):
        with freeze_time("2026-03-10"):
            self.order.order_line.product_uom_qty = 0
        self.assertEqual(self._ages(), [(1, 100, 100)] * 2 + [(1, 0, 0)] * 4)

    def test_a_quotation_is_in_no_cohort(self):
        with freeze_time("2026-03-10"):
            self.order.copy()
        self.assertEqual(self._ages(), [(1, 100, 100)] * 6)

    def test_resumed_when_nothing_recurs_any_more(self):
        """It is in progress again, and no subscription any more, as in the report."""
        self._on("2026-02-10", self.order.pause_subscription)
        with freeze_time("2026-03-10"):
            self.order.order_line.recurring_invoice = False
        self._on("2026-04-10", self.order.resume_subscription)
        self.assertEqual(self._ages(), [(1, 100, 100)] * 3 + [(0, 0, 0)] * 3)
        found = self._read(self._report(), ["closing_count"])
        self.assertEqual(found, {(): (0,)})
