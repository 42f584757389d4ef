"""What this addon relies on in `sale_subscription`, and nothing beyond.

The names are in test_conformance_names.py, the behaviour is here.

There are two modules of that name: Odoo Enterprise's, and the one in community/. These
tests hold on both, so they use names and behaviour that are publicly known alone. They
import nothing of this addon: the test command runs them before it is even installed,
as an addon on a module that differs fails in a hundred places, none of which says why.

The text of every assertion is what the test command shows for it.
"""

from contextlib import contextmanager
from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import TransactionCase, tagged

INVOICE_JOB = "Sale Subscription: generate recurring invoices and payments"
EXPIRY_JOB = "Sale Subscription: subscriptions expiration"
DAY = date(2026, 1, 15)


@tagged("fcb_conformance")
class TestConformanceBehaviour(TransactionCase):
    """What happens to a subscription, as far as this addon builds on it."""

    test_sequence = -99

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.company = cls.env.company
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", cls.company)
        cls.partner = cls.env["res.partner"].create({"name": "Sample Customer"})
        cls.plan = cls._create_plan()
        cls.fee = cls._create_product(name="Base fee")
        cls.extra = cls._create_product(name="Extra")
        cls.hours = cls._create_product(name="Hours", invoice_policy="delivery")

    @classmethod
    def _create_plan(cls, **values):
        defaults = {
            "name": "Sample plan",
            "billing_period_value": 1,
            "billing_period_unit": "month",
        }
        return cls.env["sale.subscription.plan"].create(defaults | values)

    @classmethod
    def _create_product(cls, **values):
        defaults = {
            "type": "service",
            "invoice_policy": "order",
            "recurring_invoice": True,
            "list_price": 10.0,
            "taxes_id": [Command.clear()],
        }
        return cls.env["product.product"].create(defaults | values)

    def _create_quotation(self, product=None, **values):
        defaults = {
            "partner_id": self.partner.id,
            "plan_id": self.plan.id,
            "order_line": [
                Command.create({"product_id": (product or self.fee).id}),
            ],
        }
        return self.env["sale.order"].create(defaults | values)

    def _create_subscription(self, product=None, **values):
        """A subscription confirmed on DAY, whose first invoice is due."""
        with freeze_time(DAY):
            order = self._create_quotation(product, **values)
            order.action_confirm()
        return order

    def _run_job(self, name, day):
        """Run a scheduled action as Odoo does, in this test's transaction."""
        jobs = self.env["ir.cron"].with_context(active_test=False)
        job = jobs.search([("cron_name", "=", name)])
        self.env.flush_all()
        with freeze_time(day), self.enter_registry_test_mode():
            job.method_direct_trigger()
        self.env.invalidate_all()

    @contextmanager
    def _wrapped(self, model, name, around):
        """Replace a method by ``around(original, records, *args, **kwargs)``."""
        model_class = self.env.registry[model]
        original = getattr(model_class, name)

        def wrapper(records, *args, **kwargs):
            return around(original, records, *args, **kwargs)

        with patch.object(model_class, name, wrapper):
            yield

    def _recorded(self, model, name, calls):
        """Note in ``calls`` each call of a method: its records, its arguments."""

        def around(original, records, *args, **kwargs):
            calls.append((records, args))
            return original(records, *args, **kwargs)

        return self._wrapped(model, name, around)

    def assertDates(self, order, last, following, when):
        found = (order.last_invoice_date or None, order.next_invoice_date)
        expected = (date.fromisoformat(last), date.fromisoformat(following))
        text = "last_invoice_date, next_invoice_date " + when
        self.assertEqual(found, expected, text)

    # -- what is a subscription ------------------------------------------------

    def test_an_order_with_a_plan_is_a_subscription(self):
        order = self._create_quotation()
        self.assertTrue(order.is_subscription, "is_subscription with a plan: false")
        self.assertEqual(
            order.subscription_state, "1_draft", "state of a quotation with a plan"
        )

    def test_an_order_without_a_plan_is_none(self):
        order = self._create_quotation(plan_id=False)
        self.assertFalse(order.is_subscription, "is_subscription without a plan: true")
        self.assertFalse(order.subscription_state, "an order without a plan has one")

    def test_an_upsell_is_none(self):
        parent = self._create_subscription()
        upsell = self._create_quotation(
            subscription_state="7_upsell", subscription_id=parent.id
        )
        self.assertFalse(upsell.is_subscription, "is_subscription of an upsell: true")

    # -- confirming ------------------------------------------------------------

    def test_confirming_starts_today(self):
        order = self._create_subscription()
        self.assertEqual(
            order.subscription_state, "3_progress", "state once it is confirmed"
        )
        self.assertEqual(order.start_date, DAY, "start_date set by confirming")
        self.assertEqual(order.next_invoice_date, DAY, "first next_invoice_date")
        self.assertFalse(order.last_invoice_date, "last_invoice_date before invoices")

    def test_confirming_keeps_the_start_date(self):
        start = date(2026, 3, 1)
        order = self._create_subscription(start_date=start)
        self.assertEqual(order.start_date, start, "start_date given before confirming")
        self.assertEqual(order.next_invoice_date, start, "first next_invoice_date")

    # -- the window ------------------------------------------------------------

    def test_each_invoice_moves_the_window(self):
        order = self._create_subscription()
        self._run_job(INVOICE_JOB, DAY)
        self.assertEqual(
            order.invoice_ids.mapped("state"), ["posted"], "invoices after one run"
        )
        self.assertDates(order, "2026-01-15", "2026-02-15", "after the first invoice")
        self._run_job(INVOICE_JOB, DAY)
        self.assertEqual(len(order.invoice_ids), 1, "invoices after a second run")
        self._run_job(INVOICE_JOB, date(2026, 2, 15))
        self.assertEqual(len(order.invoice_ids), 2, "invoices in the second period")
        self.assertDates(order, "2026-02-15", "2026-03-15", "after the second invoice")

    def test_the_window_is_one_period_of_the_plan(self):
        for value, unit, following in (
            (1, "week", "2026-01-22"),
            (2, "week", "2026-01-29"),
            (3, "month", "2026-04-15"),
            (1, "year", "2027-01-15"),
        ):
            with self.subTest(f"{value} {unit}"):
                plan = self._create_plan(
                    billing_period_value=value, billing_period_unit=unit
                )
                order = self._create_subscription(plan_id=plan.id)
                self._run_job(INVOICE_JOB, DAY)
                self.assertDates(order, "2026-01-15", following, f"of {value} {unit}")

    def test_a_draft_moves_nothing_and_posting_it_does(self):
        order = self._create_subscription()
        with freeze_time(DAY):
            move = order._create_invoices()
            self.assertEqual(move.state, "draft", "state of a new invoice")
            self.assertFalse(order.last_invoice_date, "dates moved by a draft invoice")
            self.assertEqual(order.next_invoice_date, DAY, "dates moved by a draft")
            move.action_post()
        self.assertDates(order, "2026-01-15", "2026-02-15", "after posting by hand")

    def test_a_period_with_nothing_to_invoice_passes(self):
        order = self._create_subscription(self.hours)
        order.order_line.qty_delivered = 1
        self._run_job(INVOICE_JOB, DAY)
        self.assertEqual(len(order.invoice_ids), 1, "invoices for what was delivered")
        self._run_job(INVOICE_JOB, date(2026, 2, 15))
        self.assertEqual(len(order.invoice_ids), 1, "invoices when nothing was")
        self.assertDates(order, "2026-02-15", "2026-03-15", "after a free period")

    def test_the_dates_can_be_set(self):
        order = self._create_subscription()
        values = {
            "start_date": date(2026, 1, 1),
            "last_invoice_date": date(2026, 2, 1),
            "next_invoice_date": date(2026, 3, 1),
            "end_date": date(2026, 6, 1),
        }
        order.write(values)
        order.invalidate_recordset()
        for name, day in values.items():
            with self.subTest(name):
                self.assertEqual(order[name], day, f"{name} of a running subscription")

    # -- the ways in for this addon --------------------------------------------

    def test_recurring_invoices_come_from_create_invoices(self):
        order, calls = self._create_subscription(), []
        with self._recorded("sale.order", "_create_invoices", calls):
            self._run_job(INVOICE_JOB, DAY)
        self.assertTrue(
            any(order in records for records, _args in calls),
            "recurring invoices: not made by sale.order._create_invoices",
        )

    def test_recurring_invoices_are_posted_by_post(self):
        order, calls = self._create_subscription(), []
        with self._recorded("account.move", "_post", calls):
            self._run_job(INVOICE_JOB, DAY)
        posted = [move for records, _args in calls for move in records]
        self.assertEqual(
            posted,
            list(order.invoice_ids),
            "recurring invoices: not posted by account.move._post",
        )

    def test_the_window_moves_by_write(self):
        order, calls = self._create_subscription(), []
        with self._recorded("sale.order", "write", calls):
            self._run_job(INVOICE_JOB, DAY)
        self.assertTrue(
            any(
                order in records and "last_invoice_date" in args[0]
                for records, args in calls
            ),
            "last_invoice_date: not set through sale.order.write",
        )

    def test_a_line_can_be_left_off(self):
        order = self._create_subscription()
        order.order_line = [Command.create({"product_id": self.extra.id})]

        def around(original, records, *args, **kwargs):
            lines = original(records, *args, **kwargs)
            return lines.filtered(lambda line: line.product_id != self.extra)

        with self._wrapped("sale.order", "_get_invoiceable_lines", around):
            self._run_job(INVOICE_JOB, DAY)
        self.assertEqual(
            order.invoice_ids.invoice_line_ids.product_id,
            self.fee,
            "_get_invoiceable_lines: does not decide which lines are invoiced",
        )

    def test_a_line_can_be_given_its_quantity(self):
        order = self._create_subscription()

        def around(original, records, **optional_values):
            return original(records, **(optional_values | {"quantity": 3.0}))

        with self._wrapped("sale.order.line", "_prepare_invoice_line", around):
            self._run_job(INVOICE_JOB, DAY)
        self.assertEqual(
            order.invoice_ids.invoice_line_ids.quantity,
            3.0,
            "_prepare_invoice_line: its quantity is not the invoiced one",
        )

    def test_a_line_can_join_while_it_runs(self):
        order = self._create_subscription()
        self._run_job(INVOICE_JOB, DAY)
        order.order_line = [
            Command.create(
                {
                    "product_id": self.extra.id,
                    "product_uom_qty": 1,
                    "price_unit": 4.56,
                }
            )
        ]
        self._run_job(INVOICE_JOB, date(2026, 2, 15))
        first, second = order.invoice_ids.sorted("id")
        self.assertEqual(first.amount_untaxed, 10.0, "amount before the line joined")
        # 10.00 as before, and 4.56
        self.assertEqual(second.amount_untaxed, 14.56, "amount after a line joined")

    def test_expiry_is_a_change_of_state_by_write(self):
        order, calls = self._create_subscription(end_date=date(2026, 2, 15)), []
        self._run_job(INVOICE_JOB, DAY)
        with self._recorded("sale.order", "write", calls):
            self._run_job(EXPIRY_JOB, date(2026, 2, 20))
        self.assertEqual(
            order.subscription_state, "6_churn", "state after the end date"
        )
        self.assertTrue(
            any(
                order in records and "subscription_state" in args[0]
                for records, args in calls
            ),
            "subscription_state: not set through sale.order.write",
        )

    def check_what_is_left_can_be_invoiced(self, state, end):
        order = self._create_subscription()
        self._run_job(INVOICE_JOB, DAY)
        end(order)
        self.assertEqual(order.subscription_state, state)
        with self._wrapped(
            "sale.order",
            "_get_invoiceable_lines",
            lambda _original, records, *_args, **_kwargs: records.order_line,
        ):
            move = order._create_invoices()
        self.assertEqual(
            move.invoice_line_ids.product_id,
            self.fee,
            f"in state {state}: no invoice for the lines it is asked for",
        )
        move.action_post()
        self.assertEqual(
            order.subscription_state, state, f"an invoice changes state {state}"
        )

    def test_what_is_left_can_be_invoiced_after_closing(self):
        self.check_what_is_left_can_be_invoiced(
            "6_churn", lambda order: order.write({"subscription_state": "6_churn"})
        )

    def test_what_is_left_can_be_invoiced_after_renewal(self):
        self.check_what_is_left_can_be_invoiced(
            "5_renewed",
            lambda order: self._create_subscription(
                subscription_state="2_renewal", subscription_id=order.id
            ),
        )
