from odoo.tests import new_test_user, tagged

from .settled import SettledCase


@tagged("post_install", "-at_install")
class TestLifeGoesOn(SettledCase):
    """Billing once stopped, or went wrong, when people did something ordinary."""

    def setUp(self):
        super().setUp()
        self.order = self.subscribe()

    def _used(self, quantity, start, **values):
        """It is noon of that day, and so much has been used."""
        self.at(f"{start} 12:00:00")
        self.use(quantity, start, **values)

    def _windows(self, order=None):
        windows = (order or self.order).fc_window_ids.sorted("start")
        return windows.mapped(lambda w: (str(w.first_day), str(w.end_day), w.kind))

    def test_a_price_that_was_rated_is_archived(self):
        """The line's text looked for its price: no invoice, not even the base fee."""
        self._used(150, "2026-01-10")
        self.rate()
        self.charge.active = False
        self.day("2026-02-01 09:00:00")
        self.assertFalse(self.order.fc_rating_error)
        self.assertEqual((len(self.documents()), self.net()), (2, 0.0))
        usage = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id)]
        )
        self.assertTrue(usage.unallocated)

    def test_the_product_of_a_charge_is_changed_after_an_invoice(self):
        """Odoo refuses another product on a line that was invoiced: billing stopped."""
        self._used(200, "2026-01-10")
        self.day("2026-02-01 09:00:00")
        self.charge.product_id = self._create_product(name="Usage, new account")
        self._used(101, "2026-02-10")
        self.day("2026-03-01 09:00:00")
        # January 100 x 0.50 on the old product, February 1 x 0.50 on the new one
        amounts = {
            line.product_id: line.price_subtotal
            for line in self.documents().invoice_line_ids
            if line.product_id != self.base_product
        }
        self.assertEqual(
            amounts, {self.usage_product: 50.0, self.charge.product_id: 0.5}
        )

    def test_a_salesman_closes_a_subscription(self):
        """Without rights on Fusion Billing: its ratings were read in his name."""
        self._used(150, "2026-01-10")
        self.at("2026-01-20 12:00:00")
        salesman = new_test_user(
            self.env,
            "sample-salesman",
            groups="sales_team.group_sale_salesman_all_leads",
        )
        self.order.with_user(salesman).set_close()
        self.assertEqual(self.net(), 25.0)

    def test_one_that_no_invoice_can_carry_stops_no_other(self):
        """9e12 calls above the quota: shown on that one, the other is billed."""
        other = self.subscribe()
        self._used("18000000000000", "2026-01-10")
        self._used(150, "2026-01-10", order=other)
        self.at("2026-01-20 12:00:00")
        (self.order | other).pause_subscription()
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.net(), 25.0)
        self.assertIn("more than an invoice can hold", self.order.fc_rating_error)
        self.assertFalse(other.fc_rating_error)

    def test_an_end_date_is_entered_late_and_taken_back(self):
        """The window stayed in two, each with a quota of its own."""
        self.day("2026-02-01 09:00:00")
        self._used(90, "2026-02-10")
        self._used(90, "2026-02-22")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 40.0)  # 80 x 0.50
        self.at("2026-03-10 09:00:00")
        self.order.end_date = "2026-02-15"
        self.order.end_date = False
        self.day("2026-04-01 09:00:00")
        self.assertEqual(self.net(), 40.0)
        self.assertIn(("2026-02-01", "2026-03-01", "billing"), self._windows())

    def test_an_end_date_that_is_moved_and_taken_back(self):
        self._used(150, "2026-01-10")
        self.at("2026-01-22 09:00:00")
        for day in ("2026-01-25", "2026-01-24", False):
            self.order.end_date = day
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self._windows()[:1], [("2026-01-01", "2026-02-01", "billing")])
        self.assertEqual(self.net(), 25.0)

    def test_late_usage_of_a_former_customer(self):
        """Who paid depended on whether the rating job came before the invoice."""
        self._used(150, "2026-01-10")
        self.day("2026-02-01 09:00:00")
        other = self.env["res.partner"].create({"name": "Sample Customer, later"})
        self._create_link(external_id="acc-later", partner_id=other.id)
        self.at("2026-02-05 09:00:00")
        self.order.partner_id = other
        self.use(14, "2026-01-20")  # 14 x 0.50
        self._used(106, "2026-02-10")  # 6 x 0.50
        self.at("2026-03-01 09:00:00")
        self.env["sale.order"]._create_recurring_invoice(automatic=True)
        self.day("2026-03-02 09:00:00")
        later = self.env["account.move"].search([("partner_id", "=", other.id)])
        self.assertEqual((self.net(), self.net(later)), (32.0, 3.0))

    def test_late_usage_of_the_same_customer_after_a_break(self):
        """Cancelled and confirmed again on 20 January; 10 calls of the 11th come late.

        The quota was used up by then: 5.00, with the next invoice, not apart from it.
        """
        self.order = self.subscribe()
        self.at("2026-01-10 12:00:00")
        self.use(150, "2026-01-10")
        self.at("2026-01-20 12:00:00")
        self.order._action_cancel()
        self.order.action_draft()
        self.order.action_confirm()
        self.at("2026-01-25 12:00:00")
        self.use(10, "2026-01-11")
        self.day("2026-01-26 09:00:00")
        self.assertEqual(self.usage_documents(), [("out_invoice", 25.0)])
        self.day("2026-02-20 09:00:00")
        self.assertEqual(self.net(), 30.0)

    def test_taken_off_a_draft_and_renewed(self):
        """What finance has left to bill is shown beside what is billed apart.

        January's 50.00 were taken off a draft; the order was renewed, and the rating
        job came for its February, which has no usage.
        """
        self._leave_a_draft()
        self.usage_lines(self.documents("draft")).unlink()
        self.post_drafts()
        self.at("2026-02-20 09:00:00")
        self.renew()
        self.day("2026-03-01 09:00:00")
        line = self.order.order_line.filtered("fc_charge_id")
        self.assertEqual(line.price_unit, 50.0)
        self.assertFalse(self.env["fusion.billing.audit"]._run().finding_ids)
        self.order.action_fc_invoice_open_usage()
        self.assertEqual(self.net(), 50.0)
        self.assertEqual(line.price_unit, 0.0)

    def test_taken_off_a_draft_and_its_price_archived(self):
        """It was billed by nothing any more, and not told as unallocated.

        January's 50.00 were taken off a draft, which was posted. The price was archived
        before they were billed anew; then there is a price again.
        """
        self._leave_a_draft()
        self.usage_lines(self.documents("draft")).unlink()
        self.post_drafts()
        self.day("2026-02-03 09:00:00")
        usage = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id)]
        )
        self.assertFalse(usage.unallocated)
        self._archive("2026-02-04 09:00:00")
        self.day("2026-02-05 09:00:00")
        self.assertTrue(usage.unallocated)
        self.assertFalse(self.env["fusion.billing.audit"]._run().finding_ids)
        self.charge.active = True
        self.day("2026-02-06 09:00:00")
        self.assertFalse(usage.unallocated)
        self.month("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)

    def test_a_renewal_of_what_has_no_window_of_its_own_left(self):
        """Renewed before its first period was invoiced; its usage was nobody's."""
        order = self._create_order(start_date="2026-01-01")
        order.action_confirm()
        self._used(150, "2026-01-03", order=order)
        action = order.prepare_renewal_order()
        renewal = self.env["sale.order"].browse(action["res_id"])
        renewal.start_date = "2026-01-01"  # else the old one bills what is due first
        renewal.action_confirm()
        self.day("2026-01-05 09:00:00")
        self.day("2026-02-01 09:00:00")
        self.assertEqual(renewal.fc_rating_ids.mapped("amount"), [25.0])

    def test_a_renewal_of_what_is_due(self):
        """The old one bills its first period, and the usage of it, once."""
        order = self._create_order(start_date="2026-01-01")
        order.action_confirm()
        self._used(150, "2026-01-03", order=order)
        renewal = self.renew(order)
        self.assertEqual(str(renewal.start_date), "2026-02-01")
        self.day("2026-01-05 09:00:00")
        self.day("2026-02-01 09:00:00")
        self.assertEqual(order.fc_rating_ids.mapped("amount"), [25.0])
        self.assertEqual(order.fc_rating_ids.mapped("state"), ["invoiced"])
        self.assertFalse(renewal.fc_rating_ids.filtered("amount"))

    def test_two_weeks_of_the_calendar(self):
        """Where invoices were missed, windows were weeks: each had a quota."""
        plan = self._create_plan(
            name="Fortnight",
            billing_period_value=2,
            billing_period_unit="week",
            billing_first_day=True,
        )
        self._create_charge(plan_id=plan.id)
        self.at("2026-01-05 08:00:00")  # a Monday
        order = self._create_order(start_date="2026-01-05", plan_id=plan.id)
        order.action_confirm()
        self._used(80, "2026-01-06", order=order)
        self._used(80, "2026-01-14", order=order)
        self.day("2026-02-01 09:00:00")
        # one window from the 5th to the 19th: 60 x 0.50
        self.assertEqual(
            self._windows(order)[:1], [("2026-01-05", "2026-01-19", "billing")]
        )
        self.assertEqual(self.net(), 30.0)
