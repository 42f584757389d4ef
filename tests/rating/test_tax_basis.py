from odoo.fields import Command
from odoo.tests import tagged

from .life_documents import DocumentCase


@tagged("post_install", "-at_install")
class TestTaxBasis(DocumentCase):
    """A price with tax in it is adapted by a fiscal position as a product's price is.

    A call costs 0.12 with 20 % tax in it, and there is no quota. 100 calls are 12.00
    with tax, 10.00 without.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.included = cls._tax("20 % included", 20, True)
        cls.usage_product.taxes_id = cls.included
        cls.base_product.taxes_id = cls.included
        cls.charge.write({"included_quota": 0, "price_per_unit": 0.12})

    @classmethod
    def _tax(cls, name, amount, included, **values):
        return cls.env["account.tax"].create(
            {
                "name": name,
                "amount": amount,
                "amount_type": "percent",
                "type_tax_use": "sale",
                "price_include_override": f"tax_{'in' if included else 'ex'}cluded",
                **values,
            }
        )

    def _customer(self, amount=None, included=False, tax=None):
        """A customer whose fiscal position puts another tax in place of the 20 %."""
        self.partner = self.env["res.partner"].create({"name": "Sample abroad"})
        self._create_link(external_id="acc-abroad", partner_id=self.partner.id)
        if amount is not None:
            position = self.env["account.fiscal.position"].create({"name": "Abroad"})
            self._tax(
                f"{amount} % abroad",
                amount,
                included,
                fiscal_position_ids=[Command.link(position.id)],
                original_tax_ids=[Command.set((tax or self.included).ids)],
            )
            self.partner.property_account_position_id = position
        self.order = self._create_subscription(partner_id=self.partner.id)

    def _invoice(self, calls=100):
        self.use(calls, "2026-01-10", "a")
        return self.day("2026-02-01 09:00:00")

    # -- money on invoices -------------------------------------------------------

    def test_at_home(self):
        self._customer()
        invoice = self._invoice()
        line = self._lines_of_usage(invoice)
        self.assertEqual((line.price_subtotal, line.price_total), (10.0, 12.0))

    def test_export_without_tax(self):
        """The customer abroad paid the 20 % as if they were ours to keep: 12.00."""
        self._customer(0)
        line = self._lines_of_usage(self._invoice())
        self.assertEqual((line.price_subtotal, line.price_total), (10.0, 10.0))

    def test_another_rate_included(self):
        """Of 12.00 with 25 % in it 9.60 was left."""
        self._customer(25, included=True)
        line = self._lines_of_usage(self._invoice())
        self.assertEqual((line.price_subtotal, line.price_total), (10.0, 12.5))

    def test_another_rate_on_top(self):
        self._customer(25)
        line = self._lines_of_usage(self._invoice())
        self.assertEqual((line.price_subtotal, line.price_total), (10.0, 12.5))

    def test_a_price_without_tax_stays_what_it_is(self):
        on_top = self._tax("20 % on top", 20, False)
        self.usage_product.taxes_id = on_top
        self._customer(0, tax=on_top)
        line = self._lines_of_usage(self._invoice())
        self.assertEqual((line.price_subtotal, line.price_total), (12.0, 12.0))

    def test_late_usage_and_voids_abroad(self):
        self._customer(0)
        self._invoice()
        self.use(50, "2026-01-20", "b", now="2026-02-03 00:00:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 15.0)  # 150 x 0.10
        self.void("a", "2026-03-03 00:00:00")
        self.day("2026-04-01 09:00:00")
        self.assertEqual(self.net(), 5.0)  # 50 x 0.10
        self.void("b", "2026-04-03 00:00:00")
        self.day("2026-05-01 09:00:00")
        self.assertEqual(self.net(), 0.0)

    def test_a_credit_note_abroad_is_billed_again_at_the_same_price(self):
        self._customer(0)
        invoice = self._invoice()
        self.credit(invoice, "2026-02-05 09:00:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 10.0)  # 10.00 - 10.00 + 10.00

    def test_whole_batches_abroad(self):
        """Batches of 50 at 6.00 with tax, 5.00 without: 101 calls are three."""
        self.charge.write(
            {"charge_model": "package", "unit_batch": 50, "price_per_unit": 6.0}
        )
        self._customer(25, included=True)
        line = self._lines_of_usage(self._invoice(101))
        # 3 x 5.00 = 15.00, and 25 %
        self.assertEqual((line.price_subtotal, line.price_total), (15.0, 18.75))

    # -- what apps are told ------------------------------------------------------

    def _reconcile(self, amount):
        return self.at(
            "2026-02-02 09:00:00",
            lambda: self.service._api_reconcile(
                {
                    "subscription_external_id": str(self.order.id),
                    "metric_code": self.metric.code,
                    "window_start": "2026-01-01",
                    "window_end": "2026-02-01",
                    "declared_quantity": "100",
                    "declared_amount": amount,
                }
            ),
        )

    def _check_figures(self):
        """Everywhere the untaxed 10.00, as the pages for developers say."""
        self.use(100, "2026-01-10", "a")
        current = self.app_usage("2026-01-20 09:00:00")["current"]
        self.assertEqual([c["amount"] for c in current["charges"]], ["10.00"])
        invoice = self.day("2026-02-01 09:00:00")
        past = self.app_usage("2026-02-02 09:00:00")["past"]
        self.assertEqual([c["amount"] for c in past[0]["charges"]], ["10.00"])
        [told] = [
            rating
            for data in self.told("rating.closed")
            if data["subscription_id"] == self.order.id
            for rating in data["ratings"]
        ]
        self.assertEqual((told["amount"], told["quantity"]), ("10.00", "100"))
        lines = self.service._api_invoice(str(invoice.id))["lines"]
        figures = [[u["amount"] for u in x["usage"]] for x in lines if x["usage"]]
        self.assertEqual(figures, [["10.00"]])
        answer = self._reconcile("10.00")
        self.assertEqual(answer["ours"]["amount"], "10.00")
        self.assertEqual(answer["state"], "matched")
        self.assertEqual(self.audit().state, "clean")

    def test_figures_at_home(self):
        self._customer()
        self._check_figures()

    def test_figures_of_an_export(self):
        self._customer(0)
        self._check_figures()

    def test_figures_at_another_rate(self):
        self._customer(25, included=True)
        self._check_figures()

    def test_the_webhook_alone(self):
        self._customer()
        self._invoice()
        [data] = self.told("rating.closed")
        self.assertEqual([r["amount"] for r in data["ratings"]], ["10.00"])

    def test_the_invoice_in_the_api_alone(self):
        self._customer()
        invoice = self._invoice()
        answer = self.service._api_invoice(str(invoice.id))
        [line] = [x for x in answer["lines"] if x["usage"]]
        self.assertEqual(line["amount"], "10.00")
        self.assertEqual([u["amount"] for u in line["usage"]], ["10.00"])
        # two lines of 12.00 with tax: the base fee costs 10.00 with tax, 8.33 without
        self.assertEqual(answer["amount_untaxed"], "18.33")

    def test_the_reconciliation_alone(self):
        self._customer()
        self._invoice()
        answer = self._reconcile("10.00")
        self.assertEqual(answer["ours"]["amount"], "10.00")
        self.assertEqual(answer["state"], "matched")
