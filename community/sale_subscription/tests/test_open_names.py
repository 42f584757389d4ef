"""Modules of others extend the scheduled run, each as its Odoo version has it."""

from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.sale_subscription.models.sale_order import (
    SUBSCRIPTION_CLOSED_STATE,
    SUBSCRIPTION_DRAFT_STATE,
    SUBSCRIPTION_PROGRESS_STATE,
    SUBSCRIPTION_STATES,
)

from .common import SubscriptionCase

MODULE = "sale_subscription"
SCHEDULED = "odoo.addons.sale_subscription.models.order.sale_order"
RUN = "odoo.addons.sale_subscription.models.base.sale_subscription_run"


@tagged("post_install", "-at_install")
class TestRunExtended(SubscriptionCase):
    """The scheduled run called with `automatic` what was defined with `batch_size`
    alone. That stopped the whole run, night after night, and nobody was told.
    """

    def setUp(self):
        super().setUp()
        self.order_class = self.env.registry["sale.order"]
        self.original = self.order_class._create_recurring_invoice
        self.orders = self._create_subscription() | self._create_subscription()

    def extensions(self):
        """How modules extend it, by signature."""
        original, none = self.original, self.env["account.move"]

        def positional(orders, batch_size=30):
            return original(orders, batch_size)

        def by_keyword(orders, batch_size=30):
            return original(orders - orders.browse(), batch_size=batch_size)

        def with_automatic(orders, automatic=False, batch_size=30):
            return original(orders, automatic, batch_size)

        def with_automatic_by_keyword(orders, automatic=False, batch_size=30):
            return original(orders, automatic=automatic, batch_size=batch_size)

        def anything(orders, *args, **kwargs):
            return original(orders, *args, **kwargs)

        def without_parameters(orders):
            return original(orders)

        def forgetful(orders, batch_size=30):
            original(orders, batch_size)

        return (
            *(positional, by_keyword, with_automatic, with_automatic_by_keyword),
            *(anything, without_parameters),
        ), (forgetful, none)

    def test_every_signature(self):
        extensions, (forgetful, none) = self.extensions()
        for month, extension in enumerate((*extensions, forgetful), 1):
            name = extension.__name__
            patched = patch.object(
                self.order_class, "_create_recurring_invoice", extension
            )
            with ExitStack() as stack:
                stack.enter_context(self.subTest(name))
                stack.enter_context(patched)
                if extension is forgetful:
                    stack.enter_context(self.assertLogs(SCHEDULED, "WARNING"))
                moves = self._run_cron(f"2026-{month:02}-01")
                self.assertEqual(moves._name, none._name)
                last = self.orders.invoice_ids.filtered(
                    lambda m, day=month: m.invoice_date.month == day
                )
                self.assertEqual(last.mapped("amount_untaxed"), [10.0, 10.0])
                self.assertEqual(last & moves, none if extension is forgetful else last)

    def test_one_subscription_through_every_signature(self):
        """Called by hand on one; errors are let out."""
        extensions, _forgetful = self.extensions()
        order = self.orders[0]
        for month, extension in enumerate(extensions, 1):
            patched = patch.object(
                self.order_class, "_create_recurring_invoice", extension
            )
            with (
                self.subTest(extension.__name__),
                patched,
                freeze_time(f"2026-{month:02}-01"),
            ):
                invoice = order._create_recurring_invoice()
                self.assertEqual(invoice.amount_untaxed, 10.0)
                self.assertNotIn("recurring_automatic", invoice.env.context)
        self.assertFalse(self.orders[1].invoice_ids)

    def test_the_context_tells_who_invoices(self):
        seen = []
        original = self.order_class._get_invoiceable_lines

        def lines(orders, final=False):
            seen.append(bool(orders.env.context.get("recurring_automatic")))
            return original(orders, final)

        with patch.object(self.order_class, "_get_invoiceable_lines", lines):
            self._run_cron("2026-01-01")
            with freeze_time("2026-02-01"):
                self.orders._create_invoices()
        self.assertEqual(seen, [True, True, False, False])


