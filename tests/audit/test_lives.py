from odoo.fields import Command
from odoo.tests import tagged

from .case import AuditCase

TOKYO = "Asia/Tokyo"
TORONTO = "America/Toronto"


@tagged("post_install", "-at_install")
class TestCleanLives(AuditCase):
    """Whatever regular work does, the audit has nothing to say."""

    def _used(self, quantity=150, day="2026-01-10", **values):
        """A subscription, and usage of one day in January, on that day."""
        self.order = self.subscribe(**values)
        self.at(f"{day} 12:00:00")
        self.use(quantity - 1, day, key="most")
        self.use(1, day, key="one")
        self.rate()
        self._assert_clean()
        return self.order

    def _billed(self, quantity=150, **values):
        self._used(quantity, **values)
        self.day("2026-02-01 09:00:00")
        self._assert_clean()
        return self.documents()[-1]

    def _go_on(self, *days):
        for day in days:
            self.day(f"{day} 09:00:00")
            self._assert_clean()

    # -- nothing unusual -------------------------------------------------------

    def test_late_usage_voids_and_usage_of_no_window(self):
        self._billed(200)
        self.at("2026-02-03 12:00:00")
        self.use(30, "2026-01-20")
        self.use(7, "2025-12-01")  # before the start: unallocated
        self.use(104, "2026-02-03", key="wrong")
        self._assert_clean()  # all of it waits to be rated
        self.rate()
        self._assert_clean()
        self._go_on("2026-03-01")
        self.void("wrong")
        self.void("most")
        self._assert_clean()
        self._go_on("2026-03-02", "2026-04-01")

    def test_within_the_quota(self):
        """Settled at 0, and without any usage."""
        self._billed(50)
        self._go_on("2026-03-01", "2026-04-01")

    def test_the_first_invoice_is_a_draft(self):
        self.plan.invoice_posting = "draft"
        self._used()
        self._go_on("2026-02-01", "2026-02-02")
        self.post_drafts()
        self._assert_clean()
        self._go_on("2026-02-03", "2026-03-01")

    def test_invoices_that_were_missed_for_two_months(self):
        self._used()
        self.at("2026-03-15 09:00:00")
        self.use(120, "2026-02-10")
        self.rate()
        self._assert_clean()
        self._go_on("2026-03-16", "2026-03-17", "2026-04-01")

    def test_every_aggregation(self):
        self.order = self.subscribe()
        self.at("2026-01-14 12:00:00")
        for aggregation in ("count", "max", "last", "unique"):
            metric = self._create_metric(code=aggregation, aggregation=aggregation)
            self._create_charge(metric_id=metric.id, included_quota=0)
            answer = self._post_usage(
                *(
                    self._event(
                        metric_code=aggregation,
                        quantity=quantity,
                        unique_key=user,
                        period_start=f"2026-01-{day}T00:00:00.250Z",
                        period_end=f"2026-01-{day}T01:00:00Z",
                    )
                    for quantity, user, day in (
                        ("4.50", "ann", 11),
                        (9, "bob", 12),
                        (2, "ann", 13),
                    )
                )
            )
            self.assertEqual(answer["status"], "ok")
        self._go_on("2026-01-15", "2026-02-01")

    # -- documents -------------------------------------------------------------

    def test_credited_taken_back_and_credited_again(self):
        invoice = self._billed()
        credit = self.credit(invoice)
        self._assert_clean()
        self._go_on("2026-02-02")
        self.take_back(credit)
        self._go_on("2026-02-03")
        self.credit(invoice)
        self._go_on("2026-02-04", "2026-03-01", "2026-04-01")

    def test_credited_and_billed_again_as_it_was(self):
        """The price was changed meanwhile: what was agreed stays."""
        invoice = self._billed()
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard.create(
            {"journal_id": invoice.journal_id.id, "fc_usage_choice": "again_billed"}
        ).refund_moves()
        invoice.reversal_move_ids.action_post()
        self.charge.price_per_unit = 0.25
        self._assert_clean()
        self._go_on("2026-02-02", "2026-03-01", "2026-04-01")

    def test_a_corrected_invoice(self):
        invoice = self._billed()
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard.create({"journal_id": invoice.journal_id.id}).modify_moves()
        self._assert_clean()
        self.post_drafts()
        self._go_on("2026-02-02", "2026-03-01")

    def test_cancelled_deleted_and_posted_after_all(self):
        self.plan.invoice_posting = "draft"
        self._used(200)
        self._go_on("2026-02-01")
        self.documents("draft").filtered("fc_rating_ids").unlink()
        self._go_on("2026-02-02")
        self.post_drafts()
        invoice = self.order._create_invoices(final=True)
        invoice.action_post()
        self._go_on("2026-02-03")
        self.take_back(invoice)
        self._go_on("2026-02-04")
        invoice.button_draft()
        invoice.action_post()
        self._go_on("2026-02-05", "2026-03-01")

    def _reversed_in_part(self, invoice, **values):
        """A credit note over the usage, with other values on its line."""
        before = invoice.reversal_move_ids
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard.create(
            {"journal_id": invoice.journal_id.id, "fc_usage_choice": "again_today"}
        ).refund_moves()
        credit = invoice.reversal_move_ids - before
        line = credit.invoice_line_ids.filtered(
            lambda x: x.product_id == self.usage_product
        )
        (credit.invoice_line_ids - line).unlink()
        line.write(values)
        return credit

    def test_forgiven_in_part_then_all_is_voided(self):
        invoice = self._billed(200)
        credit = self._reversed_in_part(invoice, price_unit=20.0)
        credit.fc_bill_again = False
        credit.action_post()
        self._go_on("2026-02-02")
        again = self._reversed_in_part(invoice, price_unit=30.0)
        again.action_post()
        self._go_on("2026-02-03")
        self.void("most")
        self._go_on("2026-02-04", "2026-03-01", "2026-04-01")

    def test_forgiven_in_full(self):
        credit = self._reversed_in_part(self._billed())
        credit.fc_bill_again = False
        credit.action_post()
        self._go_on("2026-02-02")
        self.use(10, "2026-01-30")
        self._go_on("2026-02-03", "2026-03-01", "2026-04-01")

    def test_a_draft_that_was_edited(self):
        """Lowered, then with a discount, then raised; late usage and a void after."""
        self.plan.invoice_posting = "draft"
        self._used(200)
        for month, values in (
            ("02", {"price_unit": 40.0}),
            ("03", {"discount": 10.0}),
            ("04", {"price_unit": 70.0}),
        ):
            self.day(f"2026-{month}-01 09:00:00")
            lines = self.usage_lines(self.documents("draft"))
            lines.write(values)
            self.post_drafts()
            self._assert_clean()
            self.use(10, "2026-01-30")
            self.use(150, f"2026-{month}-01")
            self._go_on(f"2026-{month}-02")
        self.void("most")
        self._go_on("2026-05-01")

    def test_an_invoice_below_zero(self):
        self._billed(200)
        self.void("most")
        self.at("2026-02-20 12:00:00")
        self.order.set_close()
        self._go_on("2026-02-20", "2026-02-21")

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

    # -- time zones ------------------------------------------------------------

    def test_east_of_greenwich(self):
        """The last day of a window was one that had not begun; it crashed."""
        self.company.fc_billing_tz = TOKYO
        self._billed()
        self.use(5, "2026-01-31T14:59:59")
        self.use(5, "2025-12-31T15:00:00")
        self._go_on("2026-02-02", "2026-03-01")
        self._sql("UPDATE fusion_billing_usage SET quantity = quantity + 1")
        finding = self._findings("quantity").sorted("window_start")[0]
        self.assertIn("2026-01-01 to 2026-01-31", finding.message)

    def test_time_zones_that_change(self):
        self._billed()
        for tz, days in (
            (TOKYO, ("2026-02-02", "2026-03-01")),
            (TORONTO, ("2026-03-02", "2026-04-01")),
            ("UTC", ("2026-04-02", "2026-05-01")),
        ):
            self.company.fc_billing_tz = tz
            self.use(120, f"{days[0]}")
            self._go_on(*days)
        self.order.end_date = "2026-05-20"
        self._go_on("2026-05-20", "2026-05-21")
