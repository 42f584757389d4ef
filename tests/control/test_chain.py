from odoo.tests import tagged

from .case import ControlCase


@tagged("post_install", "-at_install")
class TestChain(ControlCase):
    """A month of a small company, worked out by hand; each cent has its reason."""

    def setUp(self):
        super().setUp()
        self.second, second_partner = self.another_app()
        # 250 of 300 are left: 150 x 0.50 = 75.00
        self._record(250)
        self._record(50)._void("A test run of the app")
        self.declare(300)
        # A metric that the plan has no price for: 5 that nobody bills.
        self.storage = self._create_metric(code="storage", name="Storage")
        self._record(5, metric=self.storage)
        self.posted = self.bill()
        # 200 in another currency: 100 x 0.50 = 50.00, which are 62.50 of ours.
        currency = self.euro_like()
        plan = self._create_plan(name="Abroad")
        self._create_charge(plan_id=plan.id, currency_id=currency.id)
        pricelist = self.env["product.pricelist"].create(
            {"name": "Abroad", "currency_id": currency.id}
        )
        self.abroad = self._create_subscription(
            partner_id=second_partner.id, plan_id=plan.id, pricelist_id=pricelist.id
        )
        self._record(200, order=self.abroad)
        self.bill(self.abroad)
        # 200 with tax included: 50.00, of which 41.32 are revenue.
        plan = self._create_plan(name="With tax")
        product = self.taxed_product()
        self._create_charge(plan_id=plan.id, product_id=product.id)
        self.taxed = self._create_subscription(plan_id=plan.id)
        self._record(200, order=self.taxed)
        self.bill(self.taxed)
        # 300 each: 200 x 0.50 = 100.00
        names = ("forgiven", "again", "edited", "draft", "open_one")
        for name in names:
            setattr(self, name, self._create_subscription())
            self._record(300, order=getattr(self, name))
        self.credit(self.bill(self.forgiven))
        self.credit(self.bill(self.again), again=True)
        invoice = self.bill(self.edited, post=False)
        self.usage_line(invoice).price_unit = 80.0
        invoice.action_post()
        self.drafted = self.bill(self.draft, post=False)
        self.env["sale.order"].concat(
            *(getattr(self, name) for name in names), self.order
        )._fc_rate_usage()
        self.control = self.control()

    def amounts(self, order):
        line = self.line(self.control, order)
        return self.figures(
            line,
            "rated_amount",
            "open_amount",
            "draft_amount",
            "posted_amount",
            "journal_balance",
            "state",
        )

    def test_voided_usage_that_was_declared(self):
        line = self.line(self.control)
        self.assertEqual(
            self.figures(
                line,
                "declared_quantity",
                "accepted_quantity",
                "voided_quantity",
                "declared_difference",
                "void_difference",
                "declared_unexplained",
                "rated_quantity",
            ),
            (300, 250, 50, 50, 50, 0, 250),
        )
        self.assertEqual(self.amounts(self.order), (75, 0, 0, 75, 75, "explained"))
        self.assertIn("Of Which Voided 50", line.reasons)

    def test_usage_without_a_price(self):
        line = self.line(self.control, metric=self.storage)
        self.assertEqual(
            self.figures(
                line, "accepted_quantity", "unallocated_quantity", "rated_quantity"
            ),
            (0, 5, 0),
        )
        self.assertEqual(line.state, "pending")

    def test_another_currency(self):
        line = self.line(self.control, self.abroad)
        self.assertEqual(line.service_id, self.second)
        self.assertEqual(self.amounts(self.abroad), (50, 0, 0, 50, 62.5, "explained"))
        self.assertEqual(line.conversion_amount, 12.5)

    def test_tax_in_the_price(self):
        self.assertEqual(
            self.amounts(self.taxed), (50, 0, 0, 41.32, 41.32, "explained")
        )
        self.assertEqual(self.line(self.control, self.taxed).tax_amount, 8.68)

    def test_forgiven(self):
        self.assertEqual(self.amounts(self.forgiven), (100, 0, 0, 0, 0, "explained"))
        self.assertEqual(self.line(self.control, self.forgiven).forgiven_amount, 100)

    def test_credited_and_to_be_billed_again(self):
        """Nothing was forgiven: it is open once more, and the books hold nothing."""
        self.assertEqual(self.amounts(self.again), (100, 100, 0, 0, 0, "pending"))
        self.assertEqual(self.line(self.control, self.again).forgiven_amount, 0)

    def test_edited_by_hand(self):
        self.assertEqual(self.amounts(self.edited), (100, 0, 0, 80, 80, "explained"))
        self.assertEqual(self.line(self.control, self.edited).edited_amount, 20)

    def test_a_draft(self):
        self.assertEqual(self.amounts(self.draft), (100, 0, 100, 0, 0, "pending"))

    def test_not_invoiced_yet(self):
        self.assertEqual(self.amounts(self.open_one), (100, 100, 0, 0, 0, "pending"))

    def test_the_sum(self):
        """625.00 rated: 200 open, 100 on a draft, 100 forgiven, 20 edited, 8.68 tax.

        196.32 are left, and that is what the journal has.
        """
        [total] = self.control.total_ids.filtered(
            lambda t: t.metric_id == self.metric and t.service_id == self.service
        )
        self.assertEqual(
            self.figures(
                total,
                "rated_amount",
                "open_amount",
                "draft_amount",
                "forgiven_amount",
                "edited_amount",
                "tax_amount",
                "rounding_amount",
                "amount_unexplained",
                "posted_amount",
                "journal_balance",
            ),
            (625, 200, 100, 100, 20, 8.68, 0, 0, 196.32, 196.32),
        )
        self.assertEqual(total.state, "pending")

    def test_every_row_adds_up(self):
        self.assertEqual(len(self.control.line_ids), 9)
        for row in (*self.control.line_ids, *self.control.total_ids):
            with self.subTest(row.display_name):
                self.adds_up(row)

    def test_the_journal_says_the_same(self):
        """All that is in the accounts of usage, base fees left out."""
        usage = (self.usage_product | self.taxed.order_line.product_id).filtered(
            lambda p: p != self.base_product
        )
        items = self.env["account.move.line"].search(
            [("product_id", "in", usage.ids), ("parent_state", "=", "posted")]
        )
        self.assertEqual(
            round(sum(self.control.line_ids.mapped("journal_balance")), 2),
            round(-sum(items.mapped("balance")), 2),
        )

    def test_each_figure_leads_to_what_it_counts(self):
        def listed(action):
            return self.env[action["res_model"]].search(action["domain"])

        line = self.line(self.control)
        self.assertEqual(listed(line.action_view_accepted()).quantity, 250)
        self.assertEqual(listed(line.action_view_voided()).quantity, 50)
        self.assertEqual(listed(line.action_view_declared()).declared_quantity, 300)
        self.assertEqual(listed(line.action_view_rated()).amount, 75)
        self.assertEqual(listed(line.action_view_posted()), self.posted)
        self.assertEqual(listed(line.action_view_journal()).balance, -75)
        storage = self.line(self.control, metric=self.storage)
        self.assertEqual(listed(storage.action_view_unallocated()).quantity, 5)
        draft = self.line(self.control, self.draft)
        self.assertEqual(listed(draft.action_view_drafts()), self.drafted)
        forgiven = self.line(self.control, self.forgiven)
        self.assertEqual(listed(forgiven.action_view_adjustments()).forgiven, 100)
        items = listed(forgiven.action_view_journal())
        self.assertEqual(sorted(items.mapped("balance")), [-100, 100])
        self.assertEqual(
            listed(self.line(self.control, self.open_one).action_view_open()).amount,
            100,
        )
        [total] = self.control.total_ids.filtered(
            lambda t: t.metric_id == self.metric and t.service_id == self.service
        )
        self.assertEqual(
            listed(total.action_view_open()).subscription_id,
            self.again | self.open_one,
        )

    def test_a_draft_that_is_posted_leaves_the_drafts(self):
        self.drafted.action_post()
        self.control.action_compute()
        self.assertEqual(self.amounts(self.draft), (100, 0, 0, 100, 100, "agrees"))

    def test_a_credit_by_hand_beyond_the_line_is_not_explained(self):
        """5.00 more were given back than had been charged."""
        credit = self.posted._reverse_moves()
        credit.invoice_line_ids.filtered("fc_copied_from_id").price_unit = 80.0
        credit.fc_bill_again = False
        credit.action_post()
        self.control.action_compute()
        line = self.line(self.control)
        self.assertEqual(
            self.figures(
                line, "forgiven_amount", "posted_amount", "amount_unexplained", "state"
            ),
            (75, -5, 5, "differs"),
        )

    def test_a_duplicate_is_charged_beside_the_chain(self):
        self.posted.copy({"invoice_date": "2026-02-01"}).action_post()
        self.control.action_compute()
        line = self.line(self.control)
        self.assertEqual(line.posted_amount, 75)
        by_hand = sum(self.control.line_ids.mapped("by_hand_amount"))
        february = self.env["fusion.billing.control"].create(
            {"date_start": "2026-02-01", "date_end": "2026-02-28"}
        )
        february.action_compute()
        by_hand += sum(february.line_ids.mapped("by_hand_amount"))
        self.assertEqual(by_hand, 75)
