from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged

from .discount_common import DiscountCase


@tagged("post_install", "-at_install")
class TestAlternatives(DiscountCase, HttpCase):
    """Several quotations, of which the customer accepts one."""

    def _offer(self, order, **values):
        action = order.create_alternative()
        alternative = self.env["sale.order"].browse(action["res_id"])
        alternative.write(values)
        return alternative

    def test_accepting_one_cancels_the_others(self):
        yearly = self._create_plan(name="Test year", billing_period_unit="year")
        order = self._quote()
        second = self._offer(order, plan_id=yearly.id)
        third = self._offer(second)
        self.assertEqual(third.alternative_ids, order + second)
        second.action_confirm()
        self.assertEqual(
            (order + second + third).mapped("state"), ["cancel", "sale", "cancel"]
        )
        self.assertEqual(second.subscription_state, "3_progress")
        self.assertIn(second.name, order.message_ids[0].body)

    def test_only_one(self):
        """Not together, and not after another was accepted and this set to draft."""
        order = self._quote()
        other = self._offer(order)
        with self.assertRaises(UserError):
            (order + other).action_confirm()
        order.action_confirm()
        other.action_draft()
        with self.assertRaises(UserError):
            other.action_confirm()

    def test_the_first_one_is_deleted(self):
        """The others are still those of which one is accepted."""
        order = self._quote()
        second, third = self._offer(order), self._offer(order)
        order.unlink()
        self.assertEqual(second.alternative_ids, third)
        third.action_confirm()
        self.assertEqual(second.state, "cancel")

    def test_of_a_quotation_only(self):
        order = self._run(self._quote())
        with self.assertRaises(UserError):
            order.create_alternative()

    def test_of_a_renewal(self):
        """Both renew the same subscription; it goes on with the one accepted."""
        yearly = self._create_plan(name="Test year", billing_period_unit="year")
        order = self._run(self._quote())
        self._invoice_months(order, 1)
        with freeze_time("2026-01-20"):
            renewal = order._create_upsell_renew_order("2_renewal")
            other = self._offer(renewal, plan_id=yearly.id)
            self.assertEqual(other.subscription_id, order)
            self.assertEqual(other.order_line.parent_line_id, order.order_line)
            other.action_confirm()
        self.assertEqual(renewal.state, "cancel")
        self.assertEqual(order.subscription_state, "5_renewed")
        self.assertEqual(str(other.start_date), "2026-02-01")

    def test_the_customer_sees_those_that_were_sent(self):
        yearly = self._create_plan(name="Sample year", billing_period_unit="year")
        order = self._quote()
        sent = self._offer(order, plan_id=yearly.id)
        draft = self._offer(order)
        (order + sent).action_quotation_sent()
        page = self.url_open(order.get_portal_url()).text
        self.assertIn(sent.get_portal_url().replace("&", "&amp;"), page)
        self.assertIn("Sample year", page)
        self.assertNotIn(draft.name, page)
        sent.action_confirm()
        self.assertNotIn("alternatives", self.url_open(order.get_portal_url()).text)

    def test_the_page_says_what_is_due(self):
        """To pay and to sign: what is due now, and what then."""
        order = self._quote(self.hosting, self.setup_fee)
        order.action_quotation_sent()
        page = self.url_open(order.get_portal_url()).text
        self.assertIn('name="schedule_due"', page)
        self.assertIn('name="plan_terms"', page)
        self.assertIn("you confirm acceptance on behalf of", page)
        self.assertNotIn('name="sale_order_totals_table"', page)
