import json
import unittest
from decimal import Decimal, localcontext

from ..billing.charge_models import CHARGE_MODELS, Tier
from ..billing.money import round_amount
from ..billing.pricing import PriceTerms, price
from ..errors import BillingError


def _terms(model, included, unit_price, unit_batch):
    return PriceTerms(
        model, Decimal(included), Decimal(unit_price), Decimal(unit_batch)
    )


def _tiers(*rows):
    """Rows of last unit ("" for none), price and flat fee."""
    return tuple(
        Tier(Decimal(up_to) if up_to else None, Decimal(unit_price), Decimal(fee))
        for up_to, unit_price, fee in rows
    )


class TestTiers(unittest.TestCase):
    """1 to 100 at 1.00 and 5.00 flat, to 1000 at 0.50, then 0.10 and 20.00 flat."""

    tiers = _tiers(("100", "1", "5"), ("1000", "0.50", "0"), ("", "0.10", "20"))

    def price(self, model, quantity, quota="0", batch="1", minimum="0"):
        numbers = (Decimal(quota), Decimal(0), Decimal(batch))
        terms = PriceTerms(model, *numbers, self.tiers, Decimal(minimum))
        self.assertEqual(
            PriceTerms.from_dict(price(terms, Decimal(7)).as_dict()), terms
        )
        result = price(terms, Decimal(quantity))
        self.assertEqual(sum(step.amount for step in result.steps), result.amount)
        return result

    def check(self, model, **options):
        for quantity, amount in options.pop("amounts"):
            with self.subTest(model=model, quantity=quantity, **options):
                result = self.price(model, quantity, **options)
                self.assertEqual(result.amount, Decimal(amount))

    def test_graduated_each_unit_at_the_price_of_its_tier(self):
        self.check(
            "graduated",
            amounts=(
                ("0", "0"),
                ("0.5", "5.50"),
                ("100", "105"),
                ("101", "105.50"),  # 100 + 5, and one at 0.50
                ("1000", "555"),  # 105 + 900 x 0.50
                ("1000.5", "575.05"),  # + half a unit at 0.10, and 20 flat
                ("2000", "675"),  # 555 + 1000 x 0.10 + 20
            ),
        )

    def test_volume_all_units_at_the_price_of_the_last(self):
        self.check(
            "volume",
            amounts=(
                ("0", "0"),
                ("100", "105"),
                ("100.0000000001", "50.00000000005"),
                ("1000", "500"),
                ("1001", "120.10"),  # 1001 x 0.10 + 20
            ),
        )

    def test_the_quota_goes_off_first(self):
        # 250 used, 100 included: 150 billable
        self.check("graduated", quota="100", amounts=(("250", "130"),))
        self.check("volume", quota="100", amounts=(("250", "75"),))

    def test_a_price_for_a_batch(self):
        # 150 units: 100 / 50 x 1.00 + 5 + 50 / 50 x 0.50
        self.check("graduated", batch="50", amounts=(("150", "7.50"),))

    def test_thirds_of_a_price_stay_exact(self):
        """Three tiers of one unit each, 0.005 for a batch of 3: half a cent in all."""
        tiers = _tiers(("1", "0.005", "0"), ("2", "0.005", "0"), ("", "0.005", "0"))
        zero = Decimal(0)
        terms = PriceTerms("graduated", zero, zero, Decimal(3), tiers)
        amount = price(terms, Decimal(3)).amount
        self.assertEqual(round_amount(amount, Decimal("0.01")), Decimal("0.01"))

    def test_a_step_of_a_tier_names_it_and_its_units(self):
        result = self.price("graduated", "150", batch="50")
        self.assertEqual(
            [
                (s["tier"], s.get("units"), s["quantity"], s["unit_price"], s["amount"])
                for s in result.as_dict()["steps"]
            ],
            [
                (1, "100", "2", "1", "2"),
                (1, None, "1", "5", "5"),
                (2, "50", "1", "0.5", "0.5"),
            ],
        )

    def test_a_minimum_is_a_step_of_its_own(self):
        self.check(
            "graduated",
            minimum="30",
            amounts=(("0", "30"), ("10", "30"), ("25", "30"), ("26", "31")),
        )
        result = self.price("graduated", "10", minimum="30")
        self.assertEqual(
            [(step.label, step.amount) for step in result.steps],
            [("tier 1", 10), ("tier 1, flat fee", 5), ("minimum", 15)],
        )

    def test_tiers_that_make_no_price_are_refused(self):
        for model, tiers in (
            ("graduated", ()),
            ("standard", self.tiers),
            ("volume", _tiers(("100", "1", "0"))),
            ("volume", _tiers(("", "1", "0"), ("", "1", "0"))),
            ("volume", _tiers(("5", "1", "0"), ("5", "1", "0"), ("", "1", "0"))),
            ("volume", _tiers(("0", "1", "0"), ("", "1", "0"))),
            ("volume", _tiers(("", "-1", "0"))),
            ("volume", _tiers(("", "1", "nan"))),
        ):
            with self.subTest(model=model, tiers=tiers):
                with self.assertRaises(BillingError) as caught:
                    PriceTerms(model, Decimal(0), Decimal(0), Decimal(1), tiers)
                self.assertEqual(caught.exception.field, "tiers")


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
                tiers = _tiers(("", "1", "5")) if CHARGE_MODELS[model].has_tiers else ()
                terms = PriceTerms(model, *(Decimal(n) for n in (10, 1, 1)), tiers)
                result = price(terms, Decimal("10"))
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
