from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged

from .case import ControlCase


@tagged("post_install", "-at_install")
class TestHold(ControlCase):
    """With the setting, invoices whose totals differ wait for a decision."""

    def setUp(self):
        super().setUp()
        self.company.fc_hold_differing = True
        self.manager = new_test_user(
            self.env, "hold-manager", "fusion_centralized_billing.group_manager"
        )
        self._record(300)

    def decide(self, invoice, note="Agreed with the customer", user=None):
        action = invoice.action_fc_decide()
        wizard = self.env[action["res_model"]].with_user(user or self.manager)
        wizard.with_context(**action["context"]).create({"note": note}).action_decide()

    def test_it_is_off_by_default(self):
        self.assertFalse(self.env["res.company"].new().fc_hold_differing)

    def test_what_agrees_is_posted(self):
        self.declare(300)
        self.assertEqual(self.bill().state, "posted")

    def test_another_total_of_the_app_holds_the_invoice(self):
        self.declare(310)
        invoice = self.bill()
        self.assertEqual(invoice.state, "draft")
        self.assertIn("differs from ours", invoice.fc_held_reason)
        self.assertTrue(invoice.activity_ids)
        self.assertEqual(
            self.env["account.move"].search([("fc_is_held", "=", True)]),
            invoice,
        )
        self.decide(invoice)
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")
        self.assertFalse(invoice.activity_ids)
        hold = invoice.fc_hold_ids
        self.assertEqual(hold.decided_by_id, self.manager)
        self.assertTrue(hold.decided_at)
        self.assertTrue(
            any(
                self.manager.name in message.body
                and "Agreed with the customer" in message.body
                for message in invoice.message_ids
            )
        )

    def test_an_explained_difference_holds_nothing(self):
        record = self.declare(310)
        invoice = self.bill()
        record.note = "Ten were health checks."
        record.action_explain()
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")
        self.assertFalse(invoice.fc_hold_ids)

    def test_a_changed_amount_holds_it(self):
        invoice = self.bill(post=False)
        self.usage_line(invoice).price_unit = 80.0
        invoice.action_post()
        self.assertEqual(invoice.state, "draft")
        self.assertIn("charges 80.00", invoice.fc_held_reason)

    def test_an_added_line_of_usage_holds_it(self):
        invoice = self.bill(post=False)
        line = {"product_id": self.usage_product.id, "price_unit": 5}
        invoice.invoice_line_ids = [(0, 0, line)]
        invoice.action_post()
        self.assertEqual(invoice.state, "draft")

    def test_a_decision_is_about_what_was_seen(self):
        self.declare(310)
        invoice = self.bill()
        self.decide(invoice)
        self.usage_line(invoice).price_unit = 80.0
        invoice.action_post()
        self.assertEqual(invoice.state, "draft")
        self.assertEqual(invoice.fc_hold_ids.mapped("state"), ["decided", "held"])

    def test_others_are_posted_all_the_same(self):
        other = self._create_subscription()
        self._record(150, order=other)
        self.declare(310)
        invoices = self.bill(post=False) | self.bill(other, post=False)
        invoices.action_post()
        self.assertEqual(invoices.mapped("state"), ["draft", "posted"])

    def test_only_who_may_decides(self):
        self.declare(310)
        invoice = self.bill()
        user = new_test_user(
            self.env,
            "hold-user",
            "fusion_centralized_billing.group_user,account.group_account_invoice",
        )
        with self.assertRaises(AccessError):
            self.decide(invoice, user=user)
        with self.assertRaises(AccessError):
            invoice.fc_hold_ids.with_user(user)._decide("no")
        with self.assertRaises(AccessError):
            invoice.fc_hold_ids.with_user(user).write({"state": "decided"})
        with self.assertRaises(ValidationError):
            invoice.fc_hold_ids.with_user(self.manager)._decide(" ")
