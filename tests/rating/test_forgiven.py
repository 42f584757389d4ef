from odoo.tests import tagged

from .life_documents import DocumentCase


class ForgivenCase(DocumentCase):
    """A call costs 1.00, without a quota. January has 100 calls: 100.00."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.charge.write({"included_quota": 0, "price_per_unit": 1.0})

    def _use(self, *quantities):
        """Record events of January with the keys "a", "b", ..."""
        for number, quantity in enumerate(quantities):
            self.use(quantity, f"2026-01-{10 + number}", "abcdef"[number])

    def _void(self, *keys):
        for key in keys:
            self.void(key, "2026-02-06 09:00:00")
        return self.day("2026-03-01 09:00:00")


@tagged("post_install", "-at_install")
class TestCreditedForGood(ForgivenCase):
    """Credit notes that are not billed again, of a line or of a part of it.

    What was forgiven is the customer's once: a void of the same calls first uses it up.
    Three base fees of 10.00 are invoiced up to 1 March.
    """

    def _invoice(self, *quantities):
        self._use(*quantities)
        return self.day("2026-02-01 09:00:00")

    def test_forgiven_in_full_then_voided(self):
        """He had his 100.00 back, and got them once more: -70.00 in all."""
        invoice = self._invoice(100)
        self.credit(invoice, "2026-02-05 09:00:00", again=False)
        self._void("a")
        self.assertEqual(self.net(), 0.0)  # 100.00 - 100.00; min(100 - 100, 0) = 0
        self.assertEqual(self.net_total(), 30.0)

    def test_forgiven_in_part_then_voided(self):
        """40.00 of 100.00 were credited: 60.00 are left to be given back."""
        invoice = self._invoice(100)
        self.credit(invoice, "2026-02-05 09:00:00", amount=40.0)
        self._void("a")
        self.assertEqual(self.net(), 0.0)  # 100.00 - 40.00 - 60.00
        self.assertEqual(self.net_total(), 30.0)

    def test_forgiven_in_part_then_voided_in_part(self):
        invoice = self._invoice(70, 30)
        self.credit(invoice, "2026-02-05 09:00:00", amount=40.0)
        self._void("b")
        # T = 70, R = 100, F = 40: min(100 - 40, 70) = 60, which he has paid
        self.assertEqual(self.net(), 60.0)

    def test_forgiven_in_part_then_more_voided_than_forgiven(self):
        invoice = self._invoice(25, 75)
        self.credit(invoice, "2026-02-05 09:00:00", amount=40.0)
        self._void("b")
        self.assertEqual(self.net(), 25.0)  # min(60, 25)

    def test_forgiven_in_part_then_a_call_comes_late(self):
        invoice = self._invoice(100)
        self.credit(invoice, "2026-02-05 09:00:00", amount=40.0)
        self.use(10, "2026-01-31", "late", now="2026-02-06 00:00:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 70.0)  # 110 - 40

    def test_a_void_and_as_much_anew_come_to_the_same(self):
        """100 calls were sent with a wrong hour: voided, and sent once more."""
        invoice = self._invoice(100)
        self.credit(invoice, "2026-02-05 09:00:00", amount=40.0)
        self._void("a")
        self.use(100, "2026-01-12", "anew", now="2026-03-05 00:00:00")
        self.day("2026-04-01 09:00:00")
        self.assertEqual(self.net(), 60.0)  # T = R = 100: 100 - 40

    def test_voided_first_then_the_rest_forgiven(self):
        """The invoice says 100.00, the next one gives 30.00 back; 70.00 forgiven."""
        invoice = self._invoice(70, 30)
        self._void("b")
        self.assertEqual(self.net(), 70.0)
        self.credit(invoice, "2026-03-05 09:00:00", amount=70.0)
        self.void("a", "2026-03-06 09:00:00")
        self.day("2026-04-01 09:00:00")
        self.assertEqual(self.net(), 0.0)

    def test_forgiven_twice(self):
        """40.00, then 30.00 more; half of the calls are voided."""
        invoice = self._invoice(50, 50)
        self.credit(invoice, "2026-02-05 09:00:00", amount=40.0)
        self.credit(invoice, "2026-02-05 10:00:00", amount=30.0)
        self._void("b")
        # The first: min(100 - 40, 50) = 50. The second was at 60, 50 now:
        # min(60 - 30, 50) = 30, which he has paid.
        self.assertEqual(self.net(), 30.0)

    def test_a_part_forgiven_within_whole_batches(self):
        """Batches of 10 at 5.00: 95 calls are 10 batches, 50.00; 20.00 forgiven."""
        self.charge.write(
            {"charge_model": "package", "unit_batch": 10, "price_per_unit": 5.0}
        )
        invoice = self._invoice(61, 34)
        self.credit(invoice, "2026-02-05 09:00:00", amount=20.0)
        self._void("b")
        # 61 calls are 7 batches, 35.00: min(50 - 20, 35) = 30.00
        self.assertEqual(self.net(), 30.0)

    # -- parts that add up to the line -------------------------------------------

    def test_two_credits_that_add_up_are_a_full_one(self):
        """20.00 + 30.00 of 50.00: credited in full, and billed again."""
        invoice = self._invoice(50)
        self.credit(invoice, "2026-02-05 09:00:00", amount=20.0)
        self.credit(invoice, "2026-02-05 10:00:00", amount=30.0)
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)  # 50.00 - 20.00 - 30.00 + 50.00

    def test_three_credits_that_add_up_are_a_full_one(self):
        invoice = self._invoice(50)
        for hour, amount in (("09", 20.0), ("10", 25.0), ("11", 5.0)):
            self.credit(invoice, f"2026-02-05 {hour}:00:00", amount=amount)
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)

    def test_they_are_billed_again_only_if_all_of_them_say_so(self):
        invoice = self._invoice(50)
        self.credit(invoice, "2026-02-05 09:00:00", amount=20.0, again=False)
        self.credit(invoice, "2026-02-05 10:00:00", amount=30.0)
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 0.0)  # 50.00 - 20.00 - 30.00

    def test_one_of_the_parts_is_taken_back(self):
        """30.00 stay forgiven, and nothing is billed again."""
        invoice = self._invoice(50)
        part = self.credit(invoice, "2026-02-05 09:00:00", amount=20.0)
        self.credit(invoice, "2026-02-05 10:00:00", amount=30.0)
        self.undo(part, "2026-02-05 11:00:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 20.0)  # 50.00 - 30.00

    def test_a_full_credit_to_be_billed_again_ends_a_part_before_it(self):
        """20.00 were credited, then the whole line, 20.00 more than was left of it.

        Those are the customer's by hand. All usage is billed anew, at its full price.
        """
        invoice = self._invoice(50)
        self.credit(invoice, "2026-02-05 09:00:00", amount=20.0)
        self.credit(invoice, "2026-02-05 11:00:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 30.0)  # 50.00 - 20.00 - 50.00 + 50.00
        self.use(1, "2026-01-31", "late", now="2026-03-06 09:00:00")
        self.day("2026-04-01 09:00:00")
        self.assertEqual(self.net(), 31.0)


@tagged("post_install", "-at_install")
class TestEditedDraft(ForgivenCase):
    """Finance changes the usage line of a draft before it is posted."""

    @classmethod
    def _create_plan(cls, **values):
        return super()._create_plan(**{"invoice_posting": "draft"} | values)

    @classmethod
    def _create_subscription(cls, **values):
        order = super()._create_subscription(**values)
        order.invoice_ids.filtered(lambda m: m.state == "draft").action_post()
        return order

    def _post_edited(self, *quantities, **values):
        self._use(*quantities)
        draft = self.day("2026-02-01 09:00:00")
        self._lines_of_usage(draft).write(values)
        return self.post(draft, "2026-02-01 10:00:00")

    def _void(self, *keys):
        draft = super()._void(*keys)
        return self.post(draft, "2026-03-01 10:00:00")

    def test_lowered_then_voided(self):
        """60.00 instead of 100.00: he gets 60.00 back, not 100.00."""
        self._post_edited(100, price_unit=60.0)
        self.assertEqual(self.net(), 60.0)
        self._void("a")
        self.assertEqual(self.net(), 0.0)
        self.assertEqual(self.net_total(), 30.0)

    def test_lowered_then_voided_in_part(self):
        self._post_edited(70, 30, price_unit=60.0)
        self._void("b")
        self.assertEqual(self.net(), 60.0)  # min(100 - 40, 70)

    def test_lowered_then_a_call_comes_late(self):
        self._post_edited(100, price_unit=60.0)
        self.use(1, "2026-01-31", "late", now="2026-02-06 09:00:00")
        self._void()
        self.assertEqual(self.net(), 61.0)  # 101 - 40

    def test_raised_then_voided_in_part(self):
        """120.00 instead of 100.00: the higher price counts for what is left."""
        self._post_edited(50, 50, price_unit=120.0)
        self._void("b")
        self.assertEqual(self.net(), 60.0)  # 50 x 120 / 100

    def test_raised_then_voided(self):
        self._post_edited(100, price_unit=120.0)
        self._void("a")
        self.assertEqual(self.net(), 0.0)

    def test_half_the_quantity_then_voided_in_part(self):
        self._post_edited(40, 60, quantity=0.5)
        self._void("b")
        self.assertEqual(self.net(), 40.0)  # min(100 - 50, 40)

    def test_a_discount_on_the_draft_then_voided(self):
        """10 % off on this invoice alone is forgiveness: 90.00."""
        self._post_edited(95, 5, discount=10.0)
        self.assertEqual(self.net(), 90.0)
        self._void("b")
        self.assertEqual(self.net(), 90.0)  # min(100 - 10, 95)

    def test_a_discount_on_the_draft_then_all_is_voided(self):
        self._post_edited(100, discount=10.0)
        self._void("a")
        self.assertEqual(self.net(), 0.0)
        self.assertEqual(self.net_total(), 30.0)

    def test_lowered_and_credited_to_be_billed_again(self):
        """The full credit note ends the lower price: billed again at 100.00."""
        invoice = self._post_edited(100, price_unit=60.0)
        self.credit(invoice, "2026-02-05 09:00:00")
        self._void()
        self.assertEqual(self.net(), 100.0)  # 60.00 - 60.00 + 100.00
