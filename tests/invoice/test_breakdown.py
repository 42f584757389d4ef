from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..common import BillingCase
from ..price.test_charge_models import TIERS, tier


@tagged("post_install", "-at_install")
class TestBreakdown(BillingCase):
    """The table behind an invoice: its rows add up to the line, written by hand."""

    def _told(self, quantity, order=None, **charge):
        """What January's invoice tells of its usage, and its usage line."""
        self.charge.write({"included_quota": 0, **charge})
        order = order or self._create_subscription()
        self._record(quantity, order=order)
        move = order._create_invoices()
        move.action_post()
        [told] = move._fc_breakdown()
        return told, move.invoice_line_ids.filtered("fc_rating_ids")

    def _assert_rows(self, told, *rows):
        found = [tuple(row.values()) for row in told["rows"]]
        currency = self.currency.name
        expected = [tuple(text.replace("XXX", currency) for text in r) for r in rows]
        self.assertEqual(found, expected)

    def test_quota_and_price(self):
        told, line = self._told(1250, included_quota=100)
        self._assert_rows(
            told,
            ("Used", "1,250", "", ""),
            ("Included in the quota (100)", "-100", "", ""),
            ("To pay", "1,150", "0.50 XXX each", "575.00 XXX"),
        )
        self.assertEqual(told["amount"], f"575.00 {self.currency.name}")
        self.assertEqual(line.price_subtotal, 575)

    def test_packages(self):
        told, _line = self._told(
            1500, charge_model="package", unit_batch=1000, price_per_unit=2
        )
        self._assert_rows(
            told,
            ("Used", "1,500", "", ""),
            ("Started packages of 1,000", "2", "2.00 XXX", "4.00 XXX"),
        )

    def test_tiers(self):
        """100 x 1.00 + 5.00, 50 x 0.50"""
        told, _line = self._told(
            150, charge_model="graduated", tier_ids=[Command.clear(), *TIERS]
        )
        self._assert_rows(
            told,
            ("Used", "150", "", ""),
            ("Tier 1", "100", "1.00 XXX", "100.00 XXX"),
            ("Tier 1, flat fee", "", "", "5.00 XXX"),
            ("Tier 2", "50", "0.50 XXX", "25.00 XXX"),
        )

    def test_volume(self):
        """150 are in the second tier: 150 x 0.50"""
        told, _line = self._told(
            150, charge_model="volume", tier_ids=[Command.clear(), *TIERS]
        )
        self._assert_rows(
            told,
            ("Used", "150", "", ""),
            ("Tier 2", "150", "0.50 XXX", "75.00 XXX"),
        )

    def test_discount_and_minimum(self):
        """100 x 0.50 = 50.00, 10 % of it off, 3.00 up to 48.00."""
        order = self._create_subscription(fc_usage_discount=10)
        told, line = self._told(100, order, minimum_amount=48)
        self._assert_rows(
            told,
            ("Used", "100", "", ""),
            ("To pay", "100", "0.50 XXX each", "50.00 XXX"),
            ("Discount of 10%", "", "", "-5.00 XXX"),
            ("Surcharge up to the minimum of 48.00 XXX", "", "", "3.00 XXX"),
        )
        self.assertEqual(line.price_subtotal, 48)

    def test_amounts_have_the_digits_that_add_up(self):
        """1 x 0.004 + 1 x 0.004 is 0.008: 0.01. As twice 0.00 it would be nothing."""
        told, line = self._told(
            2,
            charge_model="graduated",
            tier_ids=[Command.clear(), tier(1, 0.004), tier(0, 0.004)],
        )
        self._assert_rows(
            told,
            ("Used", "2", "", ""),
            ("Tier 1", "1", "0.004 XXX", "0.004 XXX"),
            ("Tier 2", "1", "0.004 XXX", "0.004 XXX"),
        )
        self.assertEqual(line.price_subtotal, 0.01)

    def test_another_currency(self):
        """100 x 0.50 = 50.00 XTB, 2 XTB for one of ours: 25.00."""
        other = self.env["res.currency"].create({"name": "XTB", "symbol": "B"})
        self.env["res.currency.rate"].create(
            {"currency_id": other.id, "name": "2026-01-05", "rate": 2}
        )
        told, _line = self._told(100, currency_id=other.id)
        self._assert_rows(
            told,
            ("Used", "100", "", ""),
            ("To pay", "100", "0.50 XTB each", "50.00 XTB"),
            ("Sum", "", "", "50.00 XTB"),
            ("2 XTB = 1 XXX on 02/01/2026", "", "", "25.00 XXX"),
        )

    def test_it_is_printed(self):
        order = self._create_subscription()
        self._told(1250, order, included_quota=100)
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "account.report_invoice", order.invoice_ids.ids
        )
        text = " ".join(html.decode().split())
        self.assertIn("How your usage was calculated", text)
        self.assertIn("Included in the quota (100)", text)

    # -- from a line to its events ---------------------------------------------

    def test_from_a_journal_item_to_its_events(self):
        """With and without the rights of Sales; of a credit note, too."""
        _told, line = self._told(5)
        credit = line.move_id._reverse_moves()
        accountant = new_test_user(
            self.env,
            login="accountant_only",
            groups="account.group_account_invoice,"
            "fusion_centralized_billing.group_user",
        )
        seller = new_test_user(
            self.env,
            login="accountant_seller",
            groups="account.group_account_invoice,sales_team.group_sale_manager,"
            "fusion_centralized_billing.group_user",
        )
        copied = credit.invoice_line_ids.filtered("fc_copied_from_id")
        for user in (accountant, seller):
            for item in (line, copied):
                with self.subTest(user=user.login, item=item):
                    item = item.with_user(user)
                    self.assertTrue(item.fc_bills_usage)
                    action = item.action_fc_view_ratings()
                    rating = self.env[action["res_model"]].with_user(user)
                    rating = rating.browse(action["res_id"])
                    self.assertIn("5 x 0.5 = 2.5", rating.explanation_text)
                    action = rating.action_view_usage()
                    events = self.env[action["res_model"]].with_user(user)
                    events = events.search(action["domain"])
                    self.assertEqual(events.mapped("quantity"), [5.0])
        others = line.move_id.line_ids - line
        self.assertFalse(any(others.mapped("fc_bills_usage")))

    def test_a_line_of_several_windows_leads_to_all(self):
        """Two windows were put on one line by hand."""
        order = self._create_subscription()
        _told, line = self._told(5, order)
        self._set_window(order, "2026-02-01", "2026-03-01")
        self._record(7, "2026-02-03 00:00:00", order=order)
        ratings = order._fc_rate_usage() | line.fc_rating_ids
        ratings.sudo().invoice_line_id = line
        action = line.action_fc_view_ratings()
        found = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(len(ratings), 2)
        self.assertEqual(found, ratings)
