from odoo.tests import tagged

from .life_documents import DocumentCase


@tagged("post_install", "-at_install")
class TestGaps(DocumentCase):
    """Time that nobody bills: between a pause or closing, and going on later.

    Paused or closed on 20 January, going on on 15 March: the gap is from 1 February,
    where the window ends that was paid for, to 15 March. The next window is 15 March to
    1 April.
    """

    def _use_before_the_gap(self):
        self.use(120, "2026-01-10", "a")  # 20 x 0.50 = 10.00

    def _goes_on(self, stop, go):
        self._use_before_the_gap()
        self.at("2026-01-20 09:00:00", stop)
        self.days("2026-01-21 09:00:00", "2026-02-01 09:00:00", "2026-03-01 09:00:00")
        self.use(300, "2026-03-05", "between")  # would be 200 x 0.50 = 100.00
        self.at("2026-03-15 09:00:00", go)

    # -- a pause -----------------------------------------------------------------

    def test_usage_between_a_pause_and_going_on_inside_a_later_period(self):
        self._goes_on(self.order.pause_subscription, self.order.resume_subscription)
        self.days("2026-03-15 10:00:00", "2026-04-01 09:00:00")
        self.assertEqual(self.net(), 10.0)
        self.assertEqual(self.unallocated(), 300.0)

    def test_usage_after_going_on_has_a_quota_of_its_own(self):
        self._goes_on(self.order.pause_subscription, self.order.resume_subscription)
        self.use(110, "2026-03-20", "after")
        self.days("2026-03-21 09:00:00", "2026-04-01 09:00:00")
        # January 10.00; 110 - 100 = 10 x 0.50 = 5.00
        self.assertEqual(self.net(), 15.0)

    def test_usage_of_the_gap_that_comes_after_it(self):
        self._goes_on(self.order.pause_subscription, self.order.resume_subscription)
        answer = self.use(7, "2026-03-14 23:59:59", "late", now="2026-03-20 00:00:00")
        self.assertEqual(answer, {"status": "accepted", "unallocated": True})
        answer = self.use(7, "2026-03-15 00:00:00", "first", now="2026-03-20 00:00:00")
        self.assertEqual(answer, {"status": "accepted"})

    def test_usage_of_the_paused_window_that_comes_after_the_gap(self):
        self._goes_on(self.order.pause_subscription, self.order.resume_subscription)
        self.use(30, "2026-01-25", "late", now="2026-03-20 00:00:00")
        self.days("2026-03-21 09:00:00", "2026-04-01 09:00:00")
        self.assertEqual(self.net(), 25.0)  # 150 - 100 = 50 x 0.50

    def test_usage_of_the_paused_window_is_billed_at_its_end(self):
        """Not only when the subscription goes on: it may never."""
        self._use_before_the_gap()
        self.at("2026-01-20 09:00:00", self.order.pause_subscription)
        self.use(30, "2026-01-25", "b")
        self.day("2026-01-31 09:00:00")
        self.assertEqual(self.net(), 0.0)
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.net(), 25.0)  # 150 - 100 = 50 x 0.50
        self.assertEqual(self.net_total(), 35.0)  # January's base fee, and no other

    def test_a_pause_inside_one_window_is_no_gap(self):
        self._use_before_the_gap()
        self.at("2026-01-15 09:00:00", self.order.pause_subscription)
        self.use(20, "2026-01-18", "b")
        self.at("2026-01-20 09:00:00", self.order.resume_subscription)
        self.use(10, "2026-01-25", "c")
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.net(), 25.0)  # 150 - 100 = 50 x 0.50

    def test_paused_before_the_first_invoice(self):
        """Nothing was invoiced yet; its first window is January all the same."""
        partner = self.env["res.partner"].create({"name": "Sample B"})
        self._create_link(external_id="acc-b", partner_id=partner.id)
        order = self._create_subscription(job=False, partner_id=partner.id)
        self.at("2026-01-01 08:30:00", order.pause_subscription)
        self.use(300, "2026-02-10", "between", order=order)
        self.at("2026-03-15 09:00:00", order.resume_subscription)
        self.partner = partner
        self.days("2026-03-15 10:00:00", "2026-04-01 09:00:00")
        self.assertEqual(self.net(order), 0.0)
        self.assertEqual(self.unallocated(order), 300.0)

    # -- a closing ---------------------------------------------------------------

    def test_usage_between_a_closing_and_reopening_inside_a_later_period(self):
        self._goes_on(self.order.set_close, self.order.set_open)
        self.days("2026-03-15 10:00:00", "2026-04-01 09:00:00")
        self.assertEqual(self.net(), 10.0)
        self.assertEqual(self.unallocated(), 300.0)

    def test_closed_by_the_app_and_reopened_by_people(self):
        self._use_before_the_gap()
        self.cancel("2026-01-20 09:00:00")
        self.use(300, "2026-03-05", "between")
        self.at("2026-03-15 09:00:00", self.order.set_open)
        self.use(110, "2026-03-20", "after")
        self.days("2026-03-21 09:00:00", "2026-04-01 09:00:00")
        self.assertEqual(self.net(), 15.0)  # 10.00 + 10 x 0.50

    def test_closed_and_reopened_inside_one_window(self):
        """The window goes on: one quota, and what was billed counts."""
        self._use_before_the_gap()
        self.at("2026-01-15 09:00:00", self.order.set_close)
        self.assertEqual(self.net(), 10.0)
        self.at("2026-01-20 09:00:00", self.order.set_open)
        self.use(30, "2026-01-25", "b")
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.net(), 25.0)

    def test_two_gaps_one_after_the_other(self):
        self._goes_on(self.order.pause_subscription, self.order.resume_subscription)
        self.use(110, "2026-03-20", "c")  # 10 x 0.50 = 5.00
        self.at("2026-03-25 09:00:00", self.order.set_close)
        self.use(400, "2026-04-10", "d")
        self.at("2026-05-10 09:00:00", self.order.set_open)
        self.use(104, "2026-05-20", "e")  # 4 x 0.50 = 2.00
        self.days("2026-05-21 09:00:00", "2026-06-01 09:00:00")
        self.assertEqual(self.net(), 17.0)  # 10.00 + 5.00 + 2.00
        self.assertEqual(self.unallocated(), 700.0)

    # -- other plans and prices --------------------------------------------------

    def _other_order(self, plan=None, **charge):
        partner = self.env["res.partner"].create({"name": "Sample B"})
        self._create_link(external_id="acc-b", partner_id=partner.id)
        if plan:
            plan = self._create_plan(**plan)
            self._create_charge(plan_id=plan.id, **charge)
        else:
            self.charge.write(charge)
        self.partner = partner
        self.order = self._create_subscription(
            partner_id=partner.id, plan_id=(plan or self.plan).id
        )

    def test_weeks(self):
        """Weeks from Thursday 1 January; paused on the 5th, going on on the 24th."""
        self._other_order({"name": "Weekly", "billing_period_unit": "week"})
        self._goes_on_after_weeks()
        self.days("2026-01-24 10:00:00", "2026-01-29 09:00:00")
        # 2 January: 20 x 0.50; 25 January: 10 x 0.50; the 23rd is unallocated
        self.assertEqual(self.net(), 15.0)
        self.assertEqual(self.unallocated(), 300.0)

    def _goes_on_after_weeks(self):
        self.use(120, "2026-01-02", "a")
        self.at("2026-01-05 09:00:00", self.order.pause_subscription)
        self.days("2026-01-08 09:00:00", "2026-01-15 09:00:00")
        self.use(300, "2026-01-23", "between")
        self.at("2026-01-24 09:00:00", self.order.resume_subscription)
        self.use(110, "2026-01-25", "after")

    def test_whole_batches(self):
        """Batches of 50 above 100 at 3.00; the gap shares none of them."""
        self._other_order(charge_model="package", unit_batch=50, price_per_unit=3.0)
        self._goes_on(self.order.pause_subscription, self.order.resume_subscription)
        self.use(151, "2026-03-20", "after")
        self.days("2026-03-21 09:00:00", "2026-04-01 09:00:00")
        # January 20: 1 batch; March 51: 2 batches
        self.assertEqual(self.net(), 9.0)

    def test_a_minimum_is_not_charged_for_a_gap(self):
        """It is what a window costs at least; a gap is no window."""
        self._other_order(minimum_amount=30.0)
        self.at("2026-01-20 09:00:00", self.order.pause_subscription)
        self.days("2026-02-01 09:00:00", "2026-03-01 09:00:00")
        self.at("2026-03-15 09:00:00", self.order.resume_subscription)
        self.days("2026-03-15 10:00:00", "2026-04-01 09:00:00")
        self.assertEqual(self.net(), 60.0)  # January, and 15 March to 1 April
