from odoo.fields import Command
from odoo.tests import tagged

from .settled import SettledCase


@tagged("post_install", "-at_install")
class TestClosedKeepsItsPrices(SettledCase):
    """Closed on 20 January with 150 calls: 50 above the quota x 0.50 = 25.00."""

    def setUp(self):
        super().setUp()
        self._close()
        self.assertEqual(self.net(), 25.0)

    def test_charge_archived_then_a_late_call(self):
        """In March the price is archived; one call of January arrives after that."""
        self._archive()
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 25.5)  # 51 x 0.50

    def test_charge_replaced_then_a_late_call(self):
        """The new price, 2.00 without a quota, is none of January's business."""
        self._replace()
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 25.5)  # 51 x 0.50, not 151 x 2.00

    def test_charge_archived_and_the_end_date_corrected(self):
        """Not even new usage: somebody corrects the end by a day."""
        self._archive()
        self.order.end_date = "2026-01-21"
        self._days_pass()
        self.assertEqual(self.net(), 25.0)

    def test_charge_archived_then_a_call_voided(self):
        self._archive()
        self.void("one-call")
        self._days_pass()
        self.assertEqual(self.net(), 24.5)  # 49 x 0.50

    def test_charge_archived_and_a_credit_note_taken_back(self):
        """What was billed is as it was before the credit note, to the price."""
        self._archive()
        credit = self.credit(self.documents()[-1])
        self.assertEqual(self.net(), 0.0)
        self.day("2026-03-03 09:00:00")
        self.take_back(credit)
        self._days_pass()
        self.assertEqual(self.net(), 25.0)
        self.use(1, "2026-01-15")
        self.day("2026-03-08 09:00:00")
        self.assertEqual(self.net(), 25.5)  # 51 x 0.50

    def test_price_draft_gone_live_in_the_past_then_a_late_call(self):
        self.at("2026-03-02 09:00:00")
        self._go_live()
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 25.5)  # 51 x 0.50, not 151 x 1.00

    def test_charge_replaced_and_credited_to_be_billed_again(self):
        """Finance takes the bill back, and bills anew: at the price of then."""
        self.at("2026-03-02 08:00:00")
        self.credit(self.documents()[-1])
        replacement = self._replace()
        self._days_pass()
        self.assertEqual(self.net(), 0.0)
        self.order.action_fc_invoice_open_usage()
        self.assertEqual(self.net(), 300.0)  # 150 x 2.00
        replacement.active = False
        self.at("2026-03-08 12:00:00")
        self.use(1, "2026-01-15")
        self.day("2026-03-09 09:00:00")
        self.assertEqual(self.net(), 302.0)  # 151 x 2.00

    def test_price_edited_to_packages_then_a_late_call(self):
        """Whatever the price became, and also where its quota went."""
        self.at("2026-03-02 09:00:00")
        self.charge.write(
            {"charge_model": "package", "unit_batch": 50, "price_per_unit": 7.0}
        )
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 25.5)  # 51 x 0.50, not 2 x 7.00


