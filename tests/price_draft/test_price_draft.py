from datetime import date, datetime

from freezegun import freeze_time

from odoo.tests import tagged

from ..rating.ledger_case import FEBRUARY
from .draft_case import TIERS, PriceDraftCase


@tagged("post_install", "-at_install")
class TestPriceDraftAmounts(PriceDraftCase):
    """What is compared, by values computed by hand."""

    def test_standard(self):
        """200 calls: 100 x 0.50 today, 150 x 0.40 with the draft."""
        charge = self._drafted()
        self._record(200)
        result = self._compare()
        self.assertEqual(self._amounts(result), [(50.0, 60.0, 10.0)])
        self.assertEqual(result.quantity, 200)
        self.assertEqual(result.charge_id, charge)
        self.assertEqual(result.live_charge_id, self.charge)
        self.assertEqual(result.subscription_id, self.order)
        self.assertEqual(result.partner_id, self.partner)
        self.assertEqual(result.window_start, datetime(2026, 1, 1))
        self.assertEqual(result.window_end, datetime(2026, 2, 1))
        self.assertEqual(result.first_day, date(2026, 1, 1))
        self.assertEqual(result.last_day, date(2026, 1, 31))
        self.assertIn("standard: 100 x 0.5 = 50", result.text_live)
        self.assertIn("standard: 150 x 0.4 = 60", result.text_draft)

    def test_graduated(self):
        """250 calls: 150 x 0.50 today; 100 x 1.00 + 5.00 + 50 x 0.50 with tiers."""
        self._drafted(charge_model="graduated", included_quota=100, tier_ids=TIERS)
        self._record(250)
        self.assertEqual(self._amounts(), [(75.0, 130.0, 55.0)])

    def test_a_minimum_without_usage(self):
        self._drafted(minimum_amount=30)
        self.assertEqual(self._amounts(), [(0.0, 30.0, 30.0)])

    def test_every_aggregation_in_use(self):
        """4, 9 and 2 by users a, b and a; 1.00 each, and 3.00 with the draft."""
        live = {"included_quota": 0, "price_per_unit": 1}
        for aggregation in ("max", "unique"):
            metric = self._create_metric(code=aggregation, aggregation=aggregation)
            self._create_charge(metric_id=metric.id, **live)
            self._drafted(metric_id=metric.id, included_quota=0, price_per_unit=3)
            self._post_by_users(metric)
        results = self._compare()
        self.assertEqual(
            [(r.metric_id.code, *self._amounts(r)[0]) for r in results],
            [("max", 9.0, 27.0, 18.0), ("unique", 2.0, 6.0, 4.0)],
        )

    def test_voided_usage_does_not_count(self):
        self._drafted()
        self._record(200)
        self._record(1000)._void("sent twice")
        self.assertEqual(self._amounts(), [(50.0, 60.0, 10.0)])

    def test_the_first_instant_belongs_to_the_window_and_the_end_does_not(self):
        """101 + 49 calls of January, and more just outside of it."""
        self._drafted()
        self._record(101, "2026-01-01 00:00:00")
        self._record(49, "2026-01-31 23:59:59")
        self._record(1000, "2025-12-31 23:59:59")
        self._record(1000, "2026-02-01 00:00:00")
        # 150: 50 x 0.50; 100 x 0.40
        self.assertEqual(self._amounts(), [(25.0, 40.0, 15.0)])

    def test_days_are_those_of_the_billing_time_zone(self):
        self.company.fc_billing_tz = "Europe/Brussels"
        self._drafted()
        order = self._create_subscription()
        self._record(200, "2025-12-31 23:00:00", order=order)
        self._record(1000, "2026-01-31 23:00:00", order=order)
        result = self._compare().filtered(lambda r: r.subscription_id == order)
        self.assertEqual(self._amounts(result), [(50.0, 60.0, 10.0)])
        self.assertEqual(result.first_day, date(2026, 1, 1))
        self.assertEqual(result.last_day, date(2026, 1, 31))

    def test_a_draft_in_another_currency_is_converted_at_the_windows_end(self):
        """200 calls: 150 x 0.40 EUR = 60.00 EUR, at 2.00: 120.00; no price today."""
        self.charge.active = False
        self._drafted(currency_id=self._euro().id)
        self._record(200)
        result = self._compare()
        self.assertEqual(self._amounts(result), [(0.0, 120.0, 120.0)])
        self.assertFalse(result.live_charge_id)
        self.assertIn("no price", result.text_live)
        self.assertIn("Converted at 0.5 EUR = 1 USD: 120 USD", result.text_draft)

    def test_a_live_price_in_the_customers_currency_stays(self):
        """Those who pay in dollars keep the price in dollars; the sums stay apart."""
        euro = self._euro()
        self._drafted(currency_id=euro.id)
        other = self._order_in(euro)
        self._record(200)
        self._record(200, order=other)
        result = self._compare()
        self.assertEqual(result.subscription_id, other)
        # 50.00 USD at 0.50; 60.00 EUR
        self.assertEqual(self._amounts(result), [(25.0, 60.0, 35.0)])
        self._drafted()
        self._compare()
        self.assertEqual(
            {t.currency_id.name: self._amounts(t)[0] for t in self.draft.total_ids},
            {"USD": (50.0, 60.0, 10.0), "EUR": (25.0, 60.0, 35.0)},
        )
        self.assertEqual(
            self.draft.action_view_results()["context"][
                "search_default_group_currency"
            ],
            1,
        )

    def test_an_older_live_price_gives_way(self):
        """Of two prices that count on a day rating would take the older one."""
        self.charge.date_start = "2025-01-01"
        self._drafted()
        self._record(200)
        self.assertEqual(self._amounts(), [(50.0, 60.0, 10.0)])

    def test_a_metric_that_the_draft_does_not_name_is_not_shown(self):
        other = self._create_metric(code="storage")
        self._create_charge(metric_id=other.id)
        self._record(200)
        self._record(500, metric=other)
        self._drafted()
        self.assertEqual(self._amounts(), [(50.0, 60.0, 10.0)])

    def test_the_largest_rise_comes_first_and_customers_are_counted(self):
        """Of three customers one pays more, one less, one the same."""
        self._drafted(price_per_unit=0.25)
        for name, quantity in (("Sample A", 200), ("Sample B", 60), ("Sample C", 10)):
            partner = self.env["res.partner"].create({"name": name})
            order = self._create_subscription(partner_id=partner.id)
            self._record(quantity, order=order)
        self.order.plan_id = self._create_plan(name="Another")
        results = self._compare()
        # A: 100 x 0.50, 150 x 0.25; B: 0, 10 x 0.25; C: 0, 0
        self.assertEqual(
            [(r.partner_id.name, *self._amounts(r)[0]) for r in results],
            [
                ("Sample B", 0.0, 2.5, 2.5),
                ("Sample C", 0.0, 0.0, 0.0),
                ("Sample A", 50.0, 37.5, -12.5),
            ],
        )
        total = self.draft.total_ids
        self.assertEqual(self._amounts(total), [(50.0, 40.0, -10.0)])
        self.assertEqual(
            (total.customer_count, total.more_count, total.less_count), (3, 1, 1)
        )

    def test_the_worked_example_of_the_docs(self):
        self._drafted()
        self.order.plan_id = self._create_plan(name="Another")
        for name, quantity in (("Sample B", 60), ("Sample A", 200), ("Sample C", 900)):
            partner = self.env["res.partner"].create({"name": name})
            order = self._create_subscription(partner_id=partner.id)
            self._record(quantity, order=order)
        self.assertEqual(
            self._amounts(),
            [(50.0, 60.0, 10.0), (0.0, 4.0, 4.0), (400.0, 340.0, -60.0)],
        )
        self.assertEqual(self._amounts(self.draft.total_ids), [(450.0, 404.0, -46.0)])
        sums = "fusion_centralized_billing.price_draft_result_view_list_sums"
        self.assertEqual(
            self.draft.action_view_results()["views"][0],
            (self.env.ref(sums).id, "list"),
        )

    def test_decimals_are_exact(self):
        """9007199254740993 is no float; 0.01 each."""
        self._drafted(included_quota=0, price_per_unit=0.01)
        self._record("9007199254740993")
        result = self._compare()
        self.env.cr.execute(
            "SELECT quantity::text, amount_draft::text, difference::text"
            " FROM fusion_billing_price_draft_result WHERE id = %s",
            [result.id],
        )
        # today (9007199254740993 - 100) x 0.50 = 4503599627370446.50
        self.assertEqual(
            self.env.cr.fetchone(),
            ("9007199254740993", "90071992547409.93", "-4413527634823036.57"),
        )


