from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..rating.life import LifeCase

ACTIVITY = "fusion_centralized_billing.mail_activity_type_held_invoice"


@tagged("post_install", "-at_install")
class TestHeld(LifeCase):
    """A draft whose usage was changed by hand waits until somebody says so.

    January's 150 calls come to 25.00: 50 above the quota, at 0.50.
    """

    def setUp(self):
        super().setUp()
        self.company.fc_block_bad_invoices = True
        self.manager = new_test_user(
            self.env,
            "held-manager",
            "fusion_centralized_billing.group_manager,account.group_account_invoice",
        )
        self.accountant = new_test_user(
            self.env, "held-accountant", "account.group_account_invoice"
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

    def _decide(self, note="goodwill", user=None, holds=None):
        """As a person does it: the button, the dialog, its button."""
        user = user or self.manager
        asked = (holds or self.draft).with_user(user)
        action = asked.action_open_wizard() if holds else asked.action_fc_decide()
        wizard = self.env[action["res_model"]].with_user(user)
        wizard = wizard.with_context(**action["context"]).create({"note": note})
        wizard.action_decide()
        return wizard

    def _declare(self, quantity):
        """The app says how much January had."""
        record = self.env["fusion.billing.reconciliation"].create(
            {
                "window_start": "2026-01-01 00:00:00",
                "window_end": "2026-02-01 00:00:00",
                "service_id": self.service.id,
                "subscription_id": self.order.id,
                "metric_id": self.metric.id,
                "declared_quantity": quantity,
            }
        )
        record.action_compare()
        return record

    def assertHeld(self, *texts):
        """It stays in draft, and says so; these texts are among the reasons."""
        self.draft.action_post()
        self.assertEqual(self.draft.state, "draft")
        self.assertTrue(self.draft.fc_is_held)
        for text in texts:
            self.assertIn(text, self.draft.fc_held_reason)

    def test_as_it_was_made_it_is_posted(self):
        self.assertFalse(self.draft.fc_is_held)
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

    def test_each_way_is_held(self):
        for name, change in self._ways().items():
            with self.subTest(name):
                savepoint = self.env.cr.savepoint()
                change()
                self.env.flush_all()
                self.assertTrue(self.draft.fc_is_held)
                self.assertEqual(
                    set(self.draft.fc_hold_ids.mapped("kind")), {"changed"}
                )
                self.assertEqual(self._activities().user_id, self.manager)
                self.assertHeld("Changed by Hand")
                savepoint.close(rollback=True)
                self.env.invalidate_all()
                self.assertFalse(self.draft.fc_is_held)

    def test_each_way_is_held_by_the_other_setting_too(self):
        self.company.write({"fc_block_bad_invoices": False, "fc_hold_differing": True})
        self.line.price_unit = 20.0
        self.assertHeld("charges 20.00")

    def test_each_way_passes_where_the_company_does_not_ask(self):
        self.company.fc_block_bad_invoices = False
        self.line.price_unit = 24
        self.assertFalse(self.draft.fc_is_held)
        self.draft.action_post()
        self.assertEqual(self.net(), 24.0)

    def test_switched_off_it_lets_go(self):
        self.line.price_unit = 24
        self.assertTrue(self.draft.fc_is_held)
        self.company.fc_block_bad_invoices = False
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")
        self.assertFalse(self.draft.fc_hold_ids)
        self.assertFalse(self._activities())

    def test_the_reason_names_the_amounts(self):
        self.line.discount = 10
        self.assertIn("charges 22.50", self.draft.fc_held_reason)
        self.assertIn("25.00", self.draft.fc_held_reason)

    def test_the_same_amount_in_another_way_is_no_change(self):
        self.line.write({"quantity": 2, "price_unit": 12.5})
        self.assertFalse(self.draft.fc_is_held)

    def test_changed_back_it_is_free(self):
        self.line.price_unit = 24
        self.assertEqual(len(self._activities()), 1)
        self.line.price_unit = 25
        self.assertFalse(self.draft.fc_is_held)
        self.assertFalse(self.draft.fc_hold_ids)
        self.assertFalse(self._activities())

    def test_one_flag_finds_them(self):
        Move = self.env["account.move"]
        mine = [("id", "=", self.draft.id)]
        self.assertFalse(Move.search([*mine, ("fc_is_held", "=", True)]))
        self.assertEqual(Move.search([*mine, ("fc_is_held", "=", False)]), self.draft)
        self.line.price_unit = 24
        self.assertEqual(Move.search([*mine, ("fc_is_held", "=", True)]), self.draft)
        self.assertFalse(Move.search([*mine, ("fc_is_held", "=", False)]))
        held = Move.with_user(self.accountant).search([("fc_is_held", "=", True)])
        self.assertEqual(held, self.draft)

    def test_the_salesperson_is_asked_where_there_is_one(self):
        seller = new_test_user(
            self.env, "held-seller", "sales_team.group_sale_salesman"
        )
        self.draft.invoice_user_id = seller
        self.line.price_unit = 24
        self.assertEqual(self._activities().user_id, seller)

    def test_one_activity_whatever_comes_to_it(self):
        self.line.price_unit = 24
        self.line.discount = 50
        self.draft.action_post()
        self.assertEqual(len(self._activities()), 1)
        self.assertIn("12.00", self._activities().note)

    def test_somebody_with_the_right_decides(self):
        self.line.price_unit = 24
        hold = self.draft.fc_hold_ids
        with self.assertRaisesRegex(AccessError, "billing managers"):
            hold.with_user(self.accountant)._decide("goodwill")
        with self.assertRaises(AccessError):
            hold.with_user(self.accountant).state = "decided"
        with self.assertRaises(AccessError):
            self._decide(user=self.accountant)
        with self.assertRaisesRegex(ValidationError, "Explain why"):
            hold.with_user(self.manager)._decide(" ")
        wizard = self._decide("goodwill")
        self.assertIn("24.00", wizard.hold_ids.reason)
        self.assertFalse(self.draft.fc_is_held)
        self.assertFalse(self._activities())
        self.assertEqual(hold.decided_by_id, self.manager)
        self.assertEqual(str(hold.decided_at), "2026-02-01 09:00:00")
        self.assertEqual(hold.note, "goodwill")
        said = self.draft.message_ids[0]
        self.assertIn("goodwill", said.body)
        self.assertIn("24.00", said.body)
        self.assertIn(self.manager.name, said.body)
        self.assertEqual(said.author_id, self.manager.partner_id)
        self.draft.with_user(self.accountant).action_post()
        self.assertEqual((self.draft.state, self.net()), ("posted", 24.0))
        self.assertEqual(self.draft.fc_hold_ids, hold)
        # What was forgiven stays so: nothing is billed for January again.
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(self.documents("draft", "posted")), 24.0)

    def test_the_customer_does_not_read_why(self):
        """He may read his posted invoices over RPC; what staff have said is theirs."""
        self.line.price_unit = 24
        self._decide("goodwill")
        self.draft.action_post()
        customer = new_test_user(self.env, "held-customer", "base.group_portal")
        customer.partner_id.parent_id = self.partner
        self.draft.message_subscribe(customer.partner_id.ids)
        seen = self.draft.with_user(customer)
        self.assertEqual(seen.read(["state"])[0]["state"], "posted")
        for name in ("fc_held_reason", "fc_decided_reason", "fc_taken_off"):
            with self.subTest(name), self.assertRaises(AccessError):
                seen.read([name])
        [shown] = self.draft.with_user(self.accountant).read(["fc_decided_reason"])
        self.assertIn("goodwill", shown["fc_decided_reason"])

    def test_who_keeps_the_books_decides_too(self):
        keeper = new_test_user(self.env, "held-keeper", "account.group_account_user")
        self.line.price_unit = 24
        self._decide(user=keeper)
        self.assertEqual(self.draft.fc_hold_ids.decided_by_id, keeper)

    def test_a_change_after_the_decision_holds_again(self):
        self.line.price_unit = 24
        self._decide()
        self.line.price_unit = 23
        self.assertHeld("charges 23.00")
        self.assertEqual(self.draft.fc_hold_ids.mapped("state"), ["decided", "held"])
        self.line.price_unit = 24
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")

    def test_what_has_changed_since_it_was_read_is_not_decided(self):
        """He has the dialog open on 24.00; somebody else lowers it to 23.00."""
        self.line.price_unit = 24
        action = self.draft.with_user(self.manager).action_fc_decide()
        wizard = self.env[action["res_model"]].with_user(self.manager)
        wizard = wizard.with_context(**action["context"]).create({"note": "goodwill"})
        self.line.price_unit = 23
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "not held for this any more"):
            wizard.action_decide()
        self.assertTrue(self.draft.fc_is_held)

    def test_a_released_line_by_hand_is_no_finding(self):
        self.line.copy({"move_id": self.draft.id})
        self._decide("agreed")
        self.draft.action_post()
        self.assertEqual(self.net(), 50.0)
        audit = self.env["fusion.billing.audit"]._run(self.company)
        kinds = audit.finding_ids.mapped("kind")
        self.assertIn("confirmed_by_hand", kinds)
        self.assertNotIn("charged_by_hand", kinds)

    def test_a_posted_invoice_that_is_reset_and_edited(self):
        self.draft.action_post()
        self.draft.button_draft()
        self.assertFalse(self.draft.fc_is_held)
        self.line.price_unit = 1
        self.assertHeld("charges 1.00")

    def test_a_deleted_draft_and_a_cancelled_one_hold_nobody(self):
        self.line.price_unit = 24
        self.draft.button_cancel()
        self.assertFalse(self.draft.fc_is_held)
        self.assertFalse(self.draft.fc_hold_ids)
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
        self.assertFalse(invoice.fc_is_held)
        invoice.action_post()
        credit = self.credit(invoice)
        self.assertEqual(credit.state, "posted")

    def test_what_is_wrong_is_mended_and_nobody_can_allow_it(self):
        self._rated_as(149)
        for _try in range(2):
            self.assertHeld("come to 150, but 149")
        self.assertEqual(len(self._activities()), 1)
        self.assertFalse(self.draft.fc_may_decide)
        with self.assertRaisesRegex(UserError, "nothing to decide on"):
            self.draft.with_user(self.manager).action_fc_decide()
        with self.assertRaisesRegex(UserError, "has to be corrected"):
            self.draft.fc_hold_ids.with_user(self.manager)._decide("never mind")
        self._rated_as(150)
        self.draft.action_fc_check_again()
        self.assertFalse(self.draft.fc_is_held)
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")
        self.assertFalse(self._activities())

    def test_what_is_wrong_holds_beside_what_is_decided(self):
        """24.00 by hand, and a wrong quantity: the first is decided, both are shown."""
        self.line.price_unit = 24
        self.rate()  # until it is rated the audit leaves it out
        self._rated_as(149)
        self.assertHeld("charges 24.00", "come to 150, but 149")
        wizard = self._decide()
        self.assertIn("come to 150", wizard.to_mend)
        self.assertHeld("come to 150, but 149")
        self._rated_as(150)
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")

    def test_a_wrong_quantity_can_be_allowed_where_only_totals_are_asked_for(self):
        self.company.write({"fc_block_bad_invoices": False, "fc_hold_differing": True})
        self._rated_as(149)
        self.assertHeld("come to 150, but 149")
        self.assertEqual(self.draft.fc_hold_ids.kind, "quantity")
        self._decide()
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")

    def test_reasons_of_both_settings_stand_side_by_side(self):
        """Changed by hand to 20.00, 160 were declared: each is decided by itself."""
        self.company.fc_hold_differing = True
        self._declare(160)
        self.line.price_unit = 20.0
        self.assertHeld("charges 20.00", "differs from ours")
        holds = self.draft.fc_hold_ids
        self.assertEqual(sorted(holds.mapped("kind")), ["changed", "declared"])
        declared = holds.filtered(lambda h: h.kind == "declared")
        self._decide("ten health checks", holds=declared)
        self.assertHeld("charges 20.00")
        self.assertNotIn("differs from ours", self.draft.fc_held_reason)
        self.assertIn("ten health checks", self.draft.fc_decided_reason)
        self._decide("goodwill")
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")
        self.assertEqual(
            sorted(self.draft.fc_hold_ids.mapped("note")),
            ["goodwill", "ten health checks"],
        )
