from odoo.fields import Command
from odoo.tests import tagged

from .lives_case import LivesCase


@tagged("post_install", "-at_install")
class TestCleanChanges(LivesCase):
    """Nor where prices, dates, payers and states change."""

    # -- money -----------------------------------------------------------------

    def test_a_discount_on_usage(self):
        self._used()
        self.order.fc_usage_discount = 10.0
        self.rate()
        self._go_on("2026-02-01")
        self.use(150, "2026-02-01")
        self._go_on("2026-02-02", "2026-03-01")

    def _taxed(self, name, amount, included=True, **values):
        return self.env["account.tax"].create(
            {
                "name": name,
                "amount": amount,
                "type_tax_use": "sale",
                "price_include_override": (
                    "tax_included" if included else "tax_excluded"
                ),
                **values,
            }
        )

    def _fiscal_position(self, old, new):
        position = self.env["account.fiscal.position"].create({"name": "Abroad"})
        new.write(
            {
                "fiscal_position_ids": [Command.link(position.id)],
                "original_tax_ids": [Command.link(old.id)],
            }
        )
        return position

    def test_tax_included_and_a_fiscal_position(self):
        home = self._taxed("20 % included", 20.0)
        self.usage_product.taxes_id = home
        away = self._taxed("25 % included", 25.0)
        position = self._fiscal_position(home, away)
        for values in ({}, {"fiscal_position_id": position.id}):
            self._billed(173, **values)
            self.use(10, "2026-01-30")
            self._go_on("2026-02-02", "2026-03-01")

    def test_tax_on_top(self):
        self.usage_product.taxes_id = self._taxed("21 %", 21.0, included=False)
        self._billed(173)
        self._go_on("2026-03-01")

    def test_a_price_in_another_currency(self):
        euro = self.env["res.currency"].create({"name": "XTE", "symbol": "x"})
        rates = self.env["res.currency.rate"]
        rates.create({"currency_id": euro.id, "rate": 3.0, "name": "2026-01-01"})
        self.charge.currency_id = euro
        self._billed(201)  # 101 x 0.50 / 3 = 16.8333...
        rates.create({"currency_id": euro.id, "rate": 2.0, "name": "2026-01-15"})
        self.at("2026-02-02 09:00:00")
        self.use(1, "2026-01-15")
        self.use(200, "2026-02-02")
        self._go_on("2026-02-03", "2026-03-01")

    def test_a_subscription_in_another_currency(self):
        euro = self.env["res.currency"].create({"name": "XTE", "symbol": "x"})
        rates = self.env["res.currency.rate"]
        rates.create({"currency_id": euro.id, "rate": 3.0, "name": "2026-01-01"})
        pricelist = self.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": euro.id}
        )
        self._billed(201, pricelist_id=pricelist.id)
        self.assertEqual(self.order.currency_id, euro)
        self.use(10, "2026-01-30")
        self._go_on("2026-02-02", "2026-03-01")

    def test_prices_that_change(self):
        self._used()
        self.charge.price_per_unit = 1.0
        self.rate()
        self._assert_clean()
        self._go_on("2026-02-01")
        self.charge.active = False
        self._create_charge(price_per_unit=2.0, included_quota=0)
        self.use(1, "2026-01-15")
        self.use(9, "2026-02-01")
        self._go_on("2026-02-02", "2026-03-01")

    # -- the course of life ----------------------------------------------------

    def test_paused_and_gone_on(self):
        self._billed()
        self.at("2026-02-20 12:00:00")
        self.use(120, "2026-02-18")
        self.order.pause_subscription()
        self._go_on("2026-02-20", "2026-03-02")
        self.use(5, "2026-03-02")
        self.at("2026-03-10 12:00:00")
        self.order.resume_subscription()
        self._go_on("2026-03-10", "2026-03-12")
        self.use(130, "2026-03-12")
        self._go_on("2026-04-10", "2026-05-10")

    def test_closed_and_reopened_inside_and_later(self):
        self._used()
        self.at("2026-01-20 12:00:00")
        self.order.set_close()
        self._go_on("2026-01-20")
        self.use(5, "2026-01-25")
        self._go_on("2026-01-26")
        self.at("2026-01-27 12:00:00")
        self.order.set_open()
        self.use(20, "2026-01-27")
        self._go_on("2026-01-28", "2026-02-27")
        self.order.set_close()
        self._go_on("2026-02-28", "2026-04-15")
        self.use(9, "2026-04-15")
        self.order.set_open()
        self._go_on("2026-04-16", "2026-05-15")

    def test_renewed(self):
        self._used()
        self.at("2026-01-20 12:00:00")
        renewal = self.renew()
        self._go_on("2026-01-20", "2026-02-01")
        self.use(7, "2026-01-25")
        self.use(120, "2026-02-01")
        self._go_on("2026-02-02", "2026-03-01")
        self.order = renewal
        self.renew()
        self._go_on("2026-03-02", "2026-04-01", "2026-05-01")

    def test_a_renewal_that_was_cancelled_before_it_began(self):
        self._used()
        self.at("2026-01-20 12:00:00")
        renewal = self.renew()
        self.use(50, "2026-01-21")
        self._go_on("2026-01-21")
        renewal._action_cancel()
        self._go_on("2026-01-22", "2026-02-01", "2026-03-01")

    def test_an_end_date_entered_late(self):
        self._billed()
        self.at("2026-02-10 12:00:00")
        self.use(150, "2026-02-05")
        self.use(150, "2026-01-25")
        self._go_on("2026-03-01")
        self.at("2026-03-05 12:00:00")
        self.order.end_date = "2026-01-20"
        self._go_on("2026-03-05", "2026-03-06", "2026-04-01")

    def test_the_plan_changed_today_and_later(self):
        self._billed()
        plan = self._create_plan(name="Without quota")
        self._create_charge(plan_id=plan.id, included_quota=0)
        self.at("2026-02-10 12:00:00")
        self.use(150, "2026-02-05")
        self.order.change_plan(plan, "now")
        self._go_on("2026-02-10")
        self.use(20, "2026-02-10")
        self._go_on("2026-02-11", "2026-03-10")
        self.order.plan_id = self.plan
        self._go_on("2026-03-11", "2026-04-10", "2026-05-10")

    def test_dates_moved_by_hand(self):
        self._used()
        self.order.next_invoice_date = "2026-02-15"
        self._go_on("2026-01-11", "2026-02-15")
        self.order.next_invoice_date = "2026-03-20"
        self.use(120, "2026-02-15")
        self._go_on("2026-02-16", "2026-03-20", "2026-04-20")

    def test_cancelled_and_confirmed_for_somebody_else(self):
        self._billed()
        self.at("2026-02-10 12:00:00")
        self.use(150, "2026-02-05")
        self.order._action_cancel()
        self._go_on("2026-02-10")
        other = self.env["res.partner"].create({"name": "Somebody Else"})
        self._create_link(partner_id=other.id, external_id="acc-2")
        self.order.action_draft()
        self.order.partner_id = other
        self.order.action_confirm()
        self._go_on("2026-02-11", "2026-03-11")

    def test_invoiced_early_within_the_quota(self):
        """It leaves the window open, and so the price: nothing of it was billed."""
        self._used(50)
        self.at("2026-01-15 12:00:00")
        fee = self._create_product(name="Setup", recurring_invoice=False)
        self.order.order_line = [
            Command.create({"product_id": fee.id, "price_unit": 5.0})
        ]
        self.order._create_invoices(final=True).action_post()
        self._assert_clean()
        self.charge.price_per_unit = 1.0
        self.use(100, "2026-01-15")
        self._go_on("2026-01-16", "2026-02-01", "2026-03-01")
        self.assertEqual(self.net(), 50.0)  # 50 x 1.00

    def test_invoices_that_were_missed_show_the_next_window_on_the_order(self):
        """January and February wait; once January is billed, February is next."""
        self._used()
        self.at("2026-03-15 09:00:00")
        self.use(120, "2026-02-10")
        self.rate()
        self.order._create_recurring_invoice()
        self.rate()
        self._assert_clean()

    def test_a_minimum_on_the_line_of_the_next_window(self):
        """Rated beside the invoice of the window before, when it was not yet next."""
        self.charge.minimum_amount = 12.0
        self._used(50)
        self._go_on("2026-02-01", "2026-03-01")
        self.assertEqual(self._usage_line().price_unit, 12.0)
