from freezegun import freeze_time

from odoo.tests import tagged

from .common import DeliveryCase


@tagged("post_install", "-at_install")
class TestClosing(DeliveryCase):
    """What is closed delivers what is paid for; the rest when it is paid."""

    def setUp(self):
        super().setUp()
        self.order = self._subscribe()
        self.january = self._run_cron("2026-01-01")

    def _close(self, day="2026-02-10"):
        with freeze_time(day):
            self.order.set_close()

    def test_paid_is_delivered(self):
        self._pay(self.january)
        self._close("2026-01-21")
        self.assertDeliveries(self.order, 3)

    def test_unpaid_is_not(self):
        """January is paid and on its way, February is neither."""
        self._pay(self.january)
        self._run_cron("2026-02-01")
        self.assertDeliveries(self.order, 3, 3)
        self._close()
        self.assertDeliveries(self.order, 3)
        [january] = self._get_deliveries(self.order)
        self.assertEqual(january.state, "confirmed")

    def test_what_was_delivered_stays(self):
        self._deliver(self._get_deliveries(self.order))
        self._close()
        self.assertEqual(self.order.order_line.qty_delivered, 3)
        self.assertDeliveries(self.order, 3)

    def test_paid_after_it_was_closed(self):
        """Nothing runs again, and what is paid is delivered."""
        self._close("2026-01-15")
        self.assertDeliveries(self.order)
        self._pay(self.january)
        self.assertEqual(self.order.subscription_state, "6_churn")
        self.assertDeliveries(self.order, 3)

    def test_closed_unpaid_and_paid(self):
        """It runs again, and January is delivered, once."""
        self.plan.auto_close_limit = 10
        with freeze_time("2026-01-20"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(self.order.subscription_state, "6_churn")
        self.assertDeliveries(self.order)
        self._pay(self.january, "2026-01-22")
        self.assertEqual(self.order.subscription_state, "3_progress")
        self.assertDeliveries(self.order, 3)
        self._run_cron("2026-02-01")
        self.assertDeliveries(self.order, 3, 3)

    def test_closed_by_mistake(self):
        self._close("2026-01-15")
        with freeze_time("2026-01-15"):
            self.order.set_open()
        self.assertDeliveries(self.order, 3)

    def test_closed_before_its_first_invoice(self):
        """Opened again, it is delivered when it is charged."""
        order = self._subscribe(start="2026-01-05", next_invoice_date="2026-01-31")
        with freeze_time("2026-01-06"):
            order.set_close()
            self.assertDeliveries(order)
            order.set_open()
        self.assertDeliveries(order)
        self.assertEqual(self._run_cron("2026-01-31").amount_total, 60)
        self.assertDeliveries(order, 3)

    def test_an_unpaid_upsell_is_not_delivered_either(self):
        upsell = self._create_upsell(self.order)
        added = self._run_cron("2026-01-11")
        self._pay(self.january)
        self._close("2026-01-21")
        self.assertDeliveries(self.order, 3)
        self.assertDeliveries(upsell)
        self._pay(added, "2026-01-22")
        self.assertDeliveries(upsell, 2)

    def test_goods_charged_afterwards_are_not_delivered_when_it_has_ended(self):
        self.box.invoice_policy = "delivery"
        order = self._subscribe()
        self._run_cron("2026-01-02")
        with freeze_time("2026-01-10"):
            order.set_close()
        self.assertDeliveries(order)

    def test_cancelled_and_confirmed_again(self):
        """January is charged: its delivery comes back, and no second one."""
        with freeze_time("2026-01-15"):
            self.order._action_cancel()
            self.assertDeliveries(self.order)
            self.order.action_draft()
            self.order.action_confirm()
        self.assertDeliveries(self.order, 3)
        self._run_cron("2026-02-01")
        self.assertDeliveries(self.order, 3, 3)

    def test_ended_as_agreed(self):
        self._pay(self.january)
        self.order.end_date = "2026-02-01"
        with freeze_time("2026-02-01"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(self.order.subscription_state, "6_churn")
        self.assertDeliveries(self.order, 3)
