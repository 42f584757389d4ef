from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.sale_subscription.tests.discount_common import DiscountCase


@tagged("post_install", "-at_install")
class TestRewards(DiscountCase):
    """Rewards of promotions on a subscription of hosting at 100.00 a month."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["loyalty.program"].search([]).active = False

    def _create_program(self, reward=None, rule=None, **values):
        """A promotion for any order: 20 % off, unless the reward says otherwise."""
        defaults = {
            "name": "Sample promotion",
            "program_type": "promotion",
            "applies_on": "current",
            "trigger": "auto",
            "rule_ids": [Command.create(rule or {})],
            "reward_ids": [
                Command.create(
                    {
                        "reward_type": "discount",
                        "discount": 20,
                        "discount_mode": "percent",
                        "discount_applicability": "order",
                        **(reward or {}),
                    }
                )
            ],
        }
        return self.env["loyalty.program"].create(defaults | values)

    def _claim(self, order, program):
        order._update_programs_and_rewards()
        coupon = order.coupon_point_ids.coupon_id.filtered(
            lambda c: c.program_id == program
        )
        error = order._apply_program_reward(program.reward_ids, coupon)
        self.assertFalse(error)
        order._update_programs_and_rewards()

    def _quote_with(self, program, *products):
        order = self._quote(*products)
        self._claim(order, program)
        return order

    def test_first_invoice_only(self):
        """What programs did before, without saying so; the default."""
        order = self._run(self._quote_with(self._create_program()))
        self.assertEqual(order.recurring_monthly, 100)
        self.assertEqual(self._invoice_months(order, 2), [80, 100])

    def test_for_three_periods(self):
        program = self._create_program(
            subscription_recurrence="periods", subscription_periods=3
        )
        order = self._run(self._quote_with(program))
        self.assertEqual(order.recurring_monthly, 80)
        self.assertEqual(self._invoice_months(order, 4), [80, 80, 80, 100])
        self.assertLog(order, ("new", 80), ("expansion", 20))

    def test_always(self):
        program = self._create_program(subscription_recurrence="always")
        order = self._run(self._quote_with(program))
        self.assertEqual(self._invoice_months(order, 3), [80] * 3)

    def test_with_what_is_invoiced_once(self):
        """A setup of 40.00: 8.00 less, once."""
        program = self._create_program(subscription_recurrence="always")
        order = self._quote_with(program, self.hosting, self.setup_fee)
        self.assertEqual(order.amount_untaxed, 112)
        self._run(order)
        self.assertEqual(self._invoice_months(order, 2), [112, 80])

    def test_it_follows_the_quantity(self):
        """On the quotation, on the running subscription and under an upsell."""
        program = self._create_program(subscription_recurrence="always")
        order = self._quote_with(program)
        order.order_line[0].product_uom_qty = 2
        self.assertEqual(order.amount_untaxed, 160)
        self._run(order)
        amounts = self._invoice_months(order, 1)
        order.order_line[0].product_uom_qty = 3
        amounts += self._invoice_months(order, 1, month=2)
        self.assertEqual(amounts, [160, 240])
        with freeze_time("2026-02-15"):
            upsell = order._create_upsell_renew_order("7_upsell")
            upsell.order_line[0].product_uom_qty = 1
            # 14 of 28 days
            self.assertEqual(upsell.amount_untaxed, 40)
            upsell.action_confirm()
        self._run_cron("2026-02-16")
        self.assertEqual(self._invoice_months(order, 1, month=3), [320])

    def test_amount(self):
        """15.00 off for two periods; never more than there is."""
        program = self._create_program(
            {"discount": 15, "discount_mode": "per_order"},
            subscription_recurrence="periods",
            subscription_periods=2,
        )
        order = self._run(self._quote_with(program))
        self.assertEqual(self._invoice_months(order, 3), [85, 85, 100])
        small = self._quote_with(program, self.fee)
        self.assertEqual(small.amount_untaxed, 0)

    def test_specific_products(self):
        """A fifth off hosting, not off the fee of 10.00."""
        program = self._create_program(
            {
                "discount_applicability": "specific",
                "discount_product_ids": [Command.set(self.hosting.ids)],
            },
            subscription_recurrence="always",
        )
        order = self._run(self._quote_with(program, self.hosting, self.fee))
        amounts = self._invoice_months(order, 1)
        order.order_line.filtered(
            lambda x: x.product_id == self.fee
        ).product_uom_qty = 5
        self.assertEqual(amounts + self._invoice_months(order, 1, 2), [90, 130])

    def test_the_cheapest(self):
        """Half off one fee of 10.00, however many there are."""
        program = self._create_program(
            {"discount_applicability": "cheapest", "discount": 50},
            subscription_recurrence="always",
        )
        order = self._quote_with(program, self.hosting, self.fee)
        order.order_line[1].product_uom_qty = 3
        self.assertEqual(order.amount_untaxed, 125)
        self._run(order)
        self.assertEqual(self._invoice_months(order, 2), [125, 125])

    def test_a_percentage_that_stops(self):
        """20 % of 100.00, 12.00 at most."""
        program = self._create_program(
            {"discount_max_amount": 12}, subscription_recurrence="always"
        )
        order = self._run(self._quote_with(program))
        self.assertEqual(self._invoice_months(order, 2), [88, 88])

    def test_a_first_period_cut_short(self):
        """17 of 31 days: 54.84 - 10.97."""
        self.plan.billing_first_day = True
        program = self._create_program(subscription_recurrence="always")
        order = self._quote_with(program)
        self._run(order, "2026-01-15")
        self.assertEqual(self._run_cron("2026-01-15").amount_untaxed, 43.87)
        self.assertEqual(self._invoice_months(order, 1, month=2), [80])

    def test_the_first_invoice_is_cut_short(self):
        """20 % of it alone: 54.84 - 10.97; then 100.00."""
        self.plan.billing_first_day = True
        order = self._quote_with(self._create_program())
        self._run(order, "2026-01-15")
        self.assertEqual(self._run_cron("2026-01-15").amount_untaxed, 43.87)
        self.assertEqual(self._invoice_months(order, 1, month=2), [100])

    def test_split_by_taxes(self):
        """20 % off 100.00 at 20 % and 10.00 without: 96.00 + 8.00, with taxes."""
        self.hosting.taxes_id = self._create_tax(20)
        program = self._create_program(subscription_recurrence="always")
        order = self._quote_with(program, self.hosting, self.fee)
        self.assertEqual(len(order.order_line), 4)
        self._run(order)
        for day in ("2026-01-01", "2026-02-01"):
            self.assertEqual(self._run_cron(day).amount_total, 104)

    def test_free_product_with_the_first_invoice(self):
        """A subscription product for nothing recurred for ever, in silence."""
        program = self._create_program(
            {"reward_type": "product", "reward_product_id": self.fee.id}
        )
        order = self._run(self._quote_with(program))
        invoices = [self._run_cron(f"2026-0{month}-01") for month in (1, 2)]
        self.assertEqual(
            [len(invoice.invoice_line_ids) for invoice in invoices], [2, 1]
        )
        self.assertEqual([i.amount_untaxed for i in invoices], [100, 100])
        self.assertEqual(order.recurring_monthly, 100)

    def test_free_product_for_two_periods(self):
        """It is not charged afterwards: it is not there any more."""
        program = self._create_program(
            {
                "reward_type": "product",
                "reward_product_id": self.setup_fee.id,
                "reward_product_qty": 2,
            },
            subscription_recurrence="periods",
            subscription_periods=2,
        )
        self._run(self._quote_with(program))
        invoices = [self._run_cron(f"2026-0{month}-01") for month in (1, 2, 3)]
        quantities = [
            sum(
                invoice.invoice_line_ids.filtered(
                    lambda x: x.product_id == self.setup_fee
                ).mapped("quantity")
            )
            for invoice in invoices
        ]
        self.assertEqual(quantities, [2, 2, 0])
        self.assertEqual([i.amount_untaxed for i in invoices], [100] * 3)

    def test_points_are_earned_and_spent_once(self):
        """A card with 10 points: 5 are spent for three periods, 1 is earned."""
        program = self._create_program(
            {"required_points": 5},
            {"reward_point_amount": 1, "reward_point_mode": "order"},
            program_type="loyalty",
            applies_on="both",
            subscription_recurrence="periods",
            subscription_periods=3,
        )
        card = self.env["loyalty.card"].create(
            {"program_id": program.id, "partner_id": self.partner.id, "points": 10}
        )
        order = self._quote_with(program)
        self._run(order)
        self.assertEqual(card.points, 6)
        self.assertEqual(self._invoice_months(order, 2), [80, 80])
        self.assertEqual(card.points, 6)
        with freeze_time("2026-02-10"):
            renewal = order._create_upsell_renew_order("2_renewal")
            self.assertFalse(renewal.order_line.coupon_id)
            renewal.action_confirm()
        # It earns as any order does, and spends nothing.
        self.assertEqual(card.points, 7)
        self.assertEqual(self._invoice_months(renewal, 2, month=3), [80, 100])

    def test_the_quotation_says_it(self):
        program = self._create_program(
            subscription_recurrence="periods", subscription_periods=3
        )
        order = self._quote_with(program)
        with freeze_time("2026-01-01"):
            rows = order._get_payment_schedule()
        self.assertEqual(
            [(row["label"], row["total"]) for row in rows],
            [
                ("Due now", 80),
                ("From 02/01/2026 on every month, 2 times", 80),
                ("After that every month", 100),
            ],
        )

    def test_a_salesperson_claims_it(self):
        seller = self.env["res.users"].create(
            {
                "name": "Sample Seller",
                "login": "reward_seller",
                "group_ids": [
                    Command.set(self.env.ref("sales_team.group_sale_salesman").ids)
                ],
            }
        )
        program = self._create_program(subscription_recurrence="always")
        order = self._quote(user_id=seller.id).with_user(seller)
        self._claim(order, program)
        self.assertEqual(order.amount_untaxed, 80)
        order.order_line.filtered("reward_id").unlink()
        self.assertEqual(order.amount_untaxed, 100)

    def test_an_ordinary_order_is_as_it_was(self):
        program = self._create_program(subscription_recurrence="always")
        order = self._create_quotation(self.setup_fee, plan_id=False)
        self._claim(order, program)
        self.assertEqual(order.amount_untaxed, 32)
        self.assertFalse(any(order.order_line.mapped("recurring_invoice")))
