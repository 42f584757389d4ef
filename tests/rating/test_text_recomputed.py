from datetime import date
from runpy import run_path

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import file_path

from ..common import BillingCase
from ..price.test_charge_models import TIERS


@tagged("post_install", "-at_install")
class TestTextRecomputed(BillingCase):
    """Whoever does the sums of an invoice line's text gets its amount.

    Each text is written down by hand, with the sum it stands for.
    """

    def _invoice(self, quantity, order=None, **charge):
        """The usage line of January's invoice (account.move.line), posted."""
        self.charge.write({"included_quota": 0, **charge})
        order = order or self._create_subscription()
        if quantity:
            self._record(quantity, order=order)
        move = order._create_invoices()
        move.action_post()
        return move.invoice_line_ids.filtered("fc_rating_ids")

    def _assert_line(self, line, text, amount):
        days = "from 01/01/2026 to 01/31/2026"
        text = text.replace("JAN", days).replace("XXX", self.currency.name)
        self.assertEqual(line.name.split("\n")[-1], text)
        self.assertEqual(line.price_subtotal, amount)

    def _foreign(self, name, rate, day="2026-01-05"):
        """A currency of which a rate of one of the company's own is known."""
        currency = self.env["res.currency"].create(
            {"name": name, "symbol": name, "rounding": 0.01}
        )
        self.env["res.currency.rate"].create(
            {"currency_id": currency.id, "name": day, "rate": rate}
        )
        return currency

    def test_standard_each(self):
        # 3 x 0.50
        self._assert_line(self._invoice(3), "calls: 3 JAN, at 0.50 XXX each", 1.5)

    def test_one_is_no_plural(self):
        """It said "1 calls"."""
        self._assert_line(self._invoice(1), "calls: 1 JAN, at 0.50 XXX each", 0.5)

    def test_standard_of_a_thousand_is_told_apart_from_a_package(self):
        """1,200 above the quota: 1.2 x 2.00 in proportion, 2 x 2.00 as packages."""
        terms = {"included_quota": 300, "unit_batch": 1000, "price_per_unit": 2}
        self._assert_line(
            self._invoice(1500, **terms),
            "calls: 1,500 JAN, 300 included, 1,200 at 2.00 XXX per 1,000,"
            " in proportion",
            2.4,
        )
        self._assert_line(
            self._invoice(1500, charge_model="package", **terms),
            "calls: 1,500 JAN, 300 included, started packages of 1,000: 2 at 2.00 XXX",
            4.0,
        )

    def test_tiers_of_batches_tell_units(self):
        # 100 / 10 x 1.00 + 5.00 + 50 / 10 x 0.50 = 10.00 + 5.00 + 2.50
        line = self._invoice(
            150,
            charge_model="graduated",
            unit_batch=10,
            tier_ids=[Command.clear(), *TIERS],
        )
        self._assert_line(
            line,
            "calls: 150 JAN, 100 at 1.00 XXX per 10 + 5.00 XXX, 50 at 0.50 XXX per 10",
            17.5,
        )

    def test_a_quantity_has_the_digits_that_it_takes(self):
        """199,386.1167581406 at 0.0001: 19.9386... is 19.94, as with two decimals."""
        self._assert_line(
            self._invoice("199386.1167581406", price_per_unit=0.0001),
            "calls: 199,386.12 (rounded) JAN, at 0.0001 XXX each",
            19.94,
        )

    def test_digits_that_change_the_amount_are_kept(self):
        """0.0049 at 3.00 is 0.0147: 0.01. As 0.00 it was free, as 0.005 it is 0.02."""
        self._assert_line(
            self._invoice("0.0049", price_per_unit=3),
            "calls: 0.0049 JAN, at 3.00 XXX each",
            0.01,
        )

    def test_a_discount_and_a_minimum(self):
        # 100 x 0.50 = 50.00, less 10 % = 45.00, at least 48.00
        order = self._create_subscription(fc_usage_discount=10)
        self._assert_line(
            self._invoice(100, order, minimum_amount=48),
            "calls: 100 JAN, at 0.50 XXX each, less 10%, minimum 48.00 XXX",
            48.0,
        )

    def test_another_currency_is_told_with_its_rate_and_day(self):
        """3 x 0.50 XTA at 0.9 XTA for one of ours: 1.6667.

        The rate is kept as Odoo computed it, and was told as 0.8999999999999999.
        """
        other = self._foreign("XTA", 0.8999999999999999)
        line = self._invoice(3, currency_id=other.id)
        self._assert_line(
            line, "calls: 3 JAN, at 0.50 XTA each, 0.9 XTA = 1 XXX on 02/01/2026", 1.67
        )
        self.assertIn(
            f"Converted at 0.9 XTA = 1 {self.currency.name} on 02/01/2026",
            line.fc_rating_ids.explanation_text,
        )
        self.assertIn("Rounded to 1.67", line.fc_rating_ids.explanation_text)
        agreement = line.fc_rating_ids.agreement_id
        self.assertEqual(agreement.rate_date, date(2026, 2, 1))

    def test_the_day_of_older_rates_is_the_end_of_their_window(self):
        """What was agreed before that day was kept, after an update."""
        self.charge.currency_id = self._foreign("XTC", 2)
        metric = self._create_metric(code="plain", name="Plain")
        self._create_charge(metric_id=metric.id, included_quota=0)
        orders = [self._create_subscription() for _each in range(2)]
        for order in orders:
            self._record(300, order=order)
            self._record(3, order=order, metric=metric)
            order._create_invoices().action_post()
        late, early = (order.fc_rating_ids.agreement_id for order in orders)
        agreements = late | early
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE fusion_billing_window_charge SET rate_date = NULL"
            " WHERE id = ANY(%s)",
            [agreements.ids],
        )
        # Settled before its end, as a subscription that is closed.
        early.window_id.sudo().settled_at = "2026-01-20 00:00:00"
        self.env.flush_all()
        foreign, plain = late.sorted(lambda a: a.metric_id != self.metric)
        script = file_path(
            "fusion_centralized_billing/migrations/19.0.1.7.0/post-rate-date.py"
        )
        run_path(script)["migrate"](self.env.cr, "19.0.1.6.0")
        self.env.invalidate_all()
        self.assertEqual(foreign.rate_date, date(2026, 2, 1))
        self.assertFalse(plain.rate_date)
        self.assertEqual(set(early.mapped("rate_date")), {False})

    def test_a_correction_tells_what_was_charged_before(self):
        """100 at 0.50 were billed; 20 more of January: 60.00 less 50.00."""
        order = self._create_subscription()
        self._invoice(100, order)
        self._record(20, "2026-01-20 00:00:00", order=order)
        move = order._create_invoices()
        line = move.invoice_line_ids.filtered("fc_rating_ids")
        self._assert_line(
            line,
            "calls: 120 JAN, at 0.50 XXX each; 60.00 XXX in total, less 50.00 XXX"
            " already charged",
            10.0,
        )

    def test_names_are_printed_once(self):
        for product, metric, title in (
            ("API calls", "API calls", ["API calls"]),
            ("Sample App API Calls", "API calls", ["Sample App API Calls"]),
            ("Usage", "Usage of storage", ["Usage of storage"]),
            ("Cloud", "API calls", ["Cloud", "API calls"]),
        ):
            self.usage_product.name, self.metric.name = product, metric
            with self.subTest(product=product, metric=metric):
                self.assertEqual(self._invoice(1).name.split("\n")[:-1], title)

    def test_a_unit_that_is_the_name_is_not_repeated(self):
        self.metric.write({"name": "Seats", "unit_name": "seats"})
        line = self._invoice(40, price_per_unit=15)
        self._assert_line(line, "40 JAN, at 15.00 XXX each", 600.0)

    def test_french(self):
        """10 000,5 - 100 are 9 900,5 at 0,50: 4 950,25."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["res.lang"]._lang_get("fr_FR").thousands_sep = "."
        self.partner.lang = "fr_FR"
        self.metric.with_context(lang="fr_FR").write(
            {"name": "Appels", "unit_name": "appels par API"}
        )
        line = self._invoice("10000.5", included_quota=100)
        self.assertEqual(
            line.name.split("\n")[-1],
            "appels par API : 10.000,5 du 01/01/2026 au 31/01/2026,"
            f" dont 100 inclus, 9.900,5 à 0,50 {self.currency.name} chacun",
        )
        self.assertEqual(line.price_subtotal, 4950.25)
