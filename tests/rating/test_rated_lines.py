from odoo.fields import Command
from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestRatedLines(BillingCase):
    """Lines of several subscriptions, rated at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._create_subscription(
            partner_id=cls.env["res.partner"].create({"name": "Other Customer"}).id
        )
        cls.orders = cls.order | cls.other

    def test_each_customer_reads_the_own_language(self):
        """What lines have in common is written once, for each language."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["res.lang"]._lang_get("fr_FR").thousands_sep = "."
        self.metric.with_context(lang="fr_FR").name = "Appels"
        self.other.partner_id.lang = "fr_FR"
        third = self._create_subscription()
        self._record("1250.5")
        self._record("1250.5", order=self.other)
        self._record("1300", order=third)
        (self.orders | third)._fc_rate_usage()
        end = f" at 0.50 {self.currency.name} each"
        self.assertEqual(
            [self._usage_line(order).name for order in (self.order, self.other, third)],
            [
                "API calls\ncalls: 1,250.5 from 01/01/2026 to 01/31/2026,"
                f" 100 included, 1,150.5{end}",
                "Appels\ncalls : 1.250,5 du 01/01/2026 au 31/01/2026, dont 100 inclus,"
                f" 1.150,5 à 0,50 {self.currency.name} chacun",
                "API calls\ncalls: 1,300 from 01/01/2026 to 01/31/2026,"
                f" 100 included, 1,200{end}",
            ],
        )

    def test_languages_that_are_translated(self):
        """The numbers were written as in German, the words in English."""
        currency = self.currency.name
        for code, days, rest in (
            (
                "de_DE",
                "vom 01.01.2026 bis 31.01.2026",
                "100 inklusive, 1.150,5 zu je 0,50 XXX",
            ),
            (
                "es_ES",
                "del 01/01/2026 al 31/01/2026",
                "100 incluidos, 1.150,5 a 0,50 XXX cada uno",
            ),
            (
                "it_IT",
                "dal 01/01/2026 al 31/01/2026",
                "100 inclusi, 1.150,5 a 0,50 XXX cadauno",
            ),
            (
                "nl_NL",
                "van 01-01-2026 tot en met 31-01-2026",
                "100 inbegrepen, 1.150,5 à 0,50 XXX per stuk",
            ),
        ):
            self.env["res.lang"]._activate_lang(code)
            partner = self.env["res.partner"].create({"name": code, "lang": code})
            order = self._create_subscription(partner_id=partner.id)
            self._record("1250.5", order=order)
            order._fc_rate_usage()
            with self.subTest(code):
                name = self._usage_line(order).name
                self.assertIn(f"{days}, {rest.replace('XXX', currency)}", name)

    def test_each_line_tells_its_own_price_and_window(self):
        """What differs within one run is not taken for what lines have in common."""
        packages = self._create_charge(
            metric_id=self._create_metric(code="mails", name="Mails", unit_name="").id,
            charge_model="package",
            included_quota=0,
            unit_batch=10,
            price_per_unit=2.0,
        )
        self._set_window(self.other, "2026-02-01", "2026-03-01")
        for order, day in ((self.order, "01-10"), (self.other, "02-10")):
            self._record(101, f"2026-{day} 00:00:00", order)
            self._record(11, f"2026-{day} 00:00:00", order, packages.metric_id)
        self.orders._fc_rate_usage()
        for order, days in (
            (self.order, "from 01/01/2026 to 01/31/2026"),
            (self.other, "from 02/01/2026 to 02/28/2026"),
        ):
            name = self.currency.name
            self.assertEqual(
                self._usage_line(order).name,
                f"API calls\ncalls: 101 {days}, 100 included, 1 at 0.50 {name} each",
            )
            self.assertEqual(
                self._usage_line(order, packages).name,
                f"Mails\n11 {days}, started packages of 10: 2 at 2.00 {name}",
            )

    def test_stored_amounts_are_those_of_a_fresh_computation(self):
        tax = self.env["account.tax"].create(
            {"name": "On usage", "amount": 15, "type_tax_use": "sale"}
        )
        self.usage_product.taxes_id = [Command.set(tax.ids)]
        # 151 - 100 = 51 x 0.50 = 25.50; then 201 - 100 = 101 x 0.50 = 50.50. The
        # other order's are created by the second run, 1 x 0.50 = 0.50.
        self._record(151)
        self.orders._fc_rate_usage()
        self._record(50)
        self._record(101, order=self.other)
        self.orders._fc_rate_usage()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(
            [(o.amount_untaxed, o.amount_tax, o.amount_total) for o in self.orders],
            [(60.5, 7.58, 68.08), (10.5, 0.08, 10.58)],
        )
        self._assert_fresh()

    def test_new_lines_have_the_analytic_distribution_of_their_product(self):
        self._record(101)
        self.order._fc_rate_usage()
        plan = self.env["account.analytic.plan"].create({"name": "Departments"})
        account = self.env["account.analytic.account"].create(
            {"name": "Sales", "plan_id": plan.id}
        )
        self.env["account.analytic.distribution.model"].create(
            {
                "product_id": self.usage_product.id,
                "analytic_distribution": {account.id: 100},
            }
        )
        self._record(101, order=self.other)
        self.other._fc_rate_usage()
        self.assertEqual(
            self._usage_line(self.other).analytic_distribution, {str(account.id): 100}
        )

    def test_amounts_that_go_down_to_nothing(self):
        event = self._record(151)
        self.orders._fc_rate_usage()
        event._void("sent by mistake")
        self.orders._fc_rate_usage()
        self.assertEqual(self._usage_line().price_subtotal, 0)
        self.assertEqual(self.order.amount_total, 10.0)
        self._assert_fresh()

    def _assert_fresh(self):
        """Nothing stored changes when all stored computed fields are computed anew."""
        self.env.flush_all()
        for records in (self.orders.order_line, self.orders):
            fields = [
                field
                for field in records._fields.values()
                if field.compute
                and field.store
                and field.type in ("float", "monetary", "integer", "selection")
                # Prices and quantities are entered: Odoo computes a proposal only.
                and field.readonly
            ]
            self.env.invalidate_all()
            before = self._stored(records, fields)
            for field in fields:
                self.env.add_to_compute(field, records)
            self.env.flush_all()
            self.env.invalidate_all()
            self.assertEqual(self._stored(records, fields), before)

    @staticmethod
    def _stored(records, fields):
        return [[(f.name, record[f.name]) for f in fields] for record in records]