@tagged("post_install", "-at_install")
class TestPriceDraftWindows(PriceDraftCase):
    """Which window is the last one, and whose."""

    def test_the_window_invoiced_last(self):
        self._drafted()
        self._record(200)
        self._invoice(FEBRUARY)
        self._record(1000, "2026-02-05 00:00:00")
        self.assertEqual(self._amounts(), [(50.0, 60.0, 10.0)])

    def test_a_window_counts_from_the_instant_it_ends(self):
        """January is invoiced; February is over, and due, with its last second."""
        self._invoice(FEBRUARY)
        for now, month in (
            (datetime(2026, 2, 28, 23, 59, 59), 1),
            (datetime(2026, 3, 1), 2),
        ):
            windows = self._last_ended(self.order, now)
            self.assertEqual(windows[self.order].start, datetime(2026, month, 1))

    def _last_ended(self, order, now):
        return self.env["fusion.billing.window"]._last_ended(order, now)

    def test_the_period_before_where_nothing_was_billed_here_yet(self):
        """It began on 31 December, so its periods end on 31 January and 28 February."""
        order = self._create_order()
        with freeze_time("2026-03-01"):
            order.action_confirm()
            order.write(
                {
                    "start_date": "2025-12-31",
                    "last_invoice_date": "2026-02-28",
                    "next_invoice_date": "2026-03-31",
                }
            )
            found = self._last_ended(order, datetime(2026, 3, 1))
        self.assertEqual(found[order].start, datetime(2026, 1, 31))
        # Not on the period's own days: a month back, not before the start.
        order = self._create_order()
        with freeze_time("2026-03-01"):
            order.action_confirm()
            order.write(
                {
                    "start_date": "2026-01-20",
                    "last_invoice_date": "2026-02-15",
                    "next_invoice_date": "2026-03-15",
                }
            )
            found = self._last_ended(order, datetime(2026, 3, 1))
        self.assertEqual(found[order].start, datetime(2026, 1, 20))

    def test_a_subscription_without_a_window_that_is_over(self):
        self._drafted()
        self._record(200)
        young = self._create_subscription()
        self._set_window(young, *FEBRUARY)
        self.assertEqual(self._compare().subscription_id, self.order)
        self.assertEqual((self.draft.compared_count, self.draft.skipped_count), (1, 1))

    def test_paused_and_draft_subscriptions_are_not_compared(self):
        self._drafted()
        self.order.subscription_state = "4_paused"
        self._create_order()
        self.assertFalse(self._compare())

    def test_another_company_is_not_seen(self):
        self._drafted()
        self._record(200)
        other = self.env["res.company"].create({"name": "Other"})
        foreign = self._create_draft(company_id=other.id)
        self._create_charge(draft_id=foreign.id, company_id=other.id)
        foreign.action_compare()
        self.assertFalse(foreign.result_ids)
        self.assertEqual(foreign.compared_count, 0)
        self.assertEqual(self._compare().subscription_id, self.order)

    def test_queries_do_not_grow_with_the_subscriptions(self):
        metric = self._create_metric(code="users", aggregation="unique")
        self._create_charge(metric_id=metric.id)
        self._drafted()
        self._drafted(metric_id=metric.id)
        counts = []
        for more in (19, 180):
            for _each in range(more):
                self._create_subscription()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            results = self._compare()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(len(results), 400)
        self.assertLessEqual(counts[1], counts[0] + 2, counts)
        self.assertLess(counts[1], 60)