@tagged("post_install", "-at_install")
class TestRunBroken(SubscriptionCase):
    def setUp(self):
        super().setUp()
        self.order_class = self.env.registry["sale.order"]
        self.order = self._create_subscription()
        self.invoice_cron = self.env.ref(f"{MODULE}.ir_cron_recurring_invoice")
        self.end_cron = self.env.ref(f"{MODULE}.ir_cron_subscription_expiration")
        self.boss = self._create_user("boss", "sales_team.group_sale_manager")
        self.clerk = self._create_user("clerk", "sales_team.group_sale_salesman")

    def _create_user(self, login, group):
        return self.env["res.users"].create(
            {
                "name": login,
                "login": f"{login} of the run",
                "email": f"{login}@example.com",
                "group_ids": [Command.link(self.env.ref(group).id)],
            }
        )

    @contextmanager
    def broken(self, method):
        with patch.object(self.order_class, method, side_effect=ValueError("Odd <b>")):
            yield

    def run_cron(self, cron, failing=False):
        """As Odoo runs it, at noon on 1 January 2026."""
        with (
            self.enter_registry_test_mode(),
            freeze_time("2026-01-01 12:00:00"),
            patch.object(
                type(self.env["payment.transaction"]), "_send_payment_request"
            ),
        ):
            if not failing:
                return cron.method_direct_trigger()
            with (
                self.assertLogs(RUN, "ERROR") as log,
                # Odoo itself has it fail, and counts that.
                self.assertLogs("odoo.addons.base.models.ir_cron", "ERROR"),
            ):
                cron.method_direct_trigger()
        return log.output

    def activities(self, user):
        activity_type = self.env.ref("sale_subscription.mail_activity_type_run_failed")
        return self.env["mail.activity"].search(
            [("activity_type_id", "=", activity_type.id), ("user_id", "=", user.id)]
        )

    def test_administrators_are_told_once_until_it_works(self):
        for _day in range(2):
            with self.broken("_create_recurring_invoice"):
                [text] = self.run_cron(self.invoice_cron, failing=True)
            self.assertIn("Odd <b>", text)
            activity = self.activities(self.boss)
            self.assertEqual(len(activity), 1)
        self.assertFalse(self.activities(self.clerk))
        self.assertEqual(
            activity.summary, "Subscriptions are not being invoiced or charged"
        )
        self.assertIn("ValueError: Odd &lt;b&gt;", activity.note)
        # That another scheduled action goes through does not take it off.
        self.run_cron(self.end_cron)
        self.assertTrue(activity.exists())
        self.run_cron(self.invoice_cron)
        self.assertFalse(activity.exists())
        self.assertEqual(self.order.invoice_ids.state, "posted")

    def test_what_can_be_charged_is_charged(self):
        charge = "_cron_charge_subscriptions"
        with (
            self.broken("_create_recurring_invoice"),
            patch.object(self.order_class, charge) as charged,
        ):
            self.run_cron(self.invoice_cron, failing=True)
        charged.assert_called_once()

    def test_what_was_invoiced_stays_when_charging_breaks(self):
        with self.broken("_cron_charge_subscriptions"):
            self.run_cron(self.invoice_cron, failing=True)
        self.assertEqual(self.order.invoice_ids.state, "posted")
        self.assertTrue(self.activities(self.boss))

    def test_closing_breaks_in_one_of_its_steps(self):
        self.plan.auto_close_limit = 5
        self._run_cron("2025-12-01")
        unpaid = self._create_subscription(start="2025-12-01")
        self._run_cron("2025-12-01")
        with self.broken("_get_expired_subscriptions"):
            self.run_cron(self.end_cron, failing=True)
        self.assertEqual(unpaid.subscription_state, "6_churn")
        activity = self.activities(self.boss)
        self.assertEqual(
            activity.summary, "Subscriptions are not being resumed or closed"
        )

    def test_each_company_is_told_of_its_own(self):
        other = self.env["res.company"].create({"name": "Another company"})
        self.assertNotIn(other, self.boss.company_ids)
        there = self.boss.copy(
            {"login": "there", "company_id": other.id, "company_ids": [other.id]}
        )
        with self.broken("_create_recurring_invoice"):
            self.run_cron(self.invoice_cron, failing=True)
        self.assertTrue(self.activities(self.boss))
        self.assertFalse(self.activities(there))


