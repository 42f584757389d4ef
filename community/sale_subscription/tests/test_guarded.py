from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.base import guarded
from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestGuarded(SubscriptionCase):
    """Readonly fields are written by code alone; people change what they stand for.

    A state written over RPC made a subscription run without an invoice, or end.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "sales_team.group_sale_manager,account.group_account_manager"
        cls.seller = new_test_user(cls.env, "guarded-seller", groups)
        cls.admin = new_test_user(
            cls.env, "guarded-admin", groups + ",base.group_system"
        )
        cls.product = cls._create_product(list_price=30)

    def _code_fields(self, model):
        return [
            field
            for field in model._fields.values()
            if guarded.MODULE in field._modules
            and field.readonly
            and field.store
            and field.column_type
            and field.name not in models.MAGIC_COLUMNS
        ]

    def test_nobody_writes_what_code_sets(self):
        order = self._create_subscription(self.product)
        names = [field.name for field in self._code_fields(order)]
        # What a state stands for is done instead: see test_state_written.py.
        names.remove("subscription_state")
        self.assertIn("subscription_id", names)
        values = {
            "last_invoice_date": "2020-01-01",
            "recurring_monthly": 1.0,
            "subscription_id": order.copy().id,
        }
        for name in names:
            for user in (self.seller, self.admin):
                before = order[name]
                value = values.get(name, False)
                with (
                    self.subTest(field=name, user=user.login),
                    mute_logger("odoo.models", "odoo.orm.models"),
                ):
                    with self.assertRaises(AccessError), self.env.cr.savepoint():
                        order.with_user(user).write({name: value})
                    self.env.invalidate_all()
                    self.assertEqual(order[name], before)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.env["sale.order"].with_user(self.seller).create(
                {
                    "partner_id": self.partner.id,
                    "plan_id": self.plan.id,
                    "subscription_id": order.id,
                }
            )

    def test_a_salesperson_leads_it_through_its_life(self):
        order = self._create_quotation(self.product).with_user(self.seller)
        order.action_confirm()
        order._create_invoices()._post()
        order.pause_subscription()
        order.resume_subscription()
        order.set_close()
        order.set_open()
        upsell = order._create_upsell_renew_order("7_upsell")
        self.assertEqual(upsell.subscription_state, "7_upsell")
        self.assertEqual(upsell.env.uid, self.seller.id)
        self.assertFalse(upsell.env.su)
        upsell.action_update_upsell_dates()
        upsell._action_cancel()
        order.prepare_renewal_order()
        renewal = order.renewal_id
        self.assertEqual(renewal.order_line.parent_line_id, order.order_line)
        renewal.action_confirm()
        self.assertEqual(order.subscription_state, "5_renewed")
        self.assertEqual(renewal.subscription_state, "3_progress")
        renewal.next_invoice_date = "2031-05-05"
        renewal._action_cancel()
        renewal.action_draft()
        self.assertEqual(renewal.subscription_state, "2_renewal")

    def test_a_credit_note_says_which_days_it_gives_back(self):
        """Odoo copies the lines with the rights of who reverses an invoice."""
        order = self._create_subscription(self.product)
        invoice = order._create_invoices().with_user(self.seller)
        invoice.action_post()
        wizard = (
            self.env["account.move.reversal"]
            .with_user(self.seller)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        wizard.modify_moves()
        for move in invoice.reversal_move_ids | wizard.new_move_ids | invoice.copy():
            lines = move.invoice_line_ids.filtered("product_id")
            self.assertEqual(lines.subscription_id, order)
            self.assertEqual(lines.charged_from, invoice.invoice_line_ids.charged_from)
        # What a copy has is not what somebody says of it.
        other = self._create_subscription(self.product)
        row = Command.create(
            {"product_id": self.product.id, "subscription_id": other.id}
        )
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            invoice.copy({"invoice_line_ids": [row]})

    def test_a_plan_stays_with_its_company(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        plan = self._create_plan(company_id=self.env.company.id)
        plan.company_id = self.env.company
        for company in (elsewhere, elsewhere.browse()):
            with self.assertRaises(UserError):
                plan.company_id = company
