import csv
import io
from datetime import datetime
from unittest.mock import patch

from odoo import fields
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged

from ..common import BillingCase

MID_JANUARY = datetime(2026, 1, 15, 12)


@tagged("post_install", "-at_install")
class TestNextInvoice(BillingCase):
    """The next invoice is told before it is made, and made as it was told."""

    def _expected(self, order=None):
        return (order or self.order)._fc_next_invoice()

    def test_it_is_the_invoice_that_is_made(self):
        """10.00 and 150 x 0.50 = 75.00, with 15 %: 85.00 + 12.75 = 97.75."""
        tax = self.env["account.tax"].create({"name": "15 %", "amount": 15})
        (self.base_product | self.usage_product).taxes_id = [Command.set(tax.ids)]
        order = self._create_subscription()
        self._record(250, order=order)
        expected = self._expected(order)
        self.assertEqual(
            [(row["name"], row["amount"]) for row in expected["rows"]],
            [(order.order_line[0].name, 10.0), ("API calls", 75.0)],
        )
        amounts = expected["untaxed"], expected["tax"], expected["total"]
        self.assertEqual(amounts, (85.0, 12.75, 97.75))
        self.assertEqual(str(expected["date"]), "2026-02-01")
        self.assertEqual(order._create_invoices().amount_total, 97.75)

    def test_it_stores_nothing(self):
        self._record(250)
        models = ("rating", "window.charge", "rating.queue", "webhook", "window")
        models = [self.env[f"fusion.billing.{name}"].sudo() for name in models]
        counts = [model.search_count([]) for model in models]
        lines = self.order.order_line
        self.assertEqual(self._expected()["total"], 85.0)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.order.order_line, lines)
        self.assertEqual([model.search_count([]) for model in models], counts)

    def test_what_came_late_is_on_it(self):
        """20 more of January after its invoice; hand-computed:

        January: 150 - 100 = 50 x 0.50 = 25.00, billed. With 20 more 35.00: 10.00.
        February: 110 are 5.00; and 10.00 for March. 25.00.
        """
        self._record(150)
        self.order._create_invoices().action_post()
        self._set_window(self.order, "2026-02-01", "2026-03-01")
        self._record(20, "2026-01-20 00:00:00")
        self._record(110, "2026-02-03 00:00:00")
        expected = self._expected()
        self.assertEqual([row["amount"] for row in expected["rows"]], [10.0, 10.0, 5.0])
        self.assertEqual(expected["total"], 25.0)
        self.assertEqual(self.order._create_invoices().amount_total, 25.0)

    def test_what_was_billed_is_not_on_it(self):
        self._record(150)
        self.order._create_invoices().action_post()
        self._set_window(self.order, "2026-02-01", "2026-03-01")
        self.assertEqual(self._expected()["total"], 10.0)

    def test_it_is_on_the_backend_for_readers(self):
        """In a window that keeps nothing."""
        user = new_test_user(
            self.env,
            login="preview_reader",
            groups="fusion_centralized_billing.group_user",
        )
        self._record(250)
        action = self.order.with_user(user).action_fc_preview_invoice()
        wizard = self.env[action["res_model"]].with_user(user)
        wizard = wizard.with_context(**action["context"]).new({})
        self.assertIn("85.00", wizard.preview)


