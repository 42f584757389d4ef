from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .payment_common import PaymentCase


@tagged("post_install", "-at_install")
class TestPaymentToken(PaymentCase):
    """Which saved payment method a subscription has."""

    # === WHOSE ===

    def test_token_of_another_customer_is_refused(self):
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        token = self._create_token(partner_id=stranger.id)
        order = self._create_subscription()
        with self.assertRaisesRegex(ValidationError, "Stranger"):
            order.payment_token_id = token

    def test_customer_changed_under_its_token_is_refused(self):
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        order = self._create_quotation(payment_token_id=self.token.id)
        with self.assertRaisesRegex(ValidationError, "Sample Customer"):
            order.write({"partner_id": stranger.id, "partner_invoice_id": stranger.id})

    def test_tokens_of_the_same_commercial_partner(self):
        """A company's token for its employee's order, and the other way round."""
        person = self.env["res.partner"].create(
            {"name": "Employee", "parent_id": self.partner.id}
        )
        order = self._create_quotation(partner_id=person.id)
        order.payment_token_id = self.token
        order = self._create_quotation()
        order.payment_token_id = self._create_token(partner_id=person.id)

    def test_token_of_who_is_invoiced(self):
        agency = self.env["res.partner"].create({"name": "Agency"})
        token = self._create_token(partner_id=agency.id)
        order = self._create_subscription(
            partner_invoice_id=agency.id, payment_token_id=token.id
        )
        invoice = self._run_cron("2026-01-01")
        self.assertEqual(invoice.payment_state, "paid")
        self.assertEqual(self._charges(order).payment_id.partner_id, agency)

    def test_token_of_another_company_is_refused(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        provider = self.provider.copy({"company_id": company.id, "name": "Elsewhere"})
        token = self._create_token(provider_id=provider.id)
        order = self._create_subscription()
        with self.assertRaisesRegex(ValidationError, "own company") as refused:
            order.payment_token_id = token
        self.assertNotIn("Elsewhere", str(refused.exception))

    def test_form_offers_what_the_constraint_accepts(self):
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        foreign = self._create_token(partner_id=stranger.id)
        order = self._create_quotation()
        self.assertIn(self.token, order.suitable_payment_token_ids)
        self.assertNotIn(foreign, order.suitable_payment_token_ids)

    # === CARRIED ===

    def test_renewal_is_paid_like_its_parent(self):
        order = self._create_invoiced_subscription()
        with freeze_time("2026-01-15"):
            renewal = order._create_upsell_renew_order("2_renewal")
        self.assertEqual(renewal.payment_token_id, self.token)

    def test_upsell_has_no_token_of_its_own(self):
        order = self._create_invoiced_subscription()
        with freeze_time("2026-01-15"):
            upsell = order._create_upsell_renew_order("7_upsell")
        self.assertFalse(upsell.payment_token_id)

    def test_copy_is_not_paid_by_token(self):
        order = self._create_paid_subscription()
        self.assertFalse(order.copy().payment_token_id)

    def test_failures_stay_with_their_subscription(self):
        order = self._create_paid_subscription(outcome="error")
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-15"):
            renewal = order._create_upsell_renew_order("2_renewal")
        self.assertNoFailure(renewal)
        self.assertNoFailure(order.copy())

    # === CHANGED ===

    def test_another_token_is_charged_in_the_next_run(self):
        order = self._create_paid_subscription(outcome="error")
        for day in ("2026-01-01", "2026-01-02"):
            self._run_cron(day)
        self.assertFailed(order, 2, "2026-01-05")
        order.payment_token_id = self.token
        self.assertNoFailure(order)
        self._sweep("2026-01-02")
        self.assertEqual(order.invoice_ids.payment_state, "paid")

    def test_same_token_written_again_changes_nothing(self):
        order = self._create_paid_subscription(outcome="error")
        self._run_cron("2026-01-01")
        order.payment_token_id = order.payment_token_id
        self.assertFailed(order, 1, "2026-01-02")

    def test_no_token_any_more(self):
        order = self._create_paid_subscription(outcome="error")
        self._run_cron("2026-01-01")
        order.payment_token_id = False
        self.assertNoFailure(order)
        self._sweep("2026-01-02")
        self.assertEqual(len(self._charges(order)), 1)

    # === SAVED BY THE CUSTOMER ===

    def _pay_order(self, order, at="2026-01-01", **values):
        """Pay an order in the portal, with "save my payment details"."""
        transaction = self._create_transaction(
            self.env["account.move"],
            at=at,
            amount=order.amount_total,
            currency_id=order.currency_id.id,
            partner_id=order.partner_id.id,
            sale_order_ids=[Command.set(order.ids)],
            **{"tokenize": True} | values,
        )
        self._answer(transaction, "done", at=at)
        return transaction

    def _pay_invoice(self, invoice, state="done", at="2026-01-01", **values):
        values = {"tokenize": True} | values
        transaction = self._create_transaction(invoice, at=at, **values)
        self._answer(transaction, state, at=at)
        return transaction

    def test_saved_when_the_order_is_paid_online(self):
        order = self._create_quotation(require_payment=True)
        transaction = self._pay_order(order)
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertTrue(transaction.token_id)
        self.assertEqual(order.payment_token_id, transaction.token_id)

    def test_prepaid_period_is_not_charged_again(self):
        """The first invoice is paid by the order's payment; the second is charged."""
        order = self._create_quotation(require_payment=True)
        self._pay_order(order)
        january = self._run_cron("2026-01-01")
        self.assertEqual(january.payment_state, "paid")
        self.assertFalse(self._charges(order))
        february = self._run_cron("2026-02-01")
        self.assertEqual(february.payment_state, "paid")
        self.assertEqual(self._charges(order).amount, 10.0)

    def test_not_saved_without_the_customers_consent(self):
        order = self._create_quotation(require_payment=True)
        self._pay_order(order, tokenize=False)
        self.assertFalse(order.payment_token_id)

    def test_paying_with_a_saved_token_is_no_consent(self):
        order = self._create_invoiced_subscription(payment_token_id=False)
        transaction = self._create_transaction(
            order.invoice_ids, operation="online_token", token_id=self.token.id
        )
        with freeze_time("2026-01-01"):
            transaction._charge_with_token()
            transaction._post_process()
        self.assertEqual(order.invoice_ids.payment_state, "paid")
        self.assertFalse(order.payment_token_id)

    def test_saved_when_an_invoice_is_paid_in_the_portal(self):
        order = self._create_invoiced_subscription(payment_token_id=False)
        transaction = self._pay_invoice(order.invoice_ids)
        self.assertEqual(order.payment_token_id, transaction.token_id)
        self._run_cron("2026-02-01")
        self.assertEqual(self._charges(order).token_id, transaction.token_id)

    def test_not_saved_when_the_payment_fails(self):
        order = self._create_invoiced_subscription(payment_token_id=False)
        self._pay_invoice(order.invoice_ids, state="error")
        self.assertFalse(order.payment_token_id)

    def test_working_token_is_kept(self):
        order = self._create_invoiced_subscription()
        self._pay_invoice(order.invoice_ids)
        self.assertEqual(order.payment_token_id, self.token)

    def test_failed_token_is_replaced(self):
        order = self._create_paid_subscription(outcome="error")
        invoice = self._run_cron("2026-01-01")
        transaction = self._pay_invoice(invoice)
        self.assertEqual(order.payment_token_id, transaction.token_id)
        self.assertNoFailure(order)

    def test_archived_token_is_replaced(self):
        order = self._create_invoiced_subscription()
        self.token.active = False
        transaction = self._pay_invoice(order.invoice_ids)
        self.assertEqual(order.payment_token_id, transaction.token_id)

    def test_another_partners_token_is_left_alone(self):
        """Somebody paid for the customer; the payment is booked all the same."""
        friend = self.env["res.partner"].create({"name": "Friend"})
        order = self._create_invoiced_subscription(payment_token_id=False)
        self._pay_invoice(order.invoice_ids, partner_id=friend.id)
        self.assertFalse(order.payment_token_id)
        self.assertTrue(order.invoice_ids.transaction_ids.payment_id)

    def test_upsell_paid_online_gives_its_token_to_the_subscription(self):
        order = self._create_paid_subscription(payment_token_id=False)
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-15"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line.product_uom_qty = 1
        transaction = self._pay_order(upsell, at="2026-01-15")
        self.assertEqual(order.payment_token_id, transaction.token_id)
        self.assertFalse(upsell.payment_token_id)

    def test_customer_is_warned_before_deleting_a_token_in_use(self):
        order = self._create_paid_subscription()
        closed = self._create_paid_subscription()
        closed.set_close()
        [info] = self.token.get_linked_records_info()
        self.assertEqual(info["id"], order.id)
        self.assertEqual(info["name"], order.name)
        self.assertIn(f"/my/orders/{order.id}", info["url"])

    def test_nobody_is_warned_of_the_subscriptions_of_others(self):
        """Any customer got the names and the access tokens of them, by the id."""
        order = self._create_paid_subscription()
        order._portal_ensure_token()
        stranger = new_test_user(self.env, "stranger", "base.group_portal")
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            self.token.with_user(stranger).get_linked_records_info()

    def test_a_customer_is_warned_without_a_token(self):
        user = new_test_user(self.env, "customer", "base.group_portal")
        user.partner_id.parent_id = self.partner
        token = self._create_token(partner_id=user.partner_id.id)
        order = self._create_paid_subscription(payment_token_id=token.id)
        [info] = token.with_user(user).get_linked_records_info()
        self.assertEqual(info["url"], order.access_url)
        self.assertNotIn("token", info["url"])
