from datetime import timedelta
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.sale_subscription.controllers.portal import CustomerPortal

from .portal_common import PortalCase


@tagged("post_install", "-at_install")
class TestPortalList(PortalCase):
    def setUp(self):
        super().setUp()
        self._sign_in(self.ann)

    def _listed(self, **params):
        page = self.url_open("/my/subscriptions", params=params)
        self.assertEqual(page.status_code, 200)
        orders = self.env["sale.order"].search([("partner_id", "!=", False)])
        return orders.filtered(lambda o: f'/my/subscriptions/{o.id}"' in page.text)

    def _count(self):
        values = self.make_jsonrpc_request(
            "/my/counters", {"counters": ["subscription_count"]}
        )
        return values["subscription_count"]

    def test_home_has_a_tile(self):
        page = self._get("/my")
        self.assertIn("Your Subscriptions", page.text)
        self.assertIn('data-placeholder_count="subscription_count"', page.text)
        self.assertEqual(self._count(), 1)

    def test_others_do_not_count_them(self):
        self._sign_in(self.bob)
        self.assertEqual(self._count(), 0)
        self.assertIn("You have no subscriptions", self._get("/my/subscriptions").text)

    def test_own_ones_and_those_of_colleagues(self):
        mine = self._create_subscription(partner_id=self.ann.partner_id.id)
        theirs = self._create_subscription(partner_id=self.bob.partner_id.id)
        self.assertEqual(self._listed(), self.order | mine)
        self._sign_in(self.bob)
        self.assertEqual(self._listed(), theirs)

    def test_quotations_and_upsells_are_none(self):
        self._create_quotation()
        self.order._create_upsell_renew_order("7_upsell")
        self.order._create_upsell_renew_order("2_renewal")
        self._create_quotation(self.setup_fee, plan_id=False).action_confirm()
        self.assertEqual(self._listed(), self.order)
        self.assertEqual(self._count(), 1)

    def test_upsell_once_confirmed_is_none_either(self):
        upsell = self.order._create_upsell_renew_order("7_upsell")
        upsell.order_line.product_uom_qty = 1
        upsell.action_confirm()
        self.assertEqual(self._listed(), self.order)

    def test_filters(self):
        paused = self._create_invoiced()
        paused.pause_subscription()
        closed = self._create_invoiced()
        closed.set_close()
        renewed = self._create_invoiced()
        renewal = renewed._create_upsell_renew_order("2_renewal")
        renewal.action_confirm()
        running = self.order | paused | renewal
        self.assertEqual(self._listed(filterby="in_progress"), running)
        self.assertEqual(self._listed(filterby="closed"), closed | renewed)
        self.assertEqual(self._listed(filterby="all"), running | closed | renewed)

    def test_sorted_by_next_invoice_what_runs_first(self):
        later = self._create_subscription(start=str(self.today + timedelta(days=9)))
        sooner = self._create_subscription(start=str(self.today))
        closed = self._create_subscription()
        closed.set_close()
        text = self._get("/my/subscriptions").text
        order = sooner, self.order, later, closed
        places = [text.index(f'/my/subscriptions/{o.id}"') for o in order]
        self.assertEqual(places, sorted(places))

    def test_unknown_sorting_and_filter_show_all(self):
        for params in ({"sortby": "name"}, {"sortby": "date"}, {"sortby": "; drop"}):
            self.assertEqual(self._listed(**params), self.order)
        self.assertEqual(self._listed(filterby="none"), self.order)

    def test_pages(self):
        orders = self.order | self._create_subscription() | self._create_subscription()
        with patch.object(CustomerPortal, "_items_per_page", 2):
            first = self._listed(sortby="name")
            text = self._get("/my/subscriptions/page/2", sortby="name").text
        self.assertEqual(len(first), 2)
        [last] = orders - first
        self.assertIn(f'/my/subscriptions/{last.id}"', text)
        self.assertNotIn(f'/my/subscriptions/{first[0].id}"', text)

    def test_not_without_signing_in(self):
        self._sign_in(None)
        self.assertIn("/web/login", self._get("/my/subscriptions").url)

    def test_names_are_text(self):
        self.fee.name = "<b onclick='x()'>Fee</b>"
        text = self._get("/my/subscriptions").text
        self.assertNotIn("<b onclick", text)
        self.assertIn("&lt;b onclick", text)


