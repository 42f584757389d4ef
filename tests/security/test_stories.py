"""What an attacker did, one by one; the sweep tries the same in general."""

from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .people import MARK, PeopleCase

INVOICING = "account.group_account_invoice"


@tagged("post_install", "-at_install")
class TestStories(PeopleCase):
    def _as(self, role, records):
        return records.with_user(self.at_home[role])

    # -- invoices that somebody had made and posted ----------------------------

    def test_only_who_may_post_invoices_bills_open_usage(self):
        """Whoever could read the order had its invoice made and posted."""
        before = self.ended.invoice_ids
        for role in ("nobody", "user", "manager", "administrator", "portal"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self._as(role, self.ended).action_fc_invoice_open_usage()
        for role in ("salesperson", "sales manager", "read-only accountant"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self._as(role, self.ended).action_fc_invoice_open_usage()
        self.assertEqual(self.ended.invoice_ids, before)
        self._as("invoicing accountant", self.ended).action_fc_invoice_open_usage()
        made = self.ended.invoice_ids - before
        self.assertEqual(made.mapped("state"), ["posted"])
        # 73,190 calls, of which 100 are included, at 0.50.
        self.assertEqual(sum(made.mapped("amount_untaxed")), 36545.0)

    def test_open_usage_of_what_runs_is_not_billed_by_hand(self):
        """Its own invoice bills it, on its day."""
        for order in self.order | self.paused | self.quotation | self.sold_once:
            before = order.invoice_ids
            with self.subTest(state=order.subscription_state):
                with self.assertRaisesRegex(UserError, "has not ended"):
                    order.action_fc_invoice_open_usage()
                self.assertEqual(order.invoice_ids, before)

    def test_a_billing_manager_who_may_post_invoices_sees_the_button_work(self):
        user = self.at_home["manager"]
        user.group_ids |= self.env.ref(INVOICING)
        before = self.ended.invoice_ids
        self._as("manager", self.ended).action_fc_invoice_open_usage()
        self.assertTrue(self.ended.invoice_ids - before)

    def test_who_may_only_read_settles_no_window(self):
        """Odoo made no invoice for them and said nothing; the window was settled, and
        what was used in it was never billed.
        """
        if not hasattr(self.order, "action_create_recurring_invoice"):
            return  # Enterprise has its own
        for role in ("user", "manager", "read-only accountant", "portal"):
            with self.subTest(role=role), freeze_time("2026-03-02"):
                with self.assertRaises(AccessError):
                    self._as(role, self.order).action_create_recurring_invoice()
                self.assertFalse(self._as(role, self.order)._create_invoices())
        window = self.order.fc_window_ids.filtered(
            lambda w: w.first_day == date(2026, 2, 1)
        )
        self.assertFalse(window.is_settled)
        self.assertTrue(self.order._create_invoices(final=True))
        self.assertTrue(window.is_settled)

    # -- what forms and companies told -----------------------------------------

    def test_a_form_gives_no_hash_of_another_companys_key(self):
        """An administrator elsewhere put its id into the form of a service."""
        Service = self.env["fusion.billing.service"]
        key = self.service.main_api_key_id
        self.assertTrue(key.key_hash)
        self.env.invalidate_all()
        answer = Service.with_user(self.elsewhere["administrator"]).onchange(
            {"main_api_key_id": key.id}, ["main_api_key_id"], {"api_key_hash": {}}
        )
        self.assertNotIn(key.sudo().key_hash, repr(answer))
        self.assertEqual(self.service.api_key_hash, key.sudo().key_hash)

    def test_a_dialog_moves_no_usage_to_an_order_that_is_not_seen(self):
        usage = self._record(5, "2025-06-01 00:00:00")
        self.assertTrue(usage.unallocated)
        wizard = (
            self.env["fusion.billing.usage.move.wizard"]
            .with_user(self.at_home["manager"])
            .with_context(active_ids=usage.ids)
            .create({"reason": "late", "subscription_id": self.sold_once.id})
        )
        with self.assertRaises(AccessError):
            wizard.action_move()
        self.assertTrue(usage.unallocated)

    # -- what customers read ---------------------------------------------------

    def test_customers_read_no_error_of_the_inside(self):
        fields = [
            name
            for name in (
                "fc_rating_error",
                "subscription_error",
                "payment_exception_reason",
            )
            if name in self.order._fields
        ]
        self.order.write(dict.fromkeys(fields, "psycopg2: no such account 4000"))
        order = self._as("portal", self.order)
        self.assertEqual(order.read(["name"])[0]["name"], self.order.name)
        self.assertFalse(set(fields) & set(order.fields_get()))
        for name in fields:
            with self.subTest(field=name):
                self.env.invalidate_all()
                with self.assertRaises(AccessError):
                    order.read([name])
                with self.assertRaises(AccessError):
                    order.search([(name, "ilike", "psycopg2")])
                self.assertIn("psycopg2", self._as("user", self.order)[name])

    def test_what_could_not_be_billed_is_told_to_the_staff_alone(self):
        """As a note in the chatter, which customers do not see."""
        self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        ).active = False
        # Late usage: it was billed up to the day on which it ended.
        self._record(400, "2026-01-11 00:00:00", order=self.ended)
        self.env["fusion.billing.closing"]._bill(self.ended, given_back=True)
        [note] = self.ended.message_ids.filtered(
            lambda m: "could not be invoiced" in (m.body or "")
        )
        self.env.invalidate_all()
        seen = self._as("portal", self.ended).message_ids
        self.assertNotIn(note, seen)
        with self.assertRaises(AccessError):
            self._as("portal", note).read(["body"])


@tagged("post_install", "-at_install")
class TestPaymentMethods(PeopleCase):
    """Deleting a saved payment method warns of the subscriptions it pays."""

    def test_nobody_learns_of_the_subscriptions_of_others(self):
        """By the id of any payment method it told their names and tokens."""
        token = self.payment_token
        for people in (self.at_home, self.elsewhere):
            for role in ("nobody", "user", "portal", "public"):
                user = people.get(role, self.elsewhere["public"])
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    token.with_user(user).get_linked_records_info()

    def test_a_customer_is_warned_of_his_own_without_their_tokens(self):
        if "payment_token_id" not in self.order._fields:
            return  # Enterprise has its own
        user = self.at_home["portal"]
        token = self.payment_token.copy({"partner_id": user.partner_id.id})
        self.order.payment_token_id = token
        other = self._create_subscription(
            partner_id=self.env["res.partner"].create({"name": MARK}).id,
            partner_invoice_id=user.partner_id.id,
            order_line=[Command.create({"product_id": self.base_product.id})],
        )
        other.payment_token_id = token
        info = token.with_user(user).get_linked_records_info()
        self.assertEqual([row["id"] for row in info], self.order.ids)
        self.assertEqual(info[0]["url"], f"/my/orders/{self.order.id}")
