"""Each override of this module ran, and what it changed counted."""

from datetime import date

from freezegun import freeze_time

from odoo.tests import Form, tagged

from odoo.addons.sale_subscription.tests.common import SubscriptionCase

from ..calls import calls


@tagged("post_install", "-at_install")
class TestSubscriptionNames(SubscriptionCase):
    def setUp(self):
        super().setUp()
        calls.clear()

    def assertCalled(self, *names):
        self.assertEqual([name for name in names if not calls[name]], [])

    def invoices(self, order):
        return order.order_line.invoice_lines.move_id.sorted("id")

    # -- the scheduled run -----------------------------------------------------

    def test_run(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        invoice = self.invoices(order)
        self.assertEqual(invoice.ref, "seen by names")
        self.assertEqual((invoice.state, invoice.amount_untaxed), ("posted", 10.0))
        self.assertCalled(
            "_cron_recurring_create_invoice",
            "_create_recurring_invoice",
            "_process_auto_invoice",
            "_is_subscription_line_to_invoice",
            "_get_invoice_line_parameters",
            "recurring_automatic in _get_invoiceable_lines",
            "recurring_automatic in _post",
        )

    def test_create_invoice_by_hand_is_not_automatic(self):
        order = self._create_subscription()
        with freeze_time("2026-01-01"):
            order._create_invoices()._post()
        self.assertFalse([name for name in calls if name.startswith("recurring_auto")])

    def test_one_of_a_batch_stays_in_draft(self):
        orders = self._create_subscription()
        orders |= self._create_subscription(note_of_names="draft")
        orders |= self._create_subscription()
        self._run_cron("2026-01-01")
        self.assertEqual(
            [self.invoices(order).state for order in orders],
            ["posted", "draft", "posted"],
        )
        self.assertEqual(calls["_process_auto_invoice"], 3)
        self.assertDates(orders[0], "2026-01-01", "2026-02-01")
        self.assertDates(orders[1], None, "2026-01-01")

    def test_keys_say_who_shares_an_invoice(self):
        self.env["ir.config_parameter"].set_param(
            "sale_subscription.invoice_consolidation", "True"
        )
        orders = self.env["sale.order"]
        for note in ("a", "b", "a"):
            orders |= self._create_subscription(note_of_names=note)
        self._run_cron("2026-01-01")
        amounts = [self.invoices(order).amount_untaxed for order in orders]
        self.assertEqual(amounts, [20.0, 10.0, 20.0])
        self.assertEqual(self.invoices(orders[0]), self.invoices(orders[2]))
        self.assertDates(orders[2], "2026-01-01", "2026-02-01")
        self.assertCalled("_get_auto_invoice_grouping_keys")

    # -- lines -----------------------------------------------------------------

    def test_two_periods_at_once(self):
        twice = self._create_product(default_code="TWO PERIODS", list_price=10.0)
        order = self._create_subscription(twice)
        self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        invoice = self.invoices(order)
        self.assertEqual(invoice.amount_untaxed, 20.0)
        self.assertIn("01/01/2026 to 02/28/2026", invoice.invoice_line_ids.name)
        self.assertDates(order, "2026-01-01", "2026-03-01")
        self._run_cron("2026-03-01")
        self.assertEqual(len(self.invoices(order)), 2)
        self.assertDates(order, "2026-03-01", "2026-05-01")

    def test_ordered_and_postpaid(self):
        """January is charged on 1 February. Closed on 10 February: 9 of 28 days of
        10.00 are 3.21."""
        after = self._create_product(default_code="AFTERWARDS", list_price=10.0)
        order = self._create_subscription(after)
        self._run_cron("2026-01-01")
        self.assertFalse(self.invoices(order))
        self.assertEqual(order.recurring_monthly, 0)
        self._run_cron("2026-02-01")
        january = self.invoices(order)
        self.assertEqual(january.amount_untaxed, 10.0)
        self.assertIn("01/01/2026 to 01/31/2026", january.invoice_line_ids.name)
        with freeze_time("2026-02-10"):
            order.set_close()
            february = order._create_invoices()
            self.assertEqual(february.amount_untaxed, 3.21)
            self.assertIn("02/01/2026 to 02/09/2026", february.invoice_line_ids.name)
            self.assertEqual(order.order_line.qty_to_invoice, 0)
        self.assertCalled("_is_postpaid_line")

    def test_line_that_is_not_to_be_invoiced(self):
        never = self._create_product(default_code="NEVER", list_price=7.0)
        order = self._create_subscription(self.fee, never)
        self._run_cron("2026-01-01")
        self.assertEqual(self.invoices(order).amount_untaxed, 10.0)

    # -- amounts and dates -----------------------------------------------------

    def test_recurring_total_makes_the_mrr(self):
        order = self._create_quotation(note_of_names="dearer")
        self.assertEqual((order.recurring_total, order.recurring_monthly), (110, 110))
        order = self._create_quotation()
        self.assertEqual((order.recurring_total, order.recurring_monthly), (10, 10))

    def test_mrr_change(self):
        order = self._create_subscription()
        self.assertFalse(calls["_create_mrr_change_log"])
        with freeze_time("2026-01-10"):
            order.order_line.product_uom_qty = 3
            again = self.env["sale.order.log"]._create_mrr_change_log(
                order, {"recurring_monthly": 10}
            )
        self.assertFalse(again)
        self.assertEqual(order.client_order_ref, "10")
        self.assertLog(order, ("new", 10.0), ("expansion", 20.0))

    def test_dates_that_a_module_proposes(self):
        order = self._create_quotation(note_of_names="dates")
        self.assertEqual(str(order.start_date), "2026-01-05")
        self.assertEqual(str(order.next_invoice_date), "2026-03-01")
        order.action_confirm()
        self.assertEqual(str(order.start_date), "2026-01-05")
        self._run_cron("2026-02-28")
        self.assertFalse(self.invoices(order))
        self._run_cron("2026-03-01")
        self.assertDates(order, "2026-03-01", "2026-04-01")

    def test_end_that_a_module_sets(self):
        order = self._create_subscription(note_of_names="ends")
        self.assertEqual(str(order.end_date), "2026-01-11")
        order = self._create_subscription(end_date="2026-05-01")
        self.assertEqual(str(order.end_date), "2026-05-01")

    # -- life cycle ------------------------------------------------------------

    def test_close_and_open(self):
        order = self._create_subscription()
        order.set_close()
        self.assertEqual(order.kind_of_state, "closed")
        order.set_open()
        self.assertEqual(order.kind_of_state, "progress")
        order.pause_subscription()
        order.resume_subscription()
        self.assertEqual((calls["set_close"], calls["set_open"]), (1, 2))

    def test_resumed_by_itself(self):
        order = self._create_subscription()
        with freeze_time("2026-01-05"):
            order.pause_subscription(date(2026, 1, 20))
        with freeze_time("2026-01-22"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertEqual(calls["set_open"], 1)

    def test_renewal_and_upsell(self):
        order = self._create_subscription()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-10"):
            action = order.prepare_upsell_order()
            upsell = order.browse(action["res_id"])
            self.assertEqual(upsell.order_line.name, "Base fee, again")
            self.assertEqual(upsell.kind_of_state, "other")
            action = order.prepare_renewal_order()
            renewal = order.browse(action["res_id"])
            self.assertEqual(renewal.kind_of_state, "draft")
            self.assertEqual(renewal.order_line.name, "Base fee, again")
            renewal.action_confirm()
        self.assertEqual(order.subscription_state, "5_renewed")
        self.assertEqual(calls["set_close renew"], 1)
        self.assertEqual(calls["_prepare_upsell_renew_order_values"], 2)
        self.assertCalled("prepare_upsell_order")

    def test_expired_and_unpaid(self):
        self.plan.auto_close_limit = 5
        orders = self._create_subscription()
        orders |= self._create_subscription(note_of_names="patient")
        orders |= self._create_subscription(end_date="2026-02-01")
        self._run_cron("2026-01-01")
        with freeze_time("2026-02-01"):
            self.env["sale.order"]._cron_subscription_expiration()
        self.assertEqual(
            orders.mapped("subscription_state"), ["6_churn", "3_progress", "6_churn"]
        )
        # unpaid, too, so the override left it to that
        self.assertEqual(
            orders[2].close_reason_id,
            self.env.ref("sale_subscription.close_reason_unpaid"),
        )
        self.assertCalled("_get_expired_subscriptions", "_handle_unpaid_subscriptions")

    def test_price(self):
        template = self.fee.product_tmpl_id
        item = self.env["product.pricelist.item"].create(
            {
                "plan_id": self.plan.id,
                "applied_on": "1_product",
                "product_tmpl_id": template.id,
                "compute_price": "fixed",
                "fixed_price": 8.0,
                "min_quantity": 5,
            }
        )
        pricing = template._get_recurring_pricing
        none = self.env["product.pricelist"]
        self.assertFalse(pricing(none, plan_id=self.plan.id))
        self.assertEqual(pricing(none, plan_id=self.plan.id, quantity=5), item)

    # -- views -----------------------------------------------------------------

    def test_anchors(self):
        for xmlid, fields in (
            ("sale_subscription_order_view_form", ["note_of_names", "kind_of_state"]),
            ("sale_subscription_primary_form_view", ["Of the subscription menu"]),
            ("sale_subscription_view_tree", ["note_of_names"]),
            ("sale_subscription_view_search", ["of_names"]),
            ("sale_subscription_close_reason_view_form", ["Offered"]),
        ):
            view = self.env.ref(f"sale_subscription.{xmlid}")
            view_type = view.type
            base = view if view.mode == "primary" else view.inherit_id
            arch = self.env[view.model].get_view(base.id, view_type)["arch"]
            for text in fields:
                self.assertIn(text, arch, xmlid)

    def test_label_where_an_order_is_paid(self):
        form = self.env.ref("payment.method_form")
        self.assertIn("label_of_names", form.get_combined_arch())

    def test_form(self):
        form = Form(self.env["sale.order"])
        form.partner_id = self.partner
        form.note_of_names = "dates"
        form.plan_id = self.plan
        self.assertEqual(str(form.next_invoice_date), "2026-03-01")
        form.next_invoice_date = "2026-04-01"
        order = form.save()
        self.assertEqual(str(order.next_invoice_date), "2026-04-01")