@tagged("post_install", "-at_install")
class TestUsagePage(BillingCase, HttpCase):
    """The customer's page, and who else sees it: as the page of the subscription."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        create = cls.env["res.partner"].create
        cls.partner.is_company = True
        cls.colleague = create({"name": "Colleague", "parent_id": cls.partner.id})
        cls.stranger = create({"name": "Stranger"})
        for login, partner in (
            ("usage_colleague", cls.colleague),
            ("usage_stranger", cls.stranger),
        ):
            new_test_user(
                cls.env, login=login, groups="base.group_portal", partner_id=partner.id
            )
        cls.event = cls.env["fusion.billing.usage"]._record_usage(
            cls.order, "api_calls", "250.5", MID_JANUARY, MID_JANUARY, "=1+1"
        )
        cls.window = cls.order._fc_window()
        cls.page = f"/my/subscriptions/{cls.order.id}/usage"
        cls.events = f"{cls.page}/{cls.window.id}/{cls.metric.id}"
        cls.token = f"?access_token={cls.order._portal_ensure_token()}"

    def _get(self, url):
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        return response

    def _text(self, url):
        return " ".join(self._get(url).text.split())

    def _is_shown(self, url):
        response = self.url_open(url, allow_redirects=False)
        return response.status_code == 200

    def test_who_sees_the_page_and_the_events(self):
        other = self._create_subscription(partner_id=self.stranger.id)
        wrong = f"?access_token={other._portal_ensure_token()}"
        for login, suffix, shown in (
            ("usage_colleague", "", True),
            ("usage_stranger", "", False),
            (None, "", False),
            (None, self.token, True),
            (None, wrong, False),
            ("usage_stranger", self.token, True),
            ("usage_stranger", wrong, False),
        ):
            self.authenticate(login, login)
            for url in (self.page, self.events):
                with self.subTest(login=login, suffix=suffix, url=url):
                    self.assertEqual(self._is_shown(url + suffix), shown)

    def test_an_archived_customer_is_out(self):
        user = self.env["res.users"].search([("login", "=", "usage_colleague")])
        self.authenticate("usage_colleague", "usage_colleague")
        self.assertTrue(self._is_shown(self.events))
        user.active = False
        self.env.flush_all()
        self.assertFalse(self._is_shown(self.events))

    def test_no_window_or_metric_of_others(self):
        """By their numbers in the address: of another order, of another plan."""
        other = self._create_subscription(partner_id=self.stranger.id)
        window = other._fc_window()
        metric = self._create_metric(code="secret", name="Secret")
        self.authenticate("usage_colleague", "usage_colleague")
        for url in (
            f"{self.page}/{window.id}/{self.metric.id}",
            f"{self.page}/{self.window.id}/{metric.id}",
            f"{self.page}/0/0",
        ):
            with self.subTest(url):
                self.assertFalse(self._is_shown(url))

    def test_a_quotation_has_no_page(self):
        quotation = self._create_order()
        self.authenticate("usage_colleague", "usage_colleague")
        self.assertFalse(self._is_shown(f"/my/subscriptions/{quotation.id}/usage"))

    def test_one_expected_total_on_all_pages(self):
        """10.00 and 150.5 x 0.50 = 75.25 are 85.25, on each of them."""
        self.order._fc_rate_usage()
        self.authenticate("usage_colleague", "usage_colleague")
        for url in (
            self.page,
            f"/my/subscriptions/{self.order.id}",
            "/my/subscriptions",
            f"/my/orders/{self.order.id}",
            "/my/orders",
        ):
            with self.subTest(url):
                text = self._text(url)
                self.assertIn("85.25", text)
                # The amount so far is no price of a unit.
                self.assertNotIn('oe_currency_value">75.25</span> </div>', text)

    def test_the_pdf_of_the_order_has_no_other_total(self):
        self.order._fc_rate_usage()
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "sale.report_saleorder", self.order.ids
        )
        html = html.decode()
        self.assertIn("85.25", html)
        self.assertIn("as used, invoiced afterwards", html)

    def test_the_page_tells_quota_amount_and_days(self):
        """250.5 of 100 included: 250 %; the 15th is the one day with usage."""
        self.authenticate("usage_colleague", "usage_colleague")
        text = self._text(self.page)
        for part in (
            "calls: 250.5 – 100 included, 250% used",
            f"75.25 {self.currency.name}",
            'style="height: 100.0%" title="01/15/2026: 250.5"',
            "150.5",
            "If your next invoice were created now",
        ):
            self.assertIn(part, text)
        self.assertEqual(text.count('title="01/'), 31)

    def test_past_windows_have_their_arithmetic(self):
        self.order._create_invoices().action_post()
        self._set_window(self.order, "2026-02-01", "2026-03-01")
        self.authenticate("usage_colleague", "usage_colleague")
        text = self._text(self.page)
        self.assertIn("Usage before", text)
        self.assertIn(self.order.invoice_ids.name, text)

    def test_in_the_readers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["res.lang"]._lang_get("fr_FR").thousands_sep = "."
        user = self.env["res.users"].search([("login", "=", "usage_colleague")])
        user.lang = "fr_FR"
        self.env.flush_all()
        self.authenticate("usage_colleague", "usage_colleague")
        text = self._text(self.page)
        self.assertIn("250,5", text)
        self.assertIn("15/01/2026", text)

    def _rows(self, url):
        response = self._get(url)
        self.assertIn("text/csv", response.headers["Content-Type"])
        return list(csv.reader(io.StringIO(response.text)))

    def test_events_as_csv(self):
        """No formula of a key; what is voided is not in it."""
        voided = self._record(7, "2026-01-16 00:00:00")
        voided._void("Sent twice")
        self.env.flush_all()
        self.authenticate("usage_colleague", "usage_colleague")
        head, *rows = self._rows(self.events)
        self.assertEqual(
            head,
            "period_start period_end quantity idempotency_key unique_key"
            " received_at".split(),
        )
        received = fields.Datetime.to_string(self.event.received_at).replace(" ", "T")
        at = "2026-01-15T12:00:00Z"
        self.assertEqual(rows, [[at, at, "250.5", "'=1+1", "", f"{received}Z"]])

    def test_a_long_file_goes_on_in_the_next(self):
        """Three events, two in a file: the last line says where it goes on."""
        for hour in (13, 14):
            self._record(hour, f"2026-01-15 {hour}:00:00")
        self.env.flush_all()
        self.authenticate("usage_colleague", "usage_colleague")
        module = "odoo.addons.fusion_centralized_billing.models.portal.usage_page"
        with patch(f"{module}.EVENTS_IN_A_FILE", 2), patch(f"{module}._AT_ONCE", 1):
            rows = self._rows(self.events)[1:]
            self.assertEqual([row[2] for row in rows[:2]], ["250.5", "13"])
            self.assertEqual(rows[2][0], "more")
            rows = self._rows(self.events + rows[2][1])[1:]
        self.assertEqual([row[2] for row in rows], ["14"])
