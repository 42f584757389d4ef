from odoo.tests import tagged

from .life import LifeCase


class RateCase(LifeCase):
    """Prices in another currency than the customer's."""

    def setUp(self):
        super().setUp()
        self.usd = self.currency
        self.eur, self.gbp, self.jpy = (
            self._currency(name) for name in ("EUR", "GBP", "JPY")
        )

    def _currency(self, name):
        currency = self.env.ref(f"base.{name}")
        currency.active = True
        currency.rate_ids.unlink()
        return currency

    def _rate(self, currency, day, rate):
        """So many of ``currency`` are one of the company's from ``day`` on."""
        self.env["res.currency.rate"].create(
            {
                "currency_id": currency.id,
                "name": day,
                "rate": rate,
                "company_id": self.company.id,
            }
        )

    def _subscribe_in(self, currency):
        """A customer who pays in ``currency``."""
        pricelist = self.env["product.pricelist"].create(
            {"name": currency.name, "currency_id": currency.id}
        )
        order = self.subscribe(pricelist_id=pricelist.id)
        self.assertEqual(order.currency_id, currency)
        return order

    def _use_in_january(self, quantity):
        self.at("2026-01-10 12:00:00")
        self.use(quantity, "2026-01-10")
        self.day("2026-02-01 09:00:00")
        self.at("2026-02-02 12:00:00")

    def _days(self, *days):
        for day in days:
            self.day(f"{day} 09:00:00")