@tagged("post_install", "-at_install")
class TestOpenNames(SubscriptionCase):
    def test_states(self):
        """Each state but the upsell is one of a quotation, running, or over."""
        named = [
            *SUBSCRIPTION_DRAFT_STATE,
            *SUBSCRIPTION_PROGRESS_STATE,
            *SUBSCRIPTION_CLOSED_STATE,
            "7_upsell",
        ]
        self.assertEqual(sorted(named), [key for key, _label in SUBSCRIPTION_STATES])

    def test_several_subscriptions_share_an_invoice(self):
        """By a system parameter; one with another token, or terms, has its own."""
        self.env["ir.config_parameter"].set_param(
            "sale_subscription.invoice_consolidation", "True"
        )
        term = self.env.ref("account.account_payment_term_30days")
        orders = self.env["sale.order"]
        for values in ({}, {}, {"payment_term_id": term.id}, {}):
            orders |= self._create_subscription(**values)
        self._run_cron("2026-01-01")
        self.assertEqual(
            [order.invoice_ids.amount_untaxed for order in orders],
            [30.0, 30.0, 10.0, 30.0],
        )
        self._run_cron("2026-02-01")
        self.assertEqual(len(orders.invoice_ids), 4)
        for order in orders:
            self.assertDates(order, "2026-02-01", "2026-03-01")

    def test_a_customer_has_one_invoice_for_all(self):
        """Monthly 10.00, yearly 100.00 and quarterly 25.00 come on one, while due.

        The next customer did not ask for it, and has two.
        """
        year = self._create_plan(name="Years", billing_period_unit="year")
        quarter = self._create_plan(name="Quarters", billing_period_value=3)
        draft = self._create_plan(name="Drafts", invoice_posting="draft")
        self.partner.subscriptions_on_one_invoice = True
        contact = self.env["res.partner"].create(
            {"name": "Sample contact", "parent_id": self.partner.id}
        )
        self.assertTrue(contact.subscriptions_on_one_invoice)
        ours = self._create_subscription()
        for plan, price in ((year, 100.0), (quarter, 25.0), (draft, 7.0)):
            order = self._create_subscription(plan_id=plan.id)
            order.order_line.price_unit = price
            ours |= order
        other = self.env["res.partner"].create({"name": "Sample customer, other"})
        theirs = self._create_subscription(partner_id=other.id)
        theirs |= self._create_subscription(partner_id=other.id)
        self._run_cron("2026-01-01")
        self.assertEqual(
            [order.invoice_ids.mapped("amount_untaxed") for order in ours],
            [[135.0], [135.0], [135.0], [7.0]],
        )
        self.assertEqual(len(theirs.invoice_ids), 2)
        for day in ("2026-02-01", "2026-03-01", "2026-04-01"):
            self._run_cron(day)  # April with the quarter
        amounts = ours[0].invoice_ids.sorted("id").mapped("amount_untaxed")
        self.assertEqual(amounts, [135.0, 10.0, 10.0, 35.0])
        self.assertDates(ours[0], "2026-04-01", "2026-05-01")
        self.assertDates(ours[2], "2026-04-01", "2026-07-01")

    def test_one_that_fails_does_not_keep_those_of_its_invoice(self):
        self.env["ir.config_parameter"].set_param(
            "sale_subscription.invoice_consolidation", "True"
        )
        orders = self._create_subscription() | self._create_subscription()
        bad = self._create_subscription()
        original = type(bad)._get_invoiceable_lines

        def lines(order, final=False):
            if order == bad:
                raise ValueError("Not this one.")
            return original(order, final)

        with (
            patch.object(type(bad), "_get_invoiceable_lines", lines),
            self.assertLogs("odoo.addons.sale_subscription", "ERROR"),
        ):
            self._run_cron("2026-01-01")
        self.assertEqual(
            [order.invoice_ids.amount_untaxed for order in orders], [10.0, 10.0]
        )
        self.assertFalse(bad.invoice_ids)
        self.assertIn("Not this one.", bad.subscription_error)

    def test_a_reason_that_customers_do_not_see(self):
        reasons = self.env["sale.order.close.reason"]
        hidden = reasons.create({"name": "Fraud", "visible_in_portal": False})
        shown = reasons.create({"name": "Moved away"})
        self.assertNotIn(hidden, reasons._get_offered_reasons())
        self.assertIn(shown, reasons._get_offered_reasons())

    def test_renew_closes_for_a_confirmed_renewal_only(self):
        order = self._create_subscription()
        with self.assertRaisesRegex(UserError, "no confirmed renewal"):
            order.set_close(None, True)
        renewal = self._create_quotation(subscription_id=order.id)
        with self.assertRaisesRegex(UserError, "no confirmed renewal"):
            order.set_close(None, renew=True)
        self.assertEqual(renewal, order.renewal_id)

    def test_nobody_says_from_which_day_it_is_opened(self):
        """Closed on 31 January. Opened on 20 February the 9 of 28 days up to 1 March
        are charged, whatever the caller's context says."""
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-31"):
            order.set_close()
        admin = self.env.ref("base.user_admin")
        with freeze_time("2026-02-20"):
            order.with_user(admin).with_context(
                subscription_open_from=fields.Date.to_date("2026-02-02")
            ).set_open()
        self.assertEqual(
            order.order_line.filtered("charged_from").mapped("price_subtotal"), [3.21]
        )

    def test_dates_entered_outlive_a_change_of_the_plan(self):
        order = self._create_quotation(
            start_date="2026-03-05", next_invoice_date="2026-03-05"
        )
        order.plan_id = self._create_plan(billing_period_unit="year")
        self.assertEqual(order.start_date, fields.Date.to_date("2026-03-05"))
        self.assertEqual(order.next_invoice_date, fields.Date.to_date("2026-03-05"))
