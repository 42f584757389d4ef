from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestBackend(SubscriptionCase):
    """What the forms of the backend show, and where their buttons lead."""

    def _invoiced(self, start="2026-03-01", **values):
        order = self._create_subscription(start=start, **values)
        self._run_cron(start)
        return order

    def _upsell(self, order, day):
        with freeze_time(day):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line.product_uom_qty = 1
        return upsell

    # === UPSELL ===

    def test_upsell_says_which_days_it_charges(self):
        """Made on 11 March: 21 of the 31 days, 11 to 31 March."""
        upsell = self._upsell(self._invoiced(), "2026-03-11")
        summary = upsell.with_context(lang="en_US").upsell_summary
        self.assertIn("03/11/2026 to 03/31/2026, 21 of the 31 days", summary)
        self.assertIn("From 04/01/2026 on", summary)

    def test_other_orders_have_no_upsell_summary(self):
        self.assertFalse(self._invoiced().upsell_summary)

    def test_upsell_is_outdated_from_the_next_day_on(self):
        upsell = self._upsell(self._invoiced(), "2026-03-11")
        for day, outdated in (("2026-03-11", False), ("2026-03-12", True)):
            with self.subTest(day=day), freeze_time(day):
                upsell.invalidate_recordset(["is_upsell_outdated"])
                self.assertEqual(upsell.is_upsell_outdated, outdated)

    def test_updated_or_confirmed_upsell_is_not_outdated(self):
        upsell = self._upsell(self._invoiced(), "2026-03-11")
        with freeze_time("2026-03-12"):
            upsell.action_update_upsell_dates()
            self.assertFalse(upsell.is_upsell_outdated)
            upsell.action_confirm()
        with freeze_time("2026-03-13"):
            upsell.invalidate_recordset(["is_upsell_outdated"])
            self.assertFalse(upsell.is_upsell_outdated)

    # === SMART BUTTONS ===

    def test_mrr_counts_while_in_progress(self):
        order = self._invoiced()
        self.assertEqual(order.active_mrr, 10)
        order.pause_subscription()
        self.assertEqual(order.active_mrr, 0)
        order.resume_subscription()
        order.set_close()
        self.assertEqual(order.active_mrr, 0)

    def test_periods_count_but_released_ones(self):
        order = self._invoiced()
        self._run_cron("2026-04-01")
        self.assertEqual(order.subscription_period_count, 2)
        with freeze_time("2026-05-01"):
            order._create_invoices().button_cancel()
        order.invalidate_recordset(["subscription_period_count"])
        self.assertEqual(order.subscription_period_count, 2)

    def test_one_upsell_opens_several_are_listed(self):
        order = self._invoiced()
        first = self._upsell(order, "2026-03-11")
        self.assertEqual(order.upsell_count, 1)
        self.assertEqual(order.action_open_upsells()["res_id"], first.id)
        second = self._upsell(order, "2026-03-12")
        domain = order.action_open_upsells()["domain"]
        self.assertEqual(self.env["sale.order"].search(domain), second + first)

    def test_renewal_and_its_parent_lead_to_each_other(self):
        order = self._invoiced()
        with freeze_time("2026-03-20"):
            renewal = order._create_upsell_renew_order("2_renewal")
        self.assertEqual(order.action_open_renewal()["res_id"], renewal.id)
        self.assertEqual(renewal.action_open_parent_subscription()["res_id"], order.id)
        self.assertFalse(order.upsell_count)

    # === INVOICE ===

    def test_invoice_leads_to_its_subscription(self):
        order = self._invoiced()
        invoice = order.invoice_ids
        self.assertEqual(invoice.subscription_count, 1)
        self.assertEqual(invoice.action_open_subscriptions()["res_id"], order.id)

    def test_invoice_of_an_upsell_leads_to_the_subscription(self):
        order = self._invoiced()
        upsell = self._upsell(order, "2026-03-11")
        with freeze_time("2026-03-11"):
            upsell.action_confirm()
            invoice = upsell._create_invoices()
        self.assertEqual(invoice.action_open_subscriptions()["res_id"], order.id)

    def test_other_invoices_have_no_subscription(self):
        order = self._create_quotation(self.setup_fee, plan_id=False)
        order.action_confirm()
        self.assertFalse(order._create_invoices().subscription_count)

    # === CUSTOMER ===

    def test_subscriptions_of_a_company_and_its_contacts(self):
        """Two run, one for a contact; one is paused, one closed, one only offered."""
        company, contact, other = self.env["res.partner"].create(
            [{"name": "Company"}, {"name": "Contact"}, {"name": "Other"}]
        )
        contact.parent_id = company
        orders = self._create_subscription(partner_id=company.id)
        orders += self._create_subscription(partner_id=contact.id)
        orders += self._create_subscription(partner_id=company.id)
        orders[-1].pause_subscription()
        closed = self._create_subscription(partner_id=company.id)
        closed.set_close()
        quotation = self._create_quotation(partner_id=company.id)
        foreign = self._create_subscription(partner_id=other.id)
        orders += closed + quotation
        for partner, count, listed in (
            (company, 3, orders),
            (contact, 3, orders),
            (other, 1, foreign),
        ):
            with self.subTest(partner=partner.name):
                self.assertEqual(partner.subscription_count, count)
                domain = partner.action_open_subscriptions()["domain"]
                self.assertEqual(
                    set(self.env["sale.order"].search(domain)), set(listed)
                )

    def test_subscriptions_of_a_customer_are_for_sales(self):
        outsider = new_test_user(self.env, "backend_outsider", "base.group_user")
        partner = self.partner.with_user(outsider)
        self.assertNotIn("subscription_count", partner.fields_get())

    def test_salesperson_counts_own_subscriptions(self):
        seller = new_test_user(
            self.env, "backend_seller", "sales_team.group_sale_salesman"
        )
        customer = self.env["res.partner"].create({"name": "Customer of two"})
        self._create_subscription(partner_id=customer.id, user_id=seller.id)
        self._create_subscription(partner_id=customer.id, user_id=self.env.user.id)
        self.assertEqual(customer.subscription_count, 2)
        self.assertEqual(customer.with_user(seller).subscription_count, 1)

    # === LISTS ===

    def test_to_renew_is_what_ends_within_30_days(self):
        soon = self._create_subscription(end_date="2026-04-30")
        later = self._create_subscription(end_date="2026-05-01")
        open_ended = self._create_subscription()
        view = self.env.ref("sale_subscription.sale_subscription_view_search")
        with freeze_time("2026-03-31"):
            found = self.env["sale.order"].search(
                [
                    ("id", "in", (soon + later + open_ended).ids),
                    ("subscription_state", "in", ("3_progress", "4_paused")),
                    ("end_date", "<=", "today +30d"),
                ]
            )
        self.assertEqual(found, soon)
        self.assertIn("today +30d", view.arch)

    def test_periods_by_customer(self):
        order = self._invoiced()
        groups = self.env["sale.subscription.period"]._read_group(
            [("subscription_id", "=", order.id)], ["partner_id"], ["__count"]
        )
        self.assertEqual(groups, [(self.partner, 1)])
        self.assertEqual(order.subscription_period_ids.amount_untaxed, 10)

    def test_movement_leads_to_its_order_for_who_may_see_orders(self):
        order = self._create_subscription()
        log = order.sale_order_log_ids
        accountant = new_test_user(
            self.env, "backend_accountant", "account.group_account_invoice"
        )
        self.assertEqual(log.action_open_order()["res_id"], order.id)
        self.assertFalse(log.with_user(accountant).action_open_order())

    # === INVOICES ===

    def test_only_invoices_that_the_user_reads_are_counted_and_opened(self):
        """Who took a subscription over from a colleague got an access error."""
        colleague, seller = (
            new_test_user(self.env, login, "sales_team.group_sale_salesman")
            for login in ("backend_colleague", "backend_seller")
        )
        order = self._invoiced(user_id=colleague.id)
        self.assertEqual(order.invoice_ids.invoice_user_id, colleague)
        order.user_id = seller
        with freeze_time("2026-04-01"):
            order._create_recurring_invoice()
        second = order.invoice_ids.filtered(lambda x: x.invoice_user_id == seller)
        self.assertEqual(order.subscription_invoice_count, 2)
        seen = order.with_user(seller)
        self.assertEqual(seen.subscription_invoice_count, 1)
        self.assertEqual(seen.action_view_subscription_invoices()["res_id"], second.id)

    def test_a_period_with_a_draft_invoice_is_not_offered(self):
        """The button was shown while the draft waited, and said that nothing is due."""
        order = self._create_subscription(start="2026-03-01")
        with freeze_time("2026-03-01"):
            self.assertTrue(order.is_period_due)
            order._create_invoices()
            order.invalidate_recordset(["is_period_due"])
            self.assertFalse(order.is_period_due)
            with self.assertRaisesRegex(UserError, "has a draft invoice from"):
                order.action_create_recurring_invoice()
            order.invoice_ids.action_post()
            order.invalidate_recordset(["is_period_due"])
            self.assertFalse(order.is_period_due)
            with self.assertRaisesRegex(UserError, "No period of .* is due"):
                order.action_create_recurring_invoice()
