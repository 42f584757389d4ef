import json
import unittest
from decimal import Decimal, localcontext

from ..errors import BillingError
from ..money import round_amount
from ..pricing import CHARGE_MODELS, PriceTerms, price


def _terms(model, included, unit_price, unit_batch):
    return PriceTerms(
        model, Decimal(included), Decimal(unit_price), Decimal(unit_batch)
    )


class TestPrice(unittest.TestCase):
    def test_amounts_computed_by_hand(self):
        for model, quota, unit_price, batch, quantity, billable, amount in (
            ("standard", "0", "0.50", "1", "10", "10", "5"),
            ("standard", "100", "0.02", "1", "99.5", "0", "0"),
            ("standard", "100", "0.02", "1", "100", "0", "0"),
            ("standard", "100", "0.02", "1", "150", "50", "1"),
            ("standard", "1000", "4", "1000", "3500", "2500", "10"),
            ("standard", "0", "3", "3", "1", "1", "1"),  # a third of 3 is 1
            ("standard", "0", "0.0000001", "1", "1", "1", "0.0000001"),
            ("standard", "0", "0", "1", "7", "7", "0"),
            ("package", "100", "5", "1000", "100", "0", "0"),
            ("package", "99.9", "5", "1000", "100", "0.1", "5"),
            ("package", "100", "5", "1000", "1100", "1000", "5"),
            ("package", "100", "5", "1000", "1101", "1001", "10"),
            ("package", "0", "2", "0.5", "1.2", "1.2", "6"),
        ):
            with self.subTest(model=model, quantity=quantity, quota=quota):
                terms = _terms(model, quota, unit_price, batch)
                result = price(terms, Decimal(quantity))
                self.assertEqual(result.amount, Decimal(amount))
                self.assertEqual(result.billable, Decimal(billable))
                self.assertEqual(result.included + result.billable, Decimal(quantity))
                self.assertEqual(sum(s.amount for s in result.steps), Decimal(amount))

    def test_nothing_is_rounded_on_the_way(self):
        """26 digits of quantity times 17 of price: more than the default 28."""
        terms = _terms("standard", "0", "0.12345678901234567", "1")
        with localcontext() as context:
            context.prec = 5  # nor does the caller's context matter
            result = price(terms, Decimal("9999999999999999.9999999999"))
        self.assertEqual(
            result.amount, Decimal("1234567890123456.699999999987654321098765433")
        )
        self.assertEqual(
            round_amount(result.amount, Decimal("0.01")), Decimal("1234567890123456.70")
        )

    def test_a_price_without_end_is_rounded_right(self):
        result = price(_terms("standard", "0", "1", "3"), Decimal("2"))
        self.assertEqual(round_amount(result.amount, Decimal("0.01")), Decimal("0.67"))

    def test_the_explanation_is_json_with_decimal_text(self):
        result = price(_terms("standard", "1000", "4.00", "1000"), Decimal("3500"))
        self.assertEqual(
            json.loads(json.dumps(result.as_dict())),
            {
                "model": "standard",
                "quantity": "3500",
                "included": "1000",
                "billable": "2500",
                "quota": "1000",
                "unit_price": "4",
                "unit_batch": "1000",
                "amount": "10",
                "steps": [
                    {
                        "label": "standard, per 1000",
                        "quantity": "2.5",
                        "unit_price": "4",
                        "amount": "10",
                    }
                ],
            },
        )

    def test_nothing_billable_takes_no_steps(self):
        for model in CHARGE_MODELS:
            with self.subTest(model=model):
                result = price(_terms(model, "10", "1", "1"), Decimal("10"))
                self.assertEqual((result.amount, result.steps), (0, ()))

    def test_terms_that_make_no_price_are_refused(self):
        for values, field in (
            (("free", "0", "1", "1"), "model"),
            (("standard", "-1", "1", "1"), "included"),
            (("standard", "0", "-0.01", "1"), "unit_price"),
            (("standard", "0", "nan", "1"), "unit_price"),
            (("standard", "0", "1", "0"), "unit_batch"),
            (("standard", "0", "1", "-1"), "unit_batch"),
            (("standard", "0", "1", "inf"), "unit_batch"),
        ):
            with self.subTest(values=values):
                with self.assertRaises(BillingError) as caught:
                    _terms(*values)
                self.assertEqual(caught.exception.field, field)

    def test_a_quantity_that_is_none_is_refused(self):
        for quantity in ("-1", "nan", "inf"):
            with self.subTest(quantity=quantity), self.assertRaises(BillingError):
                price(_terms("standard", "0", "1", "1"), Decimal(quantity))
