from odoo.tests import tagged

from .life_documents import DocumentCase


@tagged("post_install", "-at_install")
class TestDiscounts(DocumentCase):
    """A discount agreed on a subscription is a stage of its usage's price.

    A call costs 1.00, without a quota; the base fee is 10.00. 10 % off on all lines of
    the order: 9.00 and, for 100 calls, 90.00. It is the same whether it is agreed
    before the first usage, when there is no usage line yet, or after it.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.charge.write({"included_quota": 0, "price_per_unit": 1.0})

    def _agree(self, at, share=0.10, **values):
        """The button Discount of the order: on all order lines."""
        self.at(
            at,
            lambda: (
                self.env["sale.order.discount"]
                .create(
                    {
                        "sale_order_id": self.order.id,
                        "discount_type": "sol_discount",
                        "discount_percentage": share,
                        **values,
                    }
                )
                .action_apply_discount()
            ),
        )

    def _use_before_and_after(self, agreed):
        if agreed == "before the first usage":
            self._agree("2026-01-05 09:00:00")
        self.use(50, "2026-01-10", "a")
        self.day("2026-01-10 12:00:00")
        if agreed == "after it":
            self._agree("2026-01-15 09:00:00")
        self.use(50, "2026-01-20", "b")

    def _check_everywhere(self):
        """Invoice, ledger, API and audit know the same amount."""
        current = self.app_usage("2026-01-31 09:00:00")["current"]
        self.assertEqual([c["amount"] for c in current["charges"]], ["90.00"])
        invoice = self.day("2026-02-01 09:00:00")
        self.assertEqual(invoice.amount_untaxed, 99.0)  # 9.00 + 90.00
        self.assertEqual(self.usage_on(invoice), 90.0)
        [data] = self.told("rating.closed")
        self.assertEqual([r["amount"] for r in data["ratings"]], ["90.00"])
        past = self.app_usage("2026-02-02 09:00:00")["past"]
        self.assertEqual([c["amount"] for c in past[0]["charges"]], ["90.00"])
        self.assertEqual(self.audit().state, "clean")

    def test_agreed_before_the_first_usage(self):
        """There was no usage line to put it on: the calls cost 100.00."""
        self._use_before_and_after("before the first usage")
        self._check_everywhere()

    def test_agreed_after_the_first_usage(self):
        """The invoice said 90.00, the ledger and the app's figures 100.00."""
        self._use_before_and_after("after it")
        self._check_everywhere()

    def test_the_invoice_is_the_same_before_and_after(self):
        self._use_before_and_after("before the first usage")
        invoice = self.day("2026-02-01 09:00:00")
        self.assertEqual(self.usage_on(invoice), 90.0)

    def test_the_field_on_the_order(self):
        """Said on the order itself, of its usage alone."""
        self.order.fc_usage_discount = 10.0
        self._use_before_and_after(None)
        invoice = self.day("2026-02-01 09:00:00")
        self.assertEqual(invoice.amount_untaxed, 100.0)  # 10.00 + 90.00

    def test_agreed_until_it_is_changed(self):
        """What the drop-in asks: for how long. For good, it is on usage, too."""
        if "recurrence" not in self.env["sale.order.discount"]._fields:
            self.skipTest("This sale_subscription does not ask for how long.")
        self._agree("2026-01-05 09:00:00", recurrence="always")
        self._use_before_and_after(None)
        self._check_everywhere()

    def test_agreed_for_a_time(self):
        """On the fee alone: 9.00 in February, as the usage has a discount of its own.

        There was a usage line already, and its discount would have stayed.
        """
        if "recurrence" not in self.env["sale.order.discount"]._fields:
            self.skipTest("This sale_subscription does not ask for how long.")
        self.use(50, "2026-01-10", "a")
        self.day("2026-01-10 12:00:00")
        self._agree("2026-01-15 09:00:00", recurrence="once")
        self.assertEqual(self.order.fc_usage_discount, 0)
        invoice = self.day("2026-02-01 09:00:00")
        self.assertEqual(invoice.amount_untaxed, 59.0)  # 9.00 + 50.00
        self.assertEqual(self.usage_on(invoice), 50.0)

    def test_on_the_usage_line_alone(self):
        """A discount of one charge: the order's usage line shows it."""
        self.use(50, "2026-01-10", "a")
        self.day("2026-01-10 12:00:00")
        self.order.order_line.filtered("fc_charge_id").discount = 10.0
        self.use(50, "2026-01-20", "b")
        current = self.app_usage("2026-01-31 09:00:00")["current"]
        self.assertEqual([c["amount"] for c in current["charges"]], ["90.00"])
        invoice = self.day("2026-02-01 09:00:00")
        self.assertEqual(invoice.amount_untaxed, 100.0)  # 10.00 + 90.00

    def _renew_and_use(self):
        """Renewed on 20 January, from February on; 20 calls of February."""
        renewal = self.env["sale.order"].browse(
            self.order.prepare_renewal_order()["res_id"]
        )
        self.at("2026-01-20 09:00:00", renewal.action_confirm)
        self.day("2026-02-01 09:00:00")
        self.use(20, "2026-02-10", "renewed", order=renewal)
        self.day("2026-02-10 12:00:00")
        invoice = self.day("2026-03-01 09:00:00")
        return self.usage_on(invoice)

    def test_a_renewal_goes_on_with_it(self):
        """The customer was billed the full price from the day he stayed."""
        self._agree("2026-01-05 09:00:00")
        self.assertEqual(self._renew_and_use(), 18.0)  # 20 x 0.90

    def test_a_renewal_goes_on_with_the_one_of_a_line(self):
        self.use(50, "2026-01-10", "a")
        self.day("2026-01-10 12:00:00")
        self.order.order_line.filtered("fc_charge_id").discount = 25.0
        self.assertEqual(self._renew_and_use(), 15.0)  # 20 x 0.75

    def test_a_renewal_goes_on_without_it_on_one_line(self):
        """10 % on all usage, and none on calls."""
        self.use(50, "2026-01-10", "a")
        self.day("2026-01-10 12:00:00")
        self.order.fc_usage_discount = 10.0
        self.order.order_line.filtered("fc_charge_id").discount = 0.0
        self.assertEqual(self._renew_and_use(), 20.0)

    def test_it_lasts(self):
        """February's calls cost the same, and a late one of January, too."""
        self._use_before_and_after("after it")
        self.day("2026-02-01 09:00:00")
        self.use(10, "2026-01-31", "late", now="2026-02-02 00:00:00")
        self.use(20, "2026-02-10", "c")
        march = self.day("2026-03-01 09:00:00")
        # 10 x 0.90 + 20 x 0.90
        self.assertEqual(self.usage_on(march), 27.0)
        ratings = self.order.fc_rating_ids.filtered("amount")
        self.assertEqual(sorted(ratings.mapped("amount")), [9.0, 18.0, 90.0])

    def test_it_ends_and_then_all_is_voided(self):
        """He paid 90.00 and gets 90.00 back, not 100.00."""
        self._use_before_and_after("after it")
        self.day("2026-02-01 09:00:00")
        self.order.order_line.discount = 0
        self.void("a", "2026-02-10 09:00:00")
        self.void("b", "2026-02-10 09:00:00")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 0.0)
        self.assertEqual(self.net_total(), 29.0)  # 10.00 + 9.00 + 10.00

    def test_it_ends_and_a_call_comes_late(self):
        """January was settled with 10 % off: that is what its calls cost."""
        self._use_before_and_after("after it")
        self.day("2026-02-01 09:00:00")
        self.order.order_line.discount = 0
        self.use(10, "2026-01-31", "late", now="2026-02-02 00:00:00")
        self.use(20, "2026-02-10", "c")
        march = self.day("2026-03-01 09:00:00")
        self.assertEqual(self.usage_on(march), 29.0)  # 10 x 0.90 + 20 x 1.00

    def test_the_invoice_is_what_its_lines_are(self):
        """A call at 14.17, less 10 % 12.753: 12.75. Two such lines are 25.50.

        Odoo adds up what lines come to before it rounds: as 14.17 less 10 % on the
        invoice, both would make 25.506, and the customer would be billed 25.51.
        """
        self.charge.price_per_unit = 14.17
        other = self._create_metric(name="Other", code="other")
        self._create_charge(metric_id=other.id, included_quota=0, price_per_unit=14.17)
        self._agree("2026-01-05 09:00:00")
        self.use(1, "2026-01-10", "a")
        self.use(1, "2026-01-10", "b", metric=other)
        invoice = self.day("2026-02-01 09:00:00")
        lines = invoice.invoice_line_ids.filtered("fc_rating_ids")
        self.assertEqual(lines.mapped("price_unit"), [12.75, 12.75])
        self.assertEqual(lines.mapped("discount"), [0.0, 0.0])
        for line in lines:
            self.assertIn("14.17 USD each, less 10%", line.name)
        self.assertEqual(invoice.amount_untaxed, 34.5)  # 9.00 + 2 x 12.75

    def test_it_is_rounded_once(self):
        """5 calls at 0.125 are 0.625, less 10 % 0.5625: 0.56. Of 0.63 it was 0.57."""
        self.charge.price_per_unit = 0.125
        self.use(1, "2026-01-10", "a")
        self.day("2026-01-10 12:00:00")
        self._agree("2026-01-15 09:00:00")
        self.use(4, "2026-01-20", "b")
        invoice = self.day("2026-02-01 09:00:00")
        self.assertEqual(self.usage_on(invoice), 0.56)

    def test_whole_batches_less_a_fifth(self):
        """3 batches of 50 at 5.00, a fifth off: 12.00."""
        self.charge.write(
            {"charge_model": "package", "unit_batch": 50, "price_per_unit": 5.0}
        )
        self._agree("2026-01-05 09:00:00", share=0.20)
        self.use(101, "2026-01-10", "a")
        invoice = self.day("2026-02-01 09:00:00")
        self.assertEqual(self.usage_on(invoice), 12.0)
