from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..rating.life import LifeCase

ACTIVITY = "fusion_centralized_billing.mail_activity_type_blocked_invoice"


@tagged("post_install", "-at_install")
class TestBlocked(LifeCase):
    """A draft whose usage was changed by hand waits until somebody says so.

    January's 150 calls come to 25.00: 50 above the quota, at 0.50.
    """

    def setUp(self):
        super().setUp()
        self.company.fc_block_bad_invoices = True
        self.manager = new_test_user(
            self.env,
            "blocked-manager",
            "fusion_centralized_billing.group_manager,account.group_account_invoice",
        )
        self.accountant = new_test_user(
            self.env, "blocked-accountant", "account.group_account_invoice"
        )
        self.service.user_id = self.manager
        self.order = self.subscribe()
        self.plan.invoice_posting = "draft"
        self.at("2026-01-10 12:00:00")
        self.use(150, "2026-01-10")
        self.day("2026-02-01 09:00:00")
        [self.draft] = self.documents("draft")
        [self.line] = self.draft.invoice_line_ids.filtered("fc_rating_ids")

    def _rated_as(self, quantity):
        """Behind Odoo's back: 150 is right."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE fusion_billing_rating SET quantity = %s WHERE subscription_id = %s",
            [quantity, self.order.id],
        )
        self.env.invalidate_all()

    def _activities(self):
        return self.draft.activity_search([ACTIVITY])

    def test_as_it_was_made_it_is_posted(self):
        self.assertFalse(self.draft.fc_is_blocked)
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")
        self.assertEqual(self.net(), 25.0)

    def _ways(self):
        """Each way in which somebody can change what a draft charges for usage."""
        tax = self.env["account.tax"].create({"name": "Other tax", "amount": 7})
        euro = self.env.ref("base.EUR") + self.env.ref("base.USD")
        other_currency = (euro - self.draft.currency_id)[0]
        other_currency.active = True
        stranger = self.env["res.partner"].create({"name": "Somebody Else"})
        account = self.line.account_id.copy({"code": "499999"})
        line, draft = self.line, self.draft
        return {
            "price": lambda: line.write({"price_unit": 24}),
            "price by the form": lambda: draft.write(
                {"invoice_line_ids": [Command.update(line.id, {"price_unit": 24})]}
            ),
            "quantity": lambda: line.write({"quantity": 2}),
            "discount": lambda: line.write({"discount": 10}),
            "nothing": lambda: line.write({"quantity": 0}),
            "taxes": lambda: line.write({"tax_ids": [Command.set(tax.ids)]}),
            "account": lambda: line.write({"account_id": account.id}),
            "product": lambda: line.write(
                {"product_id": self.base_product.id, "price_unit": 25}
            ),
            "a deleted line": lambda: line.unlink(),
            "a line deleted by the form": lambda: draft.write(
                {"invoice_line_ids": [Command.delete(line.id)]}
            ),
            "an added copy": lambda: line.copy({"move_id": draft.id}),
            "an added line": lambda: draft.write(
                {
                    "invoice_line_ids": [
                        Command.create(
                            {"product_id": self.usage_product.id, "price_unit": 5}
                        )
                    ]
                }
            ),
            "currency": lambda: draft.write({"currency_id": other_currency.id}),
            "customer": lambda: draft.write({"partner_id": stranger.id}),
            "a credit note": lambda: draft.action_switch_move_type(),
        }

    def test_each_way_is_blocked(self):
        for name, change in self._ways().items():
            with self.subTest(name):
                savepoint = self.env.cr.savepoint()
                change()
                self.env.flush_all()
                self.assertTrue(self.draft.fc_is_blocked)
                self.assertTrue(self.draft.fc_is_changed_by_hand)
                self.assertEqual(self._activities().user_id, self.manager)
                with self.assertRaisesRegex(UserError, "changed by hand"):
                    self.draft.action_post()
                savepoint.close(rollback=True)
                self.env.invalidate_all()
                self.assertFalse(self.draft.fc_is_blocked)

    def test_each_way_passes_where_the_company_does_not_ask(self):
        self.company.fc_block_bad_invoices = False
        self.line.price_unit = 24
        self.assertFalse(self.draft.fc_is_blocked)
        self.draft.action_post()
        self.assertEqual(self.net(), 24.0)

    def test_the_reason_names_the_amounts(self):
        self.line.discount = 10
        self.assertIn("charges 22.50", self.draft.fc_block_reason)
        self.assertIn("25.00", self.draft.fc_block_reason)

    def test_the_same_amount_in_another_way_is_no_change(self):
        self.line.write({"quantity": 2, "price_unit": 12.5})
        self.assertFalse(self.draft.fc_is_blocked)

    def test_changed_back_it_is_free(self):
        self.line.price_unit = 24
        self.assertEqual(len(self._activities()), 1)
        self.line.price_unit = 25
        self.assertFalse(self.draft.fc_is_blocked)
        self.assertFalse(self._activities())

    def test_somebody_with_the_right_releases_it(self):
        self.line.price_unit = 24
        with self.assertRaisesRegex(AccessError, "billing managers"):
            self.draft.with_user(self.accountant)._fc_release("goodwill")
        with self.assertRaises(AccessError):
            self.draft.with_user(self.accountant).fc_released = "amount"
        with self.assertRaisesRegex(UserError, "Explain why"):
            self.draft.with_user(self.manager)._fc_release(" ")
        action = self.draft.with_user(self.manager).action_fc_open_release_wizard()
        wizard = self.env[action["res_model"]].with_user(self.manager)
        wizard = wizard.with_context(**action["context"]).create({"reason": "goodwill"})
        self.assertIn("24.00", wizard.changes)
        wizard.action_release()
        self.assertFalse(self.draft.fc_is_blocked)
        self.assertFalse(self._activities())
        self.assertEqual(self.draft.fc_released_uid, self.manager)
        self.assertEqual(self.draft.fc_release_reason, "goodwill")
        said = self.draft.message_ids[0]
        self.assertIn("goodwill", said.body)
        self.assertIn("24.00", said.body)
        self.assertEqual(said.author_id, self.manager.partner_id)
        self.draft.with_user(self.accountant).action_post()
        self.assertEqual((self.draft.state, self.net()), ("posted", 24.0))
        # What was forgiven stays so: nothing is billed for January again.
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(self.documents("draft", "posted")), 24.0)

    def test_a_change_after_the_release_is_blocked_again(self):
        self.line.price_unit = 24
        self.draft.with_user(self.manager)._fc_release("goodwill")
        self.line.price_unit = 23
        self.assertTrue(self.draft.fc_is_blocked)
        with self.assertRaisesRegex(UserError, "charges 23.00"):
            self.draft.action_post()

    def test_a_released_line_by_hand_is_no_finding(self):
        self.line.copy({"move_id": self.draft.id})
        self.draft.with_user(self.manager)._fc_release("agreed")
        self.draft.action_post()
        self.assertEqual(self.net(), 50.0)
        audit = self.env["fusion.billing.audit"]._run(self.company)
        kinds = audit.finding_ids.mapped("kind")
        self.assertIn("confirmed_by_hand", kinds)
        self.assertNotIn("charged_by_hand", kinds)

    def test_a_posted_invoice_that_is_reset_and_edited(self):
        self.draft.action_post()
        self.draft.button_draft()
        self.assertFalse(self.draft.fc_is_blocked)
        self.line.price_unit = 1
        with self.assertRaisesRegex(UserError, "changed by hand"):
            self.draft.action_post()

    def test_a_deleted_draft_and_a_cancelled_one_hold_nobody(self):
        self.line.price_unit = 24
        self.draft.button_cancel()
        self.assertFalse(self.draft.fc_is_blocked)
        self.assertFalse(self._activities())

    def test_an_ordinary_invoice_is_left_alone(self):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner.id,
                "invoice_date": "2026-02-01",
                "invoice_line_ids": [
                    Command.create(
                        {"product_id": self.base_product.id, "price_unit": 3}
                    )
                ],
            }
        )
        invoice.invoice_line_ids.price_unit = 4
        self.assertFalse(invoice.fc_is_blocked)
        invoice.action_post()
        credit = self.credit(invoice)
        self.assertEqual(credit.state, "posted")

    def test_a_refused_draft_is_flagged_although_the_refusal_undoes_it(self):
        """What the audit finds wrong shows on the draft; one activity for all tries."""
        self._rated_as(149)
        for _try in range(2):
            with self.enter_registry_test_mode():
                with self.assertRaisesRegex(UserError, "come to 150, but 149"):
                    self.draft.action_post()
                self.env.cr.postrollback.run()
            self.env.cr.postcommit.clear()
            self.env.invalidate_all()
        self.assertTrue(self.draft.fc_is_blocked)
        self.assertFalse(self.draft.fc_is_changed_by_hand)
        self.assertIn("149", self.draft.fc_block_reason)
        self.assertEqual(len(self._activities()), 1)
        with self.assertRaisesRegex(UserError, "Nothing was changed by hand"):
            self.draft.with_user(self.manager)._fc_release("never mind")
        self._rated_as(150)
        self.draft.action_fc_look_again()
        self.assertFalse(self.draft.fc_is_blocked)
        self.draft.action_post()
        self.assertFalse(self._activities())

    def test_what_was_released_does_not_hold_it_as_totals_differ(self):
        """Both settings are on: one change by hand is asked about once."""
        self.company.fc_hold_differing = True
        self.line.price_unit = 20.0
        with self.assertRaisesRegex(UserError, "changed by hand"):
            self.draft.action_post()
        self.assertFalse(self.draft.fc_held_reason)
        self.draft.with_user(self.manager)._fc_release("goodwill")
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")
        self.assertFalse(self.draft.fc_hold_ids)

    def test_what_the_app_declared_holds_what_was_released(self):
        """Both settings are on, and there are two reasons: one after the other."""
        self.company.fc_hold_differing = True
        window = {"window_start": "2026-01-01 00:00:00"}
        window["window_end"] = "2026-02-01 00:00:00"
        record = self.env["fusion.billing.reconciliation"].create(
            {
                **window,
                "service_id": self.service.id,
                "subscription_id": self.order.id,
                "metric_id": self.metric.id,
                "declared_quantity": 160,
            }
        )
        record.action_compare()
        self.line.price_unit = 20.0
        self.draft.with_user(self.manager)._fc_release("goodwill")
        self.draft.action_post()
        self.assertEqual(self.draft.state, "draft")
        self.assertIn("differs from ours", self.draft.fc_held_reason)
        self.assertNotIn("by hand", self.draft.fc_held_reason)
        self.assertFalse(self.draft.fc_is_blocked)
        self.draft.fc_hold_ids.with_user(self.manager)._decide("ten health checks")
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")

    def test_the_hold_alone_asks_about_a_change_by_hand(self):
        self.company.write({"fc_block_bad_invoices": False, "fc_hold_differing": True})
        self.line.price_unit = 20.0
        self.assertFalse(self.draft.fc_is_blocked)
        self.draft.action_post()
        self.assertEqual(self.draft.state, "draft")
        self.assertIn("by hand to 20.00", self.draft.fc_held_reason)
