from unittest.mock import patch

from freezegun import freeze_time
from psycopg2 import errors

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import SubscriptionCase

ISOLATION = "odoo.addons.sale_subscription.models.base.order_isolation"


@tagged("post_install", "-at_install")
class TestCron(SubscriptionCase):
    def _failing(self, bad, error):
        """Make invoicing ``bad`` raise ``error``."""
        order_class = self.env.registry["sale.order"]
        original = order_class._prepare_invoice

        def prepare(order):
            if order == bad:
                raise error
            return original(order)

        return patch.object(order_class, "_prepare_invoice", prepare)

    def test_one_failure_leaves_the_others_alone(self):
        good, bad, other = (self._create_subscription() for _i in range(3))
        with self._failing(bad, UserError("No journal for you.")):
            invoices = self._run_cron("2026-01-01")
        self.assertEqual(len(invoices), 2)
        self.assertDates(good, "2026-01-01", "2026-02-01")
        self.assertDates(other, "2026-01-01", "2026-02-01")
        self.assertDates(bad, None, "2026-01-01")
        self.assertFalse(bad.invoice_ids)

    def test_failure_shows_on_the_subscription_once(self):
        order = self._create_subscription()
        with self._failing(order, UserError("No journal for you.")):
            self._run_cron("2026-01-01")
            self._run_cron("2026-01-02")
        self.assertEqual(order.subscription_error, "No journal for you.")
        notes = order.message_ids.filtered(lambda m: "No journal" in (m.body or ""))
        self.assertEqual(len(notes), 1)

    def test_failure_is_retried_and_cleared(self):
        order = self._create_subscription()
        with self._failing(order, UserError("No journal for you.")):
            self._run_cron("2026-01-01")
        self.assertEqual(len(self._run_cron("2026-01-02")), 1)
        self.assertFalse(order.subscription_error)

    def test_periods_before_a_failing_one_stay_invoiced(self):
        """Each period is a step of its own, in a run that goes round."""
        order = self._create_subscription()
        order_class = self.env.registry["sale.order"]
        original = order_class._prepare_invoice
        calls = []

        def prepare(order):
            calls.append(order)
            if len(calls) == 2:
                raise ValueError("Second one fails.")
            return original(order)

        with (
            patch.object(order_class, "_prepare_invoice", prepare),
            self.assertLogs(ISOLATION, "ERROR"),
        ):
            self._run_cron("2026-02-01")
        self.assertDates(order, "2026-01-01", "2026-02-01")
        self.assertEqual(order.invoice_ids.mapped("state"), ["posted"])
        self.assertEqual(order.subscription_error, "ValueError: Second one fails.")

    def test_bug_in_one_is_isolated_and_logged(self):
        good, bad = self._create_subscription(), self._create_subscription()
        with self._failing(bad, KeyError("oops")), self.assertLogs(ISOLATION, "ERROR"):
            self._run_cron("2026-01-01")
        self.assertEqual(bad.subscription_error, "KeyError: 'oops'")
        self.assertDates(good, "2026-01-01", "2026-02-01")

    def test_serialization_failure_is_not_swallowed(self):
        """Odoo retries the transaction; recorded as an error it would be lost."""
        order = self._create_subscription()
        failure = errors.SerializationFailure("could not serialize access")
        with self._failing(order, failure):
            with self.assertRaises(errors.SerializationFailure):
                self._run_cron("2026-01-01")

    def test_failed_ones_come_last(self):
        bad, good = self._create_subscription(), self._create_subscription()
        bad.subscription_error = "Failed yesterday."
        done = []
        order_class = self.env.registry["sale.order"]
        with patch.object(
            order_class,
            "_invoice_next",
            lambda order: done.append(order) or (order.env["account.move"], False),
        ):
            self._run_cron("2026-01-01")
        self.assertEqual(done, [good, bad])

    def test_locked_by_another_worker_is_left_to_it(self):
        self._create_subscription()
        order_class = self.env.registry["sale.order"]
        with patch.object(
            order_class, "try_lock_for_update", lambda order, **_kw: order.browse()
        ):
            self.assertFalse(self._run_cron("2026-01-01"))

    def test_invoiced_between_search_and_lock_is_not_invoiced_again(self):
        order = self._create_subscription()
        order_class = self.env.registry["sale.order"]
        original = order_class.try_lock_for_update

        def lock(order, **kwargs):
            locked = original(order, **kwargs)
            order._advance_period(*order._get_next_period()[:2])
            return locked

        with patch.object(order_class, "try_lock_for_update", lock):
            self.assertFalse(self._run_cron("2026-01-01"))
        self.assertFalse(order.invoice_ids)

    def test_scheduled_actions_run(self):
        """Through Odoo's own scheduler code, with its commits."""
        order = self._create_subscription(end_date="2026-02-01")
        self.env.flush_all()
        invoice_cron = self.env.ref("sale_subscription.ir_cron_recurring_invoice")
        expiry_cron = self.env.ref("sale_subscription.ir_cron_subscription_expiration")
        with freeze_time("2026-02-01"), self.enter_registry_test_mode():
            invoice_cron.method_direct_trigger()
            expiry_cron.method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(order.invoice_ids.mapped("state"), ["posted"])
        self.assertEqual(order.subscription_state, "6_churn")

    def test_scheduled_actions_have_the_known_names(self):
        names = (
            "Sale Subscription: generate recurring invoices and payments",
            "Sale Subscription: subscriptions expiration",
        )
        for name in names:
            self.assertEqual(len(self.env["ir.cron"].search([("name", "=", name)])), 1)

    def test_only_given_subscriptions(self):
        first, second = self._create_subscription(), self._create_subscription()
        with freeze_time("2026-01-01"):
            first._create_recurring_invoice(automatic=True)
        self.assertTrue(first.invoice_ids)
        self.assertFalse(second.invoice_ids)

    def test_called_by_hand_lets_errors_out(self):
        order = self._create_subscription()
        with freeze_time("2026-01-01"), self._failing(order, UserError("No journal.")):
            with self.assertRaisesRegex(UserError, "No journal"):
                order._create_recurring_invoice()

    def test_posted_invoice_is_handed_to_odoos_sending_job(self):
        template = self.env.ref("account.email_template_edi_invoice").copy()
        self.plan.invoice_mail_template_id = template
        self.partner.email = "customer@example.com"
        self._create_subscription()
        invoice = self._run_cron("2026-01-01")
        self.assertTrue(invoice.sending_data)
        self.assertEqual(invoice._get_mail_template(), template)

    def test_without_template_nothing_is_sent(self):
        self._create_subscription()
        self.assertFalse(self._run_cron("2026-01-01").sending_data)

    def test_a_period_of_each_is_invoiced_together(self):
        """One call makes an invoice of each: a lot cheaper than one call for each.

        Who has more periods to catch up with gets the next one when all had theirs.
        """
        orders = [self._create_subscription() for _i in range(3)]
        late = self._create_subscription(start="2025-12-01")
        order_class = self.env.registry["sale.order"]
        original = order_class._create_invoices
        calls = []

        def create(orders, **kwargs):
            calls.append(orders.ids)
            return original(orders, **kwargs)

        with patch.object(order_class, "_create_invoices", create):
            invoices = self._run_cron("2026-01-01")
        self.assertEqual(calls, [[late.id, *(o.id for o in orders)], late.ids])
        self.assertEqual(len(invoices), 5)
        self.assertEqual(set(invoices.mapped("state")), {"posted"})
        for order in orders:
            self.assertEqual(order.invoice_ids.line_ids.subscription_id, order)
            self.assertDates(order, "2026-01-01", "2026-02-01")

    def test_years_to_catch_up_with_keep_nobody_waiting(self):
        """Three missed months and one: the second invoice is another customer's.

        All periods of one subscription were made first, up to 120.
        """
        late = self._create_subscription(start="2025-11-01")
        order = self._create_subscription()
        periods = self._run_cron("2026-01-01").subscription_period_ids.sorted("id")
        self.assertEqual(
            [(p.subscription_id, str(p.period_start)) for p in periods],
            [
                (late, "2025-11-01"),
                (order, "2026-01-01"),
                (late, "2025-12-01"),
                (late, "2026-01-01"),
            ],
        )

    def test_free_ones_and_drafts_among_those_invoiced_together(self):
        draft_plan = self._create_plan(invoice_posting="draft")
        paid = self._create_subscription()
        free = self._create_subscription(self.hours)
        draft = self._create_subscription(plan_id=draft_plan.id)
        self.assertEqual(len(self._run_cron("2026-01-01")), 2)
        self.assertDates(paid, "2026-01-01", "2026-02-01")
        self.assertDates(free, "2026-01-01", "2026-02-01")
        self.assertFalse(free.subscription_period_ids.move_id)
        self.assertEqual(draft.invoice_ids.state, "draft")
        self.assertDates(draft, None, "2026-01-01")

    def test_small_batches_do_all(self):
        orders = [self._create_subscription() for _i in range(5)]
        with freeze_time("2026-01-01"):
            invoices = self.env["sale.order"]._create_recurring_invoice(
                automatic=True, batch_size=2
            )
        self.assertEqual(len(invoices), len(orders))