@tagged("post_install", "-at_install")
class TestRatesAreAgreed(RateCase):
    """A window keeps the rate that it was settled at."""

    def _settle_january(self):
        """100 calls above the quota x 0.50 EUR; 2.00 EUR are 1.00: 25.00."""
        self._rate(self.eur, "2025-12-01", 2.0)
        self.charge.currency_id = self.eur
        self.order = self.subscribe()
        self._use_in_january(200)
        self.assertEqual(self.net(), 25.0)

    def test_rate_loaded_after_invoicing_then_a_late_call(self):
        """The rate of 1 February is loaded a day late: 1.00 EUR is 1.00."""
        self._settle_january()
        self._rate(self.eur, "2026-02-01", 1.0)
        self.use(1, "2026-01-31")
        self._days("2026-03-01")
        self.assertEqual(self.net(), 25.25)  # 101 x 0.50 / 2

    def test_rate_loaded_after_invoicing_then_an_event_of_quantity_0(self):
        """It changes nothing of what was used, and nothing of what it costs."""
        self._settle_january()
        self._rate(self.eur, "2026-02-01", 1.0)
        self.use(0, "2026-01-31")
        self._days("2026-03-01")
        self.assertEqual(self.net(), 25.0)

    def test_rate_loaded_beside_a_draft(self):
        self._rate(self.eur, "2025-12-01", 2.0)
        self.charge.currency_id = self.eur
        self.order = self.subscribe()
        self.plan.invoice_posting = "draft"
        self._use_in_january(200)
        self._rate(self.eur, "2026-02-01", 1.0)
        self.day("2026-02-02 13:00:00")
        self.at("2026-02-03 09:00:00")
        self.post_drafts()
        self.month("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 25.0)  # 100 x 0.50 / 2

    def test_rate_corrected_after_invoicing_then_a_late_call(self):
        """The rate that was settled at is edited itself."""
        self._settle_january()
        self.eur.rate_ids.rate = 1.0
        self.use(1, "2026-01-31")
        self._days("2026-03-01")
        self.assertEqual(self.net(), 25.25)  # 101 x 0.50 / 2

    def test_a_thousand_euro_in_dollars_then_a_late_call(self):
        """1.00 EUR a call without a quota; 0.80 EUR are 1.00 USD, 0.81 later."""
        self._rate(self.eur, "2026-01-01", 0.8)
        self.charge.write(
            {"currency_id": self.eur.id, "price_per_unit": 1.0, "included_quota": 0}
        )
        self.order = self.subscribe()
        self._use_in_january(1000)
        self.assertEqual(self.net(), 1250.0)  # 1000.00 / 0.8
        self._rate(self.eur, "2026-02-01", 0.81)
        self.use(1, "2026-01-31")
        self._days("2026-03-01")
        self.assertEqual(self.net(), 1251.25)  # 1001.00 / 0.8

    def test_whole_yen_then_a_late_call(self):
        """The customer pays yen, 150 for a dollar, and 160 later."""
        self._rate(self.jpy, "2025-12-01", 150.0)
        self.order = self._subscribe_in(self.jpy)
        self._use_in_january(201)
        self.assertEqual(self.net(), 7575.0)  # 101 x 0.50 x 150
        self._rate(self.jpy, "2026-02-01", 160.0)
        self.use(1, "2026-01-31")
        self._days("2026-03-01")
        self.assertEqual(self.net(), 7650.0)  # 102 x 0.50 x 150

    def test_rate_loaded_after_closing_then_a_late_call(self):
        """Settled before its end, it has the rate of that day, also if others wait."""
        self._rate(self.eur, "2025-12-01", 2.0)
        self._rate(self.eur, "2026-01-25", 1.0)
        self.charge.currency_id = self.eur
        self.order = self.subscribe()
        self.at("2026-01-10 12:00:00")
        self.use(200, "2026-01-10")
        self.at("2026-01-20 12:00:00")
        self.order.set_close()
        self.day("2026-01-20 13:00:00")
        self.assertEqual(self.net(), 25.0)  # 100 x 0.50 / 2
        self.at("2026-02-02 12:00:00")
        self.use(1, "2026-01-15")
        self._days("2026-02-03", "2026-02-04")
        self.assertEqual(self.net(), 25.25)  # 101 x 0.50 / 2

    def test_rate_of_the_day_the_window_ends(self):
        """Of the rates of 15 January and 1 February the latter counts for January."""
        self._rate(self.eur, "2025-12-01", 2.0)
        self._rate(self.eur, "2026-01-15", 4.0)
        self._rate(self.eur, "2026-02-01", 5.0)
        self._rate(self.eur, "2026-02-02", 1.0)
        self.charge.currency_id = self.eur
        self.order = self.subscribe()
        self._use_in_january(200)
        self.assertEqual(self.net(), 10.0)  # 100 x 0.50 / 5


@tagged("post_install", "-at_install")
class TestPricesInSeveralCurrencies(RateCase):
    """The customer's own counts, else the company's, else the first."""

    def _price_in_pounds(self):
        """2.10 GBP a call without a quota, which is 2.625; it names its first day."""
        self._rate(self.gbp, "2025-12-01", 0.8)
        return self._create_charge(
            currency_id=self.gbp.id,
            price_per_unit=2.1,
            included_quota=0,
            date_start="2025-12-01",
        )

    def test_a_third_currency_does_not_take_over(self):
        """The customer pays euro, 1.00 for a dollar; the price was in dollars."""
        self._rate(self.eur, "2025-12-01", 1.0)
        self.order = self._subscribe_in(self.eur)
        self._price_in_pounds()
        self._use_in_january(200)
        self.assertEqual(self.net(), 50.0)  # 100 x 0.50, not 200 x 2.10 / 0.8

    def test_a_third_currency_added_beside_a_draft(self):
        self._rate(self.eur, "2025-12-01", 1.0)
        self.order = self._subscribe_in(self.eur)
        self.plan.invoice_posting = "draft"
        self._use_in_january(200)
        self._price_in_pounds()
        self.day("2026-02-02 13:00:00")
        self.at("2026-02-03 09:00:00")
        self.post_drafts()
        self.month("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)  # 100 x 0.50, not 200 x 2.10 / 0.8

    def test_a_third_currency_added_after_closing_then_a_late_call(self):
        """The customer pays dollars; the price was in euro, 2.00 for a dollar."""
        self._rate(self.eur, "2025-12-01", 2.0)
        self.charge.currency_id = self.eur
        self.order = self.subscribe()
        self.at("2026-01-10 12:00:00")
        self.use(200, "2026-01-10")
        self.at("2026-01-20 12:00:00")
        self.order.set_close()
        self.assertEqual(self.net(), 25.0)  # 100 x 0.50 / 2
        self._price_in_pounds()
        self.use(1, "2026-01-15")
        self._days("2026-01-21", "2026-01-22")
        self.assertEqual(self.net(), 25.25)  # 101 x 0.50 / 2


@tagged("post_install", "-at_install")
class TestRatesAreExact(RateCase):
    """Divided once, as they are stored: a half of a cent is not lost in a float."""

    def _bill_one_call(self, price, currency, order):
        self.charge.write(
            {"currency_id": currency.id, "price_per_unit": price, "included_quota": 0}
        )
        self.order = order
        self._use_in_january(1)
        return self.net()

    def test_a_third_of_euro(self):
        """16.515 EUR at 3.00 EUR for a dollar: 5.505, rounded away from zero."""
        self._rate(self.eur, "2025-12-01", 3.0)
        self.assertEqual(self._bill_one_call(16.515, self.eur, self.subscribe()), 5.51)

    def test_rates_with_digits(self):
        """6.061005 EUR at 1.101 EUR for a dollar: 5.505 as well."""
        self._rate(self.eur, "2025-12-01", 1.101)
        self.assertEqual(
            self._bill_one_call(6.061005, self.eur, self.subscribe()), 5.51
        )

    def test_between_two_foreign_currencies(self):
        """2.355 GBP at 3.00, paid in euro at 7.00: 2.355 x 7 / 3 = 5.495."""
        self._rate(self.gbp, "2025-12-01", 3.0)
        self._rate(self.eur, "2025-12-01", 7.0)
        order = self._subscribe_in(self.eur)
        self.assertEqual(self._bill_one_call(2.355, self.gbp, order), 5.5)