@tagged("post_install", "-at_install")
class TestPortalPage(PortalCase):
    def setUp(self):
        super().setUp()
        self._sign_in(self.ann)

    def test_facts_of_a_running_one(self):
        page = self._page()
        self.assertEqual(page["plan"], ["Plan: Gold (invoiced every 1 Week)"])
        self.assertIn("state_progress", page)
        self.assertEqual(page["start"], [f"Started on: {self._show(self.start)}"])
        last_day = self._show(self.today + timedelta(days=3))
        self.assertEqual(
            page["current_period"],
            [f"Invoiced Period: {self._show(self.start)} – {last_day}"],
        )
        self.assertEqual(
            page["next_invoice"], [f"Next Invoice: {self._show(self.next_date)}"]
        )
        self.assertNotIn("end", page)

    def test_amounts(self):
        """10 + 2 x 20 = 50, and 15 % tax of the 40: 56 per week, 243.50 per month."""
        tax = self.env["account.tax"].create({"name": "15 %", "amount": 15})
        seat = self._create_product(
            name="Seat", list_price=20, taxes_id=[Command.set(tax.ids)]
        )
        order = self._create_invoiced(self.fee, seat, self.setup_fee, self.hours)
        order.order_line[1].product_uom_qty = 2
        page = self._page(order)
        self.assertEqual(page["amount_per_period"], ["$ 56.00"])
        self.assertEqual(page["period_text"], ["per week, plus your usage"])
        self.assertEqual(
            page["recurring_line"],
            ["Base fee 1.00 $ 10.00 $ 10.00", "Seat 2.00 $ 20.00 $ 40.00"],
        )
        self.assertEqual(
            page["measured_line"], ["Hours as used $ 3.00 invoiced afterwards"]
        )
        self.assertEqual(page["one_off_line"], ["Setup 1.00 $ 40.00"])
        self.assertIn("$ 50.00", page["untaxed"][0])
        self.assertIn("$ 6.00", page["tax"][0])
        self.assertIn("$ 56.00", page["total"][0])
        # 30.436875 / 7 weeks
        self.assertEqual(page["monthly"], ["Total $ 243.50 per month"])

    def test_invoices(self):
        [shown] = self._page()["invoice"]
        self.assertIn(self.invoice.name, shown)
        self.assertIn("$ 10.00", shown)
        self.assertIn("Pay", shown)

    def test_paid_invoice(self):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        ).create({})._create_payments()
        [shown] = self._page()["invoice"]
        self.assertIn("Pa", self.invoice.payment_state.title())
        self.assertNotIn("To Pay", shown)
        self.assertNotIn("pay_first", self._page())

    def test_drafts_and_cancelled_invoices_are_not_shown(self):
        self.plan.invoice_posting = "draft"
        order = self._create_invoiced()
        self.assertEqual(order.invoice_ids.state, "draft")
        self.assertNotIn("invoice", self._page(order))
        order.invoice_ids.button_cancel()
        self.assertNotIn("invoice", self._page(order))

    def test_invoices_of_upsells_belong_to_it(self):
        upsell = self.order._create_upsell_renew_order("7_upsell")
        upsell.order_line.product_uom_qty = 7
        upsell.action_confirm()
        upsell._create_recurring_invoice()
        # 7 more for 4 of 7 days
        shown = self._page()["invoice"]
        self.assertEqual(len(shown), 2)
        self.assertIn(upsell.invoice_ids.name, shown[0])
        self.assertIn("$ 40.00", shown[0])

    def test_many_invoices_are_shown_on_demand(self):
        with patch(
            "odoo.addons.sale_subscription.controllers.portal.INVOICES_SHOWN", 0
        ):
            page = self._page()
            self.assertNotIn("invoice", page)
            self.assertEqual(page["all_invoices"], ["Show older invoices (1)"])
            self.assertEqual(len(self._page(invoices="all")["invoice"]), 1)

    def test_paused_one(self):
        self.order.pause_subscription(self.today + timedelta(days=9))
        page = self._page()
        self.assertIn("state_paused", page)
        self.assertEqual(page["paused_on"], [f"Paused on: {self._show(self.today)}"])
        resumed = self._show(self.today + timedelta(days=9))
        self.assertEqual(page["resumes_on"], [f"Resumes on: {resumed}"])
        self.assertEqual(
            page["next_invoice"], ["Next Invoice: none while it is paused"]
        )

    def test_closed_one(self):
        self.order.set_close(self.reason.id)
        page = self._page()
        self.assertIn("state_closed", page)
        self.assertEqual(page["end"], [f"Ended on: {self._show(self.today)}"])
        self.assertEqual(page["close_reason"], ["Reason: Too expensive"])
        self.assertNotIn("next_invoice", page)

    def test_renewed_one_leads_on(self):
        renewal = self.order._create_upsell_renew_order("2_renewal")
        renewal.action_confirm()
        page = self._page()
        self.assertIn("state_renewed", page)
        self.assertIn(renewal.name, page["renewed_by"][0])
        self.assertIn(self._show(self.next_date), page["renewed_by"][0])
        self.assertIn("state_progress", self._page(renewal))

    def test_end_inside_a_period(self):
        self.order.end_date = self.next_date + timedelta(days=2)
        page = self._page()
        self.assertIn("(for 2 of 7 days)", page["next_invoice"][0])
        self.order.end_date = self.next_date
        page = self._page()
        self.assertEqual(page["next_invoice"], ["Next Invoice: none before it ends"])

    def test_texts_are_escaped(self):
        self.order.order_line.name = "<script>alert(1)</script>"
        self.order.client_order_ref = "<img src=x onerror=alert(2)>"
        text = self._get(self.url, message="<i>hello</i>").text
        self.assertIn("&lt;script&gt;alert(1)", text)
        self.assertIn("&lt;img src=x", text)
        self.assertNotIn("<i>hello", text)

    def test_as_a_document(self):
        page = self._get(self.url, report_type="html")
        self.assertEqual(page.status_code, 200)
        self.assertIn(self.order.name, page.text)

    def test_page_of_the_order_leads_to_it(self):
        text = self._get(f"/my/orders/{self.order.id}").text
        self.assertIn(self.url, text)
        self.assertIn("Gold", text)

    def test_page_of_an_upsell_says_what_is_charged(self):
        upsell = self.order._create_upsell_renew_order("7_upsell")
        upsell.order_line.product_uom_qty = 7
        upsell.action_quotation_sent()
        page = self._read(self._get(f"/my/orders/{upsell.id}"))
        self.assertIn("4 of the 7 days", page["upsell_note"][0])
        self.assertIn(self._show(self.next_date), page["upsell_note"][0])
