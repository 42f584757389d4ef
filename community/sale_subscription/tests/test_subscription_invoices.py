from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .payment_common import PaymentCase


@tagged("post_install", "-at_install")
class TestSubscriptionInvoices(PaymentCase):
    """What is an invoice of a subscription is one in every respect.

    Only those that claimed a period were: what was sold once, the days for which one
    runs again, upsells and what *Reverse and Create* made were charged to no card, and
    counted neither for closing what is unpaid nor for reopening it.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.env.ref("account.email_template_edi_invoice").copy()
        cls.plan.write(
            {"auto_close_limit": 14, "invoice_mail_template_id": cls.template.id}
        )

    def _create_ones(self, kind):
        """A subscription whose period of January is paid, and another invoice of it."""
        order = self._create_subscription()
        self._register_payment(self._run_cron("2026-01-01"))
        return order, getattr(self, f"_invoice_{kind}")(order)

    def _run_for(self, order, day):
        made = self._run_cron(day)
        return made.filtered(lambda move: move._get_subscriptions() == order)

    def _invoice_sold_once(self, order):
        order.order_line = [
            Command.create({"product_id": self.setup_fee.id, "product_uom_qty": 1})
        ]
        with freeze_time("2026-01-11"):
            invoice = order._create_invoices()
            invoice.action_post()
        return invoice

    def _invoice_runs_again(self, order):
        """Closed on 5 January, reopened on 22 February: the 7 of 28 days left."""
        with freeze_time("2026-01-05"):
            order.set_close()
        with freeze_time("2026-02-22"):
            order.set_open()
        return self._run_for(order, "2026-02-22")

    def _invoice_upsell(self, order):
        with freeze_time("2026-01-11"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line.product_uom_qty = 1
            upsell.action_confirm()
        return self._run_for(order, "2026-01-11")

    def _invoice_replacement(self, order):
        invoice = order.invoice_ids
        with freeze_time("2026-01-11"):
            wizard = (
                self.env["account.move.reversal"]
                .with_context(active_model="account.move", active_ids=invoice.ids)
                .create({"journal_id": invoice.journal_id.id})
            )
            wizard.modify_moves()
            new = wizard.new_move_ids
            new.invoice_date = "2026-01-11"
            new.action_post()
        return new

    def _invoice_period(self, order):
        return self._run_for(order, "2026-02-01")

    # By hand: 40 once; 10 x 7/28; 10 x 21/31; the period again; the next period.
    KINDS = (
        ("sold_once", 40.0),
        ("runs_again", 2.5),
        ("upsell", 6.77),
        ("replacement", 10.0),
        ("period", 10.0),
    )

    def _each_kind(self):
        for kind, amount in self.KINDS:
            with self.subTest(kind):
                order, invoice = self._create_ones(kind)
                self.assertEqual(invoice.amount_total, amount)
                self.assertEqual(invoice.payment_state, "not_paid")
                yield order, invoice

    def test_it_is_charged_to_the_card(self):
        for order, invoice in self._each_kind():
            order.payment_token_id = self.token
            self._sweep(invoice.invoice_date)
            self.assertIn(invoice.payment_state, ("paid", "in_payment"))
            charge = invoice.transaction_ids
            self.assertEqual(charge.state, "done")
            self.assertEqual(charge.amount, invoice.amount_total)

    def test_it_counts_when_unpaid_and_reopens_when_paid(self):
        for order, invoice in self._each_kind():
            due = invoice.invoice_date_due
            with freeze_time(fields.Date.add(due, days=14)):
                order._cron_subscription_expiration()
                self.assertEqual(order.subscription_state, "3_progress")
            with freeze_time(fields.Date.add(due, days=15)):
                order._cron_subscription_expiration()
                self.assertEqual(order.subscription_state, "6_churn")
                # What was due meanwhile was invoiced before it was closed.
                self._register_payment(invoice)
                self.assertEqual(order.subscription_state, "3_progress")

    def test_it_is_sent_as_the_plan_says(self):
        for _order, invoice in self._each_kind():
            self.assertEqual(invoice._get_mail_template(), self.template)

    def test_a_credit_note_is_sent_as_one(self):
        order = self._create_subscription()
        credit = self._run_cron("2026-01-01")._reverse_moves()
        self.assertEqual(credit._get_subscriptions(), order)
        self.assertEqual(
            credit._get_mail_template(),
            self.env.ref("account.email_template_edi_credit_note"),
        )

    def test_it_is_counted_and_shown_to_the_customer(self):
        for order, invoice in self._each_kind():
            self.assertIn(invoice, order._get_portal_invoices())
            order.invalidate_recordset(["subscription_invoice_count"])
            count = order.subscription_invoice_count
            self.assertEqual(count, len(order._get_subscription_invoices()))
            action = order.action_view_subscription_invoices()
            self.assertIn(str(invoice.id), str(action["domain"]))
            self.assertEqual(invoice.subscription_count, 1)
            self.assertEqual(invoice.action_open_subscriptions()["res_id"], order.id)

    def test_of_another_subscription_it_is_none(self):
        order, invoice = self._create_ones("upsell")
        other = self._create_paid_subscription()
        self._sweep("2026-01-11")
        self.assertEqual(invoice.payment_state, "not_paid")
        self.assertNotIn(invoice, other._get_subscription_invoices())
        self.assertEqual(len(order._get_subscription_invoices()), 2)

    def test_the_overdue_invoices_of_many_are_one_query(self):
        """As many subscriptions as there are, the job looks once."""
        orders = self.env["sale.order"]
        for _count in range(3):
            orders |= self._create_subscription()
        self._run_cron("2026-01-01")
        self.env.flush_all()
        self.env.invalidate_all()
        with freeze_time("2026-01-10"), self.assertQueryCount(2):
            lines = orders._search_overdue_lines(
                [("subscription_id", "in", orders.ids)]
            )
        self.assertEqual(lines.subscription_id, orders)
