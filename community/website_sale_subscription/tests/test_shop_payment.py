from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from .common import ShopCase

DAY = "2026-01-31"


@tagged("post_install", "-at_install")
class TestShopPayment(ShopCase):
    """From the payment of a cart to the charge of the second period."""

    def setUp(self):
        super().setUp()
        self.startPatcher(freeze_time(DAY))
        self.authenticate("sam", "sam")

    # === STEPS ===

    def _begin_payment(self, route="/shop/payment/transaction/%s", **values):
        """Press "Pay now"; return the transaction."""
        cart = self.cart
        self.make_jsonrpc_request(route % cart.id, self._payment_values(**values))
        return cart.transaction_ids.sorted("id")[-1]

    def _payment_values(self, **values):
        cart = self.cart
        return {
            "access_token": cart._portal_ensure_token(),
            "amount": cart.amount_total,
            "flow": "direct",
            "landing_route": "/shop/payment/validate",
            "payment_method_id": self.method.id,
            "provider_id": self.provider.id,
            "token_id": None,
            "tokenization_requested": False,
            **values,
        }

    def _answer_visitor(self, transaction, state="done"):
        """The provider answers, and the visitor's page asks what became of it."""
        self.make_jsonrpc_request(
            "/payment/demo/simulate_payment",
            {
                "reference": transaction.reference,
                "payment_details": "1234",
                "simulated_state": state,
            },
        )
        self.make_jsonrpc_request("/payment/status/poll", {})

    def _pay(self, state="done", **values):
        transaction = self._begin_payment(**values)
        self._answer_visitor(transaction, state)
        return transaction

    def assertFirstPeriod(self, order, transaction, *amounts):
        """Check that it runs, and has one invoice that this payment has paid."""
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertEqual(str(order.start_date), DAY)
        self.assertDates(order, DAY, "2026-02-28")
        invoice = order.invoice_ids
        self.assertEqual(invoice.mapped("amount_total"), list(amounts))
        self.assertEqual(invoice.mapped("payment_state"), ["paid"] * len(amounts))
        self.assertEqual(invoice._get_booked_payments(), transaction.payment_id)
        self.assertTrue(order.payment_token_id)
        self.assertFalse(order.subscription_error)

    def assertSecondPeriod(self, order, amount=10.0):
        """Check that the daily run charges the second period, and nothing twice."""
        self.assertFalse(self._run_cron(DAY))
        self.assertFalse(self._run_cron("2026-02-27"))
        self.assertFalse(self._charges(order))
        second = self._run_cron("2026-02-28")
        self.assertEqual(second.amount_total, amount)
        charge = self._charges(order)
        self.assertEqual(charge.amount, amount)
        self.assertEqual(charge.state, "done")
        self.assertEqual(charge.token_id, order.payment_token_id)
        self.assertEqual(second.payment_state, "paid")
        self.assertDates(order, "2026-02-28", "2026-03-31")

    # === PAID ===

    def test_with_a_new_card(self):
        self._add_on(self.month)
        order = self.cart
        page = self.url_open("/shop/checkout?try_skip_step=true")
        self.assertTrue(page.url.endswith("/shop/payment"), page.url)
        transaction = self._pay()
        self.assertFirstPeriod(order, transaction, 10.0)
        self.assertEqual(order.payment_token_id, transaction.token_id)
        self.assertEqual(order.payment_token_id.partner_id, self.sam.partner_id)
        self.assertLog(order, ("new", 10.0))
        self.url_open("/shop/payment/validate")
        page = self.url_open("/shop/confirmation").text
        self.assertIn("02/28/2026", page)
        self.assertSecondPeriod(order)

    def test_with_automatic_invoices(self):
        """Odoo's setting invoices paid orders: there is one invoice all the same."""
        self.env["ir.config_parameter"].set_param("sale.automatic_invoice", "True")
        self._add_on(self.month)
        order = self.cart
        transaction = self._pay()
        self.assertFirstPeriod(order, transaction, 10.0)
        self.assertSecondPeriod(order)

    def test_with_a_saved_card(self):
        """The page says that it is charged again; else nothing ever would be."""
        token = self._create_token(partner_id=self.sam.partner_id.id)
        self._add_on(self.month)
        order = self.cart
        transaction = self._begin_payment(flow="token", token_id=token.id)
        self.make_jsonrpc_request("/payment/status/poll", {})
        self.assertFirstPeriod(order, transaction, 10.0)
        self.assertEqual(order.payment_token_id, token)
        self.assertSecondPeriod(order)

    def test_with_what_is_bought_once(self):
        """10.00 x 2 a month and a mug for 5.00: 25.00 now, 20.00 in February."""
        self._add_on(self.month, quantity=2)
        self._add(self.mug)
        order = self.cart
        transaction = self._pay()
        self.assertEqual(transaction.amount, 25.0)
        self.assertFirstPeriod(order, transaction, 25.0)
        self.assertEqual(order.recurring_monthly, 20.0)
        self.assertSecondPeriod(order, 20.0)

    def test_with_goods_that_are_invoiced_when_delivered(self):
        """They are paid now and invoiced later, and no run gives them back before."""
        self.env["ir.config_parameter"].set_param("sale.automatic_invoice", "True")
        self.mug.invoice_policy = "delivery"
        self._add_on(self.month)
        self._add(self.mug)
        order = self.cart
        transaction = self._pay()
        self.assertEqual(order.invoice_ids.amount_total, 10.0)
        self.assertEqual(order.invoice_ids.payment_state, "paid")
        self.assertEqual(transaction.payment_id.amount, 15.0)
        line = order.order_line.filtered(lambda x: x.product_id == self.mug)
        line.qty_delivered = 1
        # 15.00 in February, of which 5.00 are paid already.
        second = self._run_cron("2026-02-28")
        self.assertEqual(second.amount_total, 15.0)
        self.assertEqual(second.payment_state, "paid")
        self.assertEqual(self._charges(order).amount, 10.0)

    def test_with_taxes(self):
        """10.00 and 20 %: 12.00 are shown as due, paid and charged."""
        self.crate.taxes_id = self.env["account.tax"].create(
            {"name": "Sample tax", "amount": 20.0, "company_id": self.company.id}
        )
        self._add_on(self.month)
        order = self.cart
        page = self.url_open("/shop/payment").text
        self.assertIn("This is a subscription on the plan", page)
        transaction = self._pay()
        self.assertEqual(transaction.amount, 12.0)
        self.assertFirstPeriod(order, transaction, 12.0)
        self.assertSecondPeriod(order, 12.0)

    def test_plan_that_leaves_invoices_in_draft(self):
        """What is paid is posted; the second one waits for somebody to post it."""
        self.month.invoice_posting = "draft"
        self._add_on(self.month)
        order = self.cart
        transaction = self._pay()
        self.assertFirstPeriod(order, transaction, 10.0)
        self.assertEqual(self._run_cron("2026-02-28").state, "draft")

    def test_guest(self):
        self.authenticate(None, None)
        self._add_on(self.month)
        order = self.cart
        order.partner_id = self.sam.partner_id.copy({"name": "Guest"})
        transaction = self._pay()
        self.assertFirstPeriod(order, transaction, 10.0)
        self.assertEqual(order.payment_token_id.partner_id.name, "Guest")
        self.assertSecondPeriod(order)

    def test_invoice_fails(self):
        """The subscription runs and says so; the next run books the payment."""
        self._add_on(self.month)
        order = self.cart
        error = patch.object(
            self.env.registry["sale.order"],
            "_prepare_invoice",
            side_effect=ValueError("No journal"),
        )
        with error, self.assertLogs("odoo.addons.sale_subscription", "ERROR"):
            transaction = self._pay()
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertIn("No journal", order.subscription_error)
        self._run_cron("2026-02-01")
        self.assertFirstPeriod(order, transaction, 10.0)
        self.assertSecondPeriod(order)

    # === ANSWERS THAT COME LATER ===

    def test_answer_comes_later_by_odoos_job(self):
        self._add_on(self.month)
        order = self.cart
        transaction = self._pay("pending")
        self.assertEqual(order.state, "sent")
        self.assertFalse(order.invoice_ids)
        transaction.token_id.demo_simulated_state = "done"
        self._answer(transaction, "done", at=DAY)
        transaction._post_process()
        self.assertFirstPeriod(order, transaction, 10.0)
        self.assertSecondPeriod(order)

    def test_what_is_paid_is_not_refused_any_more(self):
        """The plan is archived and its price is gone before the provider answers."""
        self._add_on(self.month)
        order = self.cart
        transaction = self._begin_payment()
        self.crate.recurring_rule_ids.unlink()
        self.month.active = False
        self.crate.recurring_invoice = False
        self._answer_visitor(transaction)
        self.assertFirstPeriod(order, transaction, 10.0)

    def test_captured_by_hand(self):
        """Confirmed when authorized, invoiced in the night, captured a day later."""
        for automatic in ("False", "True"):
            with self.subTest(automatic=automatic):
                self.env["ir.config_parameter"].set_param(
                    "sale.automatic_invoice", automatic
                )
                self.provider.capture_manually = True
                self._add_on(self.month)
                order = self.cart
                transaction = self._pay("done")
                self.assertEqual(transaction.state, "authorized")
                self.assertEqual(order.subscription_state, "3_progress")
                self.assertEqual(self._run_cron(DAY).amount_total, 10.0)
                self.assertEqual(order.invoice_ids.payment_state, "not_paid")
                self.assertFalse(self._charges(order))
                transaction._process(
                    "demo",
                    {
                        "reference": transaction.reference,
                        "simulated_state": "done",
                        "manual_capture": True,
                    },
                )
                transaction._post_process()
                self.provider.capture_manually = False
                self.assertFirstPeriod(order, transaction, 10.0)
                self.assertSecondPeriod(order)

    def test_declined(self):
        for state in ("error", "cancel"):
            with self.subTest(state):
                self._add_on(self.month)
                self._pay(state)
                self.assertEqual(self.cart.state, "draft")
                self.assertEqual(self.cart.plan_id, self.month)
                self.assertFalse(self.cart.payment_token_id)
                self.assertFalse(self.cart.invoice_ids)

    # === PAYMENTS THAT SAVE NOTHING ===

    def _offered(self):
        """The providers that the payment page offers."""
        page = self.url_open("/shop/payment").text
        providers = self.env["payment.provider"].search([("state", "!=", "disabled")])
        return providers.filtered(lambda p: f'data-provider-id="{p.id}"' in page)

    def assertPaymentRefused(self, text="can be saved", **values):
        cart = self.cart
        for route in ("/shop/payment/transaction/%s", "/my/orders/%s/transaction"):
            params = self._payment_values(**values)
            self.assertIn(text, self._refusal(route % cart.id, **params))
        self.assertFalse(cart.transaction_ids)
        self.assertEqual(cart.state, "draft")

    def _create_wire_transfer(self):
        wire = self.env.ref("payment.payment_provider_transfer").copy(
            {"company_id": self.company.id}
        )
        wire.write({"state": "enabled", "is_published": True})
        return wire

    def test_wire_transfer(self):
        wire = self._create_wire_transfer()
        self._add(self.mug)
        self.assertEqual(self._offered(), self.provider | wire)
        self._add_on(self.month)
        self.assertEqual(self._offered(), self.provider)
        self.assertPaymentRefused(
            provider_id=wire.id,
            payment_method_id=wire.payment_method_ids[:1].id,
            flow="redirect",
        )

    def test_provider_that_saves_nothing(self):
        self.provider.allow_tokenization = False
        self._add_on(self.month)
        self.assertFalse(self._offered())
        self.assertPaymentRefused()
        self.assertPaymentRefused(tokenization_requested=True)

    def test_method_that_saves_nothing(self):
        self.provider.payment_method_ids.support_tokenization = False
        self._add_on(self.month)
        self.assertFalse(self._offered())
        self.assertPaymentRefused()

    def test_card_of_somebody_else(self):
        """A friend opens the link of the cart, and pays with a card of his own."""
        self._add_on(self.month)
        cart = self.cart
        self._create_customer("tom")
        self.authenticate("tom", "tom")
        refusal = self._refusal(
            f"/my/orders/{cart.id}/transaction", **self._payment_values()
        )
        self.assertIn("of its own customer", refusal)
        self.assertFalse(cart.transaction_ids)

    def test_express_checkout(self):
        self.provider.allow_express_checkout = True
        self.method.support_express_checkout = True
        button = f'data-provider-id="{self.provider.id}"'
        self._add(self.mug)
        self.assertIn(button, self.url_open("/shop/cart").text)
        self._add_on(self.month)
        self.assertNotIn(button, self.url_open("/shop/cart").text)

    def test_price_changed_in_the_cart(self):
        """What was shown is what is paid: the amount is that of the page."""
        self._add_on(self.month)
        params = self._payment_values(amount=1.0)
        refusal = self._refusal(f"/shop/payment/transaction/{self.cart.id}", **params)
        self.assertIn("refresh", refusal)

    # === WHAT COMES AFTER ===

    def test_renewal_is_not_the_cart(self):
        """Or the next visit to the shop would take it for an abandoned cart."""
        self._add_on(self.month)
        order = self.cart
        self._pay()
        order.prepare_renewal_order()
        self.assertFalse(order.renewal_id.website_id)
        self.authenticate("sam", "sam")
        self.assertIn("Your cart is empty", self.url_open("/shop/cart").text)
