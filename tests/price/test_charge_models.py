from datetime import date

from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common import BillingCase

FEBRUARY = date(2026, 2, 1), date(2026, 3, 1)


def tier(up_to, price, fee=0.0):
    return Command.create({"up_to": up_to, "price_per_unit": price, "flat_fee": fee})


TIERS = [tier(100, 1, 5), tier(1000, 0.5), tier(0, 0.1, 20)]


@tagged("post_install", "-at_install")
class TestChargeModels(BillingCase):
    """Usage is posted, its window rated and invoiced; amounts by hand."""

    def _use(self, quantity, **charge):
        """What a window of January costs with this charge: (amount, line, rating)."""
        values = {"included_quota": 0, "tier_ids": [Command.clear(), *TIERS], **charge}
        if values.get("charge_model", "standard") not in ("graduated", "volume"):
            values.pop("tier_ids")
        self.charge.write(values)
        order = self._create_subscription()
        if quantity:
            self._record(quantity, order=order)
        move = order._create_invoices()
        move.action_post()
        line = move.invoice_line_ids.filtered(
            lambda x: x.product_id == self.usage_product
        )
        return line.price_subtotal, line, order.fc_rating_ids

    def test_graduated(self):
        for quantity, amount in ((100, 105.0), (101, 105.5), (2000, 675.0)):
            with self.subTest(quantity=quantity):
                found, line, rating = self._use(quantity, charge_model="graduated")
                self.assertEqual((found, rating.amount), (amount, amount))
        self.assertIn(
            "calls: 2,000 from 01/01/2026 to 01/31/2026, 100 at 1.00 USD + 5.00 USD,"
            " 900 at 0.50 USD, 1,000 at 0.10 USD + 20.00 USD",
            line.name,
        )
        self.assertIn("tier 3: 1000 x 0.1 = 100", rating.explanation_text)

    def test_volume_above_a_quota(self):
        # 1001 of them billable: x 0.10 + 20.00
        amount, line, _rating = self._use(
            1051, charge_model="volume", included_quota=50
        )
        self.assertEqual(amount, 120.1)
        self.assertIn("50 included, 1,001 at 0.10 USD + 20.00 USD", line.name)

    def test_minimum(self):
        for quantity, amount in ((0, 30.0), (60, 30.0), (61, 30.5)):
            with self.subTest(quantity=quantity):
                found, line, _rating = self._use(quantity, minimum_amount=30)
                self.assertEqual(found, amount)
                self.assertIn("minimum 30.00 USD", line.name)

    def test_a_minimum_is_owed_once_a_window(self):
        """Late usage within it costs nothing, and beyond it the difference."""
        self.charge.write({"included_quota": 0, "minimum_amount": 30})
        self._record(10)
        self.order._create_invoices().action_post()
        self._set_window(self.order, *FEBRUARY)
        self._record(50, "2026-01-20 00:00:00")
        ratings = self.order._fc_rate_usage()
        self.assertEqual(ratings.sorted("window_start").mapped("amount"), [0.0, 30.0])
        self._record(4, "2026-01-21 00:00:00")  # 64 x 0.50 = 32.00
        ratings = self.order._fc_rate_usage()
        self.assertEqual(ratings.sorted("window_start").mapped("amount"), [2.0, 30.0])

    def test_late_usage_keeps_the_tiers_it_was_invoiced_with(self):
        amount, _line, _rating = self._use(100, charge_model="graduated")
        self.assertEqual(amount, 105.0)
        order = self.charge.env["sale.order"].search([], order="id desc", limit=1)
        self._set_window(order, *FEBRUARY)
        self.charge.tier_ids.price_per_unit = 9.0
        self._record(1, "2026-01-20 00:00:00", order=order)
        self.assertEqual(order._fc_rate_usage().amount, 0.5)

    def test_every_aggregation(self):
        """4, 9 and 2, in this order, by users a, b and a; 1.00 each, none included."""
        self.charge.write({"included_quota": 0, "price_per_unit": 1})
        for aggregation, amount in (
            ("sum", 15.0),
            ("count", 3.0),
            ("max", 9.0),
            ("last", 2.0),
            ("unique", 2.0),
        ):
            metric = self._create_metric(code=aggregation, aggregation=aggregation)
            self._create_charge(metric_id=metric.id, included_quota=0, price_per_unit=1)
            self._post_by_users(metric)
            rating = self.order._fc_rate_usage().filtered(
                lambda r, m=metric: r.metric_id == m
            )
            with self.subTest(aggregation):
                self.assertEqual(rating.amount, amount)

    # -- currencies ------------------------------------------------------------

    def _currency(self, name, rounding, rate):
        """A currency of which ``rate`` make one of the company's."""
        currency = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", name)])
        )
        currency.write({"active": True, "rounding": rounding})
        currency.rate_ids.unlink()
        for day, value in (("2026-01-01", rate / 2), ("2026-02-01", rate)):
            self.env["res.currency.rate"].create(
                {
                    "currency_id": currency.id,
                    "name": day,
                    "rate": value,
                    "company_id": self.company.id,
                }
            )
        return currency

    def _order_in(self, currency):
        pricelist = self.env["product.pricelist"].create(
            {"name": currency.name, "currency_id": currency.id}
        )
        return self._create_subscription(pricelist_id=pricelist.id)

    def test_yen_have_no_decimals(self):
        # 5 x 0.50 = 2.5 -> 3; a sub-unit price: 1,234 x 0.0004 = 0.4936 -> 0
        yen = self._currency("JPY", 1.0, 150)
        self.charge.write({"included_quota": 0, "currency_id": yen.id})
        order = self._order_in(yen)
        self._record(5, order=order)
        self.assertEqual(order._fc_rate_usage().amount, 3)
        self.charge.price_per_unit = 0.0004
        self._record(1229, "2026-01-11 00:00:00", order=order)
        self.assertEqual(order._fc_rate_usage().amount, 0)

    def test_dinars_have_three(self):
        # 3 x 0.0335 = 0.1005 -> 0.101 (half away from zero)
        dinar = self._currency("KWD", 0.001, 0.3)
        self.charge.write(
            {"included_quota": 0, "currency_id": dinar.id, "price_per_unit": 0.0335}
        )
        order = self._order_in(dinar)
        self._record(3, order=order)
        self.assertEqual(order._fc_rate_usage().amount, 0.101)

    def test_a_minimum_is_converted_at_the_end_of_the_window(self):
        # at least 30 of ours; 150 yen each on 1 February: 4500
        yen = self._currency("JPY", 1.0, 150)
        self.charge.minimum_amount = 30
        order = self._order_in(yen)
        self._record(1, order=order)
        rating = order._fc_rate_usage()
        self.assertEqual((rating.amount, rating.currency_id), (4500, yen))

    # -- the charge ------------------------------------------------------------

    def test_tiers_that_make_no_price_are_refused(self):
        for tiers in (
            [],
            [tier(100, 1)],
            [tier(0, 1), tier(0, 2)],
            [tier(5, 1), tier(5, 2), tier(0, 3)],
        ):
            with self.subTest(tiers=tiers), self.assertRaises(ValidationError):
                self.charge.write(
                    {
                        "charge_model": "volume",
                        "tier_ids": [Command.clear(), *tiers],
                    }
                )
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.charge.write({"charge_model": "volume", "tier_ids": [tier(0, -1)]})

    def test_a_copy_has_the_tiers(self):
        self.charge.write({"charge_model": "volume", "tier_ids": TIERS})
        copy = self.charge.copy({"date_start": "2030-01-01", "active": False})
        self.env.invalidate_all()
        self.assertEqual(copy.tier_ids.mapped("flat_fee"), [5.0, 0.0, 20.0])

    def test_the_preview_says_how_it_comes_about(self):
        form = Form(self.charge)
        form.charge_model = "graduated"
        form.included_quota = 0
        for up_to, price, fee in ((100, 1, 5), (0, 0.5, 0)):
            with form.tier_ids.new() as line:
                line.up_to, line.price_per_unit, line.flat_fee = up_to, price, fee
        form.preview_quantity = 150
        self.assertIn("130 USD", form.preview_text)
        self.assertIn("tier 2: 50 x 0.5", form.preview_text)

    def test_the_catalog_tells_tiers_and_minimum(self):
        self.charge.write(
            {"charge_model": "volume", "tier_ids": TIERS, "minimum_amount": 1.5}
        )
        [item] = [
            c
            for c in self.service._api_catalog()["charges"]
            if c["plan_id"] == self.plan.id
        ]
        self.assertEqual(item["minimum_amount"], "1.5")
        self.assertEqual(
            item["tiers"][::2],
            [
                {"up_to": "100", "price_per_unit": "1", "flat_fee": "5"},
                {"up_to": None, "price_per_unit": "0.1", "flat_fee": "20"},
            ],
        )