@tagged("post_install", "-at_install")
class TestClosedWithOtherPricesKeepsThem(SettledCase):
    """Graduated and package prices, and months that are quarters or years."""

    def test_graduated_prices_replaced_then_a_late_call(self):
        """The first 100 at 1.00 and 5.00 flat, then 0.50; no quota."""
        self.charge.write(
            {
                "charge_model": "graduated",
                "included_quota": 0,
                "tier_ids": [
                    Command.create(
                        {"up_to": 100, "price_per_unit": 1.0, "flat_fee": 5.0}
                    ),
                    Command.create({"up_to": 0, "price_per_unit": 0.5}),
                ],
            }
        )
        self._close()
        self.assertEqual(self.net(), 130.0)  # 100 x 1.00 + 5.00 + 50 x 0.50
        self._replace()
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 130.5)  # 100 x 1.00 + 5.00 + 51 x 0.50

    def test_volume_prices_replaced_then_a_late_call(self):
        """Up to 150 at 1.00, all of them at 0.50 from there; no quota."""
        self.charge.write(
            {
                "charge_model": "volume",
                "included_quota": 0,
                "tier_ids": [
                    Command.create({"up_to": 150, "price_per_unit": 1.0}),
                    Command.create({"up_to": 0, "price_per_unit": 0.5}),
                ],
            }
        )
        self._close()
        self.assertEqual(self.net(), 150.0)  # 150 x 1.00
        self._replace()
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 75.5)  # 151 x 0.50

    def test_package_prices_archived_then_late_calls(self):
        """50 calls are a package of 2.00: 100 included, 50 above are one of them."""
        self.charge.write(
            {"charge_model": "package", "unit_batch": 50, "price_per_unit": 2.0}
        )
        self._close()
        self.assertEqual(self.net(), 2.0)
        self._archive()
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 4.0)  # 51 above: the second package has begun

    def test_quarterly_plan_archived_then_a_late_call(self):
        self.plan.billing_period_value = 3
        self._close()
        self.assertEqual(self.net(), 25.0)
        self._archive()
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 25.5)  # 51 x 0.50

    def test_yearly_plan_replaced_then_a_call_voided(self):
        self.plan.billing_period_unit = "year"
        self._close()
        self.assertEqual(self.net(), 25.0)
        self._replace()
        self.void("one-call")
        self._days_pass()
        self.assertEqual(self.net(), 24.5)  # 49 x 0.50

    def test_price_added_in_the_customers_own_currency(self):
        """The price was in euro: 2 EUR are 1.00 here. Then one of 2.00 is added."""
        eur = self.env.ref("base.EUR")
        eur.active = True
        eur.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": eur.id, "name": "2025-12-01", "rate": 2.0}
        )
        self.charge.currency_id = eur
        self._close()
        self.assertEqual(self.net(), 12.5)  # 50 x 0.50 EUR = 25.00 EUR
        self.at("2026-03-02 09:00:00")
        self._create_charge(price_per_unit=2.0, included_quota=0)
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 12.75)  # 51 x 0.50 EUR = 25.50 EUR


@tagged("post_install", "-at_install")
class TestRenewedKeepsItsPrices(SettledCase):
    """Renewed on 20 January with 180 calls: 80 above the quota x 0.50 = 40.00."""

    def setUp(self):
        super().setUp()
        self._renew()
        self.assertEqual(self.net(), 40.0)

    def test_charge_replaced_then_a_late_call(self):
        """The app calls the old order, whose price was replaced for the renewal's."""
        self._replace()
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 40.5)  # 81 x 0.50, not 181 x 2.00

    def test_charge_archived_then_a_late_call(self):
        self._archive()
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 40.5)  # 81 x 0.50

    def test_price_draft_gone_live_in_the_past_then_a_late_call(self):
        self.at("2026-03-02 09:00:00")
        self._go_live()
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 40.5)  # 81 x 0.50, not 181 x 1.00


@tagged("post_install", "-at_install")
class TestDraftPendingKeepsItsPrices(SettledCase):
    """January's 200 calls, 100 x 0.50 = 50.00, are on the draft of 1 February."""

    def setUp(self):
        super().setUp()
        self._leave_a_draft()

    def test_charge_replaced_beside_it(self):
        """The next invoice billed the draft's window again, by the new price."""
        self._replace("2026-02-02 09:00:00")
        self._post_the_draft()
        self.assertEqual(self.net(), 50.0)  # not 200 x 2.00

    def test_charge_archived_beside_it(self):
        self._archive("2026-02-02 09:00:00")
        self._post_the_draft()
        self.assertEqual(self.net(), 50.0)

    def test_price_draft_gone_live_beside_it(self):
        self._go_live()
        self._post_the_draft()
        self.assertEqual(self.net(), 50.0)  # not 200 x 1.00

    def test_charge_archived_beside_it_then_a_late_call_voided(self):
        self.use(1, "2026-01-15", key="late")
        self._archive("2026-02-02 09:00:00")
        self.void("late")
        self._post_the_draft()
        self.assertEqual(self.net(), 50.0)

    def test_charge_replaced_and_the_draft_deleted(self):
        """Nothing is settled then: what is billed instead is at the new price."""
        self.documents("draft").unlink()
        self._replace("2026-02-02 09:00:00")
        self._post_the_draft()
        self.assertEqual(self.net(), 400.0)  # 200 x 2.00

    def test_price_edited_beside_it_then_a_late_call(self):
        self.charge.write({"price_per_unit": 2.0, "included_quota": 0})
        self.use(1, "2026-01-15")
        self._post_the_draft()
        self.assertEqual(self.net(), 50.5)  # 101 x 0.50


