from odoo.tests import tagged

from .life_documents import DocumentCase


@tagged("post_install", "-at_install")
class TestEndDateEnteredLate(DocumentCase):
    """On 20 February somebody enters that a subscription ended on 20 January.

    A call costs 1.00, without a quota. Until then 10 calls of January were invoiced on
    1 February, and 40 of February are open. 20 January is the first day that is not
    billed.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.charge.write({"included_quota": 0, "price_per_unit": 1.0})

    def _end_late(self):
        self.use(10, "2026-01-10", "a")
        self.use(30, "2026-01-25", "after")
        self.day("2026-02-01 09:00:00")
        self.use(40, "2026-02-10", "b")
        self.at(
            "2026-02-20 09:00:00", lambda: self.order.write({"end_date": "2026-01-20"})
        )

    def test_usage_after_it_is_unallocated(self):
        self._end_late()
        answer = self.use(5, "2026-02-19", "c", now="2026-02-20 10:00:00")
        self.assertEqual(answer, {"status": "accepted", "unallocated": True})
        answer = self.use(5, "2026-01-19", "d", now="2026-02-20 10:00:00")
        self.assertEqual(answer, {"status": "accepted"})

    def test_what_was_accepted_before_is_unallocated_and_not_billed(self):
        """The closing billed the 40 calls of February."""
        self._end_late()
        self.at("2026-02-21 01:00:00", self.order.set_close)
        self.days("2026-02-22 09:00:00", "2026-03-01 09:00:00")
        # 10 of January; the 30 that were billed on 1 February are given back
        self.assertEqual(self.net(), 10.0)
        self.assertEqual(self.unallocated(), 70.0)

    def test_nothing_was_billed_too_much(self):
        """The same where only February is too late."""
        self.use(10, "2026-01-10", "a")
        self.day("2026-02-01 09:00:00")
        self.use(40, "2026-02-10", "b")
        self.at(
            "2026-02-20 09:00:00", lambda: self.order.write({"end_date": "2026-01-20"})
        )
        self.at("2026-02-21 01:00:00", self.order.set_close)
        self.days("2026-02-22 09:00:00", "2026-03-01 09:00:00")
        self.assertEqual(self.net(), 10.0)
        self.assertEqual(self.unallocated(), 40.0)

    def test_a_date_inside_the_running_window_entered_late(self):
        """On 20 February: it ended on the 10th."""
        self.day("2026-02-01 09:00:00")
        self.use(8, "2026-02-05", "a")
        self.use(40, "2026-02-15", "b")
        self.at(
            "2026-02-20 09:00:00", lambda: self.order.write({"end_date": "2026-02-10"})
        )
        self.at("2026-02-20 10:00:00", self.order.set_close)
        self.days("2026-02-21 09:00:00", "2026-03-01 09:00:00")
        self.assertEqual(self.net(), 8.0)
        self.assertEqual(self.unallocated(), 40.0)

    def test_a_date_entered_in_time(self):
        self.at(
            "2026-01-10 09:00:00", lambda: self.order.write({"end_date": "2026-01-20"})
        )
        self.use(8, "2026-01-15", "a")
        answer = self.use(40, "2026-01-20 00:00:00", "b")
        self.assertEqual(answer, {"status": "accepted", "unallocated": True})
        self.at("2026-01-20 10:00:00", self.order.set_close)
        self.day("2026-01-21 09:00:00")
        self.assertEqual(self.net(), 8.0)

    def test_dates_edited_after_closing_change_nothing(self):
        self.use(10, "2026-01-10", "a")
        self.at("2026-01-20 09:00:00", self.order.set_close)
        self.assertEqual(self.net(), 10.0)
        self.at(
            "2026-01-25 09:00:00", lambda: self.order.write({"end_date": "2026-01-05"})
        )
        self.days("2026-01-26 09:00:00", "2026-02-01 09:00:00")
        self.assertEqual(self.net(), 10.0)
        self.assertEqual(self.unallocated(), 0)


@tagged("post_install", "-at_install")
class TestPlanChangedFromTheNextPeriodOn(DocumentCase):
    """The plan is changed from the next period on, on the first day of a window.

    The window that has just begun keeps its plan: 0.50 a call above 100. The other plan
    includes 1000 calls.
    """

    def setUp(self):
        super().setUp()
        self.large = self._create_plan(name="Large")
        self._create_charge(plan_id=self.large.id, included_quota=1000)
        self.day("2026-02-01 09:00:00")

    def test_on_the_first_day_of_a_window(self):
        self.at(
            "2026-02-01 10:00:00",
            lambda: self.order.change_plan(self.large, "next_period"),
        )
        self.use(200, "2026-02-10", "a")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)
        self.use(200, "2026-03-10", "b")
        self.day("2026-04-01 09:00:00")
        self.assertEqual(self.net(), 50.0)  # within the 1000 of the other plan

    def test_inside_a_window(self):
        self.at(
            "2026-02-05 10:00:00",
            lambda: self.order.change_plan(self.large, "next_period"),
        )
        self.use(200, "2026-02-10", "a")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)

    def test_on_the_form_on_the_first_day(self):
        self.at(
            "2026-02-01 10:00:00", lambda: self.order.write({"plan_id": self.large.id})
        )
        self.use(200, "2026-02-10", "a")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)

    def test_on_the_first_day_after_usage_was_rated(self):
        self.use(200, "2026-02-01 09:30:00", "a")
        self.day("2026-02-01 09:45:00")
        self.at(
            "2026-02-01 10:00:00",
            lambda: self.order.change_plan(self.large, "next_period"),
        )
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)

    def test_changed_at_once_and_the_next_date_was_moved_then(self):
        """The other plan's calls fell to the window and the price of the old: 150.00.

        200 calls before the change, 50.00; 200 after it are within the other quota.
        """
        self.use(200, "2026-02-05", "a")
        self.at(
            "2026-02-10 10:00:00", lambda: self.order.change_plan(self.large, "now")
        )
        self.at(
            "2026-02-10 11:00:00",
            lambda: self.order.write({"next_invoice_date": "2026-03-01"}),
        )
        self.use(200, "2026-02-15", "b")
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.net(), 50.0)

    def test_a_plan_of_weeks_on_its_first_day(self):
        partner = self.partner = self.env["res.partner"].create({"name": "Sample B"})
        self._create_link(external_id="acc-b", partner_id=partner.id)
        weekly = self._create_plan(name="Weekly", billing_period_unit="week")
        self._create_charge(plan_id=weekly.id)
        self.order = self._create_subscription(partner_id=partner.id, plan_id=weekly.id)
        self.day("2026-01-08 09:00:00")
        self.at(
            "2026-01-08 10:00:00",
            lambda: self.order.change_plan(self.large, "next_period"),
        )
        self.use(200, "2026-01-10", "a")
        self.day("2026-01-15 09:00:00")
        self.assertEqual(self.net(), 50.0)


@tagged("post_install", "-at_install")
class TestAnotherLife(DocumentCase):
    """Cancelled, set to draft, and confirmed again with something else.

    A call costs 1.00, without a quota. January's 50 calls were billed to the old
    customer in the old currency; a late call of that time goes there, too: 1.00.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.charge.write({"included_quota": 0, "price_per_unit": 1.0})
        cls.euro = cls.env.ref("base.EUR")
        if cls.euro == cls.currency:
            cls.euro = cls.env.ref("base.USD")
        cls.euro.active = True
        Rate = cls.env["res.currency.rate"]
        Rate.search([("currency_id", "=", cls.euro.id)]).unlink()
        Rate.create(
            {
                "currency_id": cls.euro.id,
                "name": "2026-01-01",
                "rate": 1.0,
                "company_id": cls.company.id,
            }
        )

    def _begin_anew(self, **values):
        """50 calls are billed, and on 5 February the order begins another life."""
        self.use(50, "2026-01-10", "a")
        self.day("2026-02-01 09:00:00")

        def run():
            self.order.action_cancel()
            self.order.action_draft()
            self.order.write(values)
            self.order.action_confirm()

        self.at("2026-02-05 09:00:00", run)

    def _euro_values(self):
        pricelist = self.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": self.euro.id}
        )
        return {"pricelist_id": pricelist.id, "currency_id": self.euro.id}

    def _usage_by_currency(self):
        lines = self._posted_lines().filtered(
            lambda line: line.product_id == self.usage_product
        )
        return {
            currency.name: sum(group.mapped("price_subtotal"))
            for currency, group in lines.grouped("currency_id").items()
        }

    def test_a_late_call_after_another_currency(self):
        """It made the whole window due once more: 51.00 in the new currency."""
        self._begin_anew(**self._euro_values())
        self.day("2026-02-05 10:00:00")
        before = self.net()
        self.use(1, "2026-01-31", "late", now="2026-02-10 00:00:00")
        self.days("2026-02-11 09:00:00", "2026-03-01 09:00:00", "2026-03-05 09:00:00")
        self.assertEqual(self.net() - before, 1.0)
        self.assertEqual(self._usage_by_currency(), {self.currency.name: 51.0})

    def test_a_late_call_where_both_currencies_have_a_price(self):
        """The price in euro took over January's calls, too: 51.00 euro."""
        self._create_charge(
            currency_id=self.euro.id, included_quota=0, price_per_unit=1.0
        )
        self._begin_anew(**self._euro_values())
        self.day("2026-02-05 10:00:00")
        self.use(1, "2026-01-31", "late", now="2026-02-10 00:00:00")
        self.days("2026-02-11 09:00:00", "2026-03-01 09:00:00", "2026-03-05 09:00:00")
        self.assertEqual(self._usage_by_currency(), {self.currency.name: 51.0})

    def _begin_anew_inside_the_window(self, called="2026-01-15"):
        """Cancelled on 20 January, which bills 50.00; in euro from then on."""
        self.use(50, "2026-01-10", "a")
        self.at("2026-01-20 09:00:00", self.order.action_cancel)
        self.assertEqual(self._usage_by_currency(), {self.currency.name: 50.0})

        def run():
            self.order.action_draft()
            self.order.write(self._euro_values())
            self.order.action_confirm()

        self.at("2026-01-20 10:00:00", run)
        self.use(1, called, "late", now="2026-01-21 00:00:00")
        self.days("2026-01-21 09:00:00", "2026-02-01 09:00:00", "2026-02-02 09:00:00")
        self.days("2026-03-01 09:00:00", "2026-03-02 09:00:00")

    def test_cancelled_and_begun_anew_inside_a_window(self):
        self._begin_anew_inside_the_window()
        self.assertEqual(self._usage_by_currency(), {self.currency.name: 51.0})

    def test_the_same_where_both_currencies_have_a_price(self):
        self._create_charge(
            currency_id=self.euro.id, included_quota=0, price_per_unit=1.0
        )
        self._begin_anew_inside_the_window()
        self.assertEqual(self._usage_by_currency(), {self.currency.name: 51.0})

    def test_a_call_of_the_new_life_inside_the_window_of_the_old(self):
        """The price in euro took over all of January: lines of 51.00 and -50.00."""
        self._create_charge(
            currency_id=self.euro.id, included_quota=0, price_per_unit=1.0
        )
        self._begin_anew_inside_the_window(called="2026-01-21")
        lines = self._lines_of_usage(self._posted_lines().move_id)
        # the 50 calls of 10 January, in the old currency, and the one of the 21st
        self.assertEqual(sorted(lines.mapped("price_subtotal")), [1.0, 50.0])

    def test_usage_of_the_new_life_is_in_its_currency(self):
        self._begin_anew(**self._euro_values())
        self.day("2026-02-05 10:00:00")
        self.use(7, "2026-02-10", "new")
        self.days("2026-03-01 09:00:00", "2026-03-05 09:00:00")
        self.assertEqual(
            self._usage_by_currency(), {self.currency.name: 50.0, self.euro.name: 7.0}
        )

    def test_a_late_call_after_another_customer(self):
        old = self.partner
        new = self.env["res.partner"].create({"name": "Sample B"})
        self._create_link(external_id="acc-b", partner_id=new.id)
        self._begin_anew(
            partner_id=new.id, partner_invoice_id=new.id, partner_shipping_id=new.id
        )
        self.partner = new
        self.day("2026-02-05 10:00:00")
        self.use(1, "2026-01-31", "late", now="2026-02-10 00:00:00")
        self.days("2026-02-11 09:00:00", "2026-03-01 09:00:00", "2026-03-05 09:00:00")
        lines = self.env["account.move.line"].search(
            [
                ("product_id", "=", self.usage_product.id),
                ("parent_state", "=", "posted"),
                ("move_id.partner_id", "in", (old | new).ids),
            ]
        )
        amounts = {
            partner.name: sum(group.mapped("price_subtotal"))
            for partner, group in lines.grouped(lambda x: x.move_id.partner_id).items()
        }
        self.assertEqual(amounts, {old.name: 51.0})

    def test_a_late_call_after_cancelling_alone(self):
        """Cancelling is closing: the rating job bills what comes late."""
        self.use(50, "2026-01-10", "a")
        self.day("2026-02-01 09:00:00")
        self.at("2026-02-05 09:00:00", self.order.action_cancel)
        self.use(1, "2026-01-31", "late", now="2026-02-10 00:00:00")
        self.days("2026-02-11 09:00:00", "2026-02-12 09:00:00")
        self.assertEqual(self.net(), 51.0)