@tagged("post_install", "-at_install")
class TestPricedOnlyLater(SettledCase):
    """A metric without a price when a window was settled has none there later."""

    def test_after_closing_then_a_late_call(self):
        """250 seats had no price when all was settled, and have none ever after."""
        seats = self._create_metric(code="seats")
        self._close(seats=seats)
        self.assertEqual(self.net(), 25.0)  # 50 x 0.50
        self.at("2026-03-02 09:00:00")
        self._create_charge(metric_id=seats.id, price_per_unit=2.0, included_quota=0)
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 25.5)  # 51 x 0.50, not + 250 x 2.00

    def test_late_usage_of_it_has_no_price_either(self):
        """Told of in March, when the metric has a price: unallocated all the same."""
        seats = self._create_metric(code="seats")
        self._close()
        self.at("2026-03-02 09:00:00")
        self._create_charge(metric_id=seats.id, price_per_unit=2.0, included_quota=0)
        self.use(250, "2026-01-11", metric=seats, key="seats")
        self._days_pass()
        self.assertEqual(self.net(), 25.0)  # 50 x 0.50
        usage = self.env["fusion.billing.usage"].search(
            [("idempotency_key", "=", "seats")]
        )
        self.assertTrue(usage.unallocated)

    def test_beside_a_draft(self):
        """250 calls of a metric that gets a price of 2.00 while the draft waits."""
        seats = self._create_metric(code="seats")
        self.order = self.subscribe()
        self.plan.invoice_posting = "draft"
        self.at("2026-01-10 12:00:00")
        self.use(200, "2026-01-10")
        self.use(250, "2026-01-11", metric=seats)
        self.day("2026-02-01 09:00:00")
        self.at("2026-02-02 09:00:00")
        self._create_charge(metric_id=seats.id, price_per_unit=2.0, included_quota=0)
        self._post_the_draft()
        self.assertEqual(self.net(), 50.0)  # 100 x 0.50, not + 250 x 2.00

    def test_while_its_window_is_open_it_is_priced(self):
        """Before anything is settled, the price counts for the window it begins in."""
        seats = self._create_metric(code="seats")
        self.order = self.subscribe()
        self.at("2026-01-10 12:00:00")
        self.use(250, "2026-01-10", metric=seats)
        self.at("2026-01-20 12:00:00")
        self._create_charge(metric_id=seats.id, price_per_unit=2.0, included_quota=0)
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.net(), 500.0)  # 250 x 2.00


@tagged("post_install", "-at_install")
class TestWithinQuotaIsSettledToo(SettledCase):
    """A window that came to nothing has its price and its quota for good, too."""

    def test_minimum_added_after_closing(self):
        """50 calls cost nothing; a minimum of 30.00 is of a later agreement."""
        self._close(50)
        self.assertEqual(self.net(), 0.0)
        self.at("2026-03-02 09:00:00")
        self.charge.minimum_amount = 30.0
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 0.0)

    def test_minimum_added_beside_a_draft(self):
        self._leave_a_draft(50)
        self.charge.minimum_amount = 30.0
        self.at("2026-02-02 10:00:00")
        self.use(1, "2026-01-15")
        self.day("2026-02-02 10:30:00")
        self.at("2026-02-03 09:00:00")
        self.post_drafts()
        self.charge.minimum_amount = 0.0  # February's begins without one
        self.month("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 0.0)

    def test_quota_lowered_after_closing(self):
        self._close(50)
        self.at("2026-03-02 09:00:00")
        self.charge.included_quota = 10
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 0.0)  # not (51 - 10) x 0.50 = 20.50

    def test_quota_lowered_after_closing_without_any_usage(self):
        """Nothing was used, and still it was settled: 100 are included."""
        self.order = self.subscribe()
        self.at("2026-01-20 12:00:00")
        self.order.set_close()
        self.at("2026-03-02 09:00:00")
        self.charge.included_quota = 10
        self._call_late(51)
        self._days_pass()
        self.assertEqual(self.net(), 0.0)  # not (51 - 10) x 0.50

    def test_quota_lowered_after_a_renewal(self):
        self._renew(50)
        self.at("2026-03-02 09:00:00")
        self.charge.included_quota = 10
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 0.0)  # not (51 - 10) x 0.50 = 20.50

    def test_quota_taken_away_after_the_end(self):
        """It ended by its end date, within the quota."""
        self.order = self.subscribe(end_date="2026-01-20")
        self.at("2026-01-10 12:00:00")
        self.use(90, "2026-01-10")
        self.day("2026-01-20 09:00:00")
        self.assertEqual(self.order.subscription_state, "6_churn")
        self.assertEqual(self.net(), 0.0)
        self.at("2026-03-02 09:00:00")
        self.charge.included_quota = 0
        self._call_late()
        self._days_pass()
        self.assertEqual(self.net(), 0.0)  # not 91 x 0.50 = 45.50
