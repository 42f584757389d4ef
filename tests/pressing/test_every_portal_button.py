"""Every button of the pages that customers see, pressed as one of them."""

import json
from datetime import timedelta
from pathlib import Path

from lxml import etree

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tests.common import release_test_lock

from ..common import BillingCase
from ..sweep import own_modules
from .browser import PressingCase

SCRIPT = Path(__file__).with_name("portal.js").read_text(encoding="utf-8")
LOADED = "document.readyState === 'complete'"
# Links that these pages do not show, and why.
ELSEWHERE = {"all_invoices": "only with more invoices than a page lists"}
# What a page says that was left before it had all it asked for.
LEFT = "TypeError: Failed to fetch"
ANOTHER_PAGE = f"!window.isBefore && {LOADED}"


@tagged("post_install", "-at_install", "fcb_browser")
class TestEveryPortalButton(BillingCase, PressingCase):
    """Which there are is read from the templates; what is never shown fails by name."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.today()
        cls.company.portal_confirmation_sign = False
        cls.company.portal_confirmation_pay = False
        other = cls._create_plan(name="Silver")
        cls._create_charge(plan_id=other.id, plan_code="silver")
        cls.env["product.pricelist.item"].create(
            {
                "pricelist_id": False,
                "plan_id": other.id,
                "applied_on": "3_global",
                "compute_price": "fixed",
                "fixed_price": 35,
            }
        )
        cls.plan.write(
            {
                "user_closable": True,
                "user_extend": True,
                "user_quantity": True,
                "user_pause": True,
                "pause_max_days": 30,
                "user_add_option": True,
                "user_change_plan": True,
                "offered_plan_ids": [Command.set((cls.plan | other).ids)],
            }
        )
        reason = cls.env.ref("sale_subscription.close_reason_too_expensive")
        reasons = cls.env["sale.order.close.reason"].search([])
        (reasons - reason).visible_in_portal = False  # all are asked the same way
        reason.write(
            {
                "retention_message": "<p>Half the price?</p>",
                "retention_button_link": "https://example.com/half",
            }
        )
        cls.current = cls._create_current(cls._option())
        cls.paused = cls._create_current()
        cls.paused.pause_subscription(cls.today + timedelta(days=9))
        cls.paused.paused_by_customer = True
        cls.owing = cls._create_subscription()
        cls.owing._create_invoices().action_post()
        cls._record(cls, 150, f"{cls.today} 00:00:00", order=cls.current)
        new_test_user(
            cls.env,
            login="pressing_customer",
            groups="base.group_portal",
            partner_id=cls.partner.id,
        )

    @classmethod
    def _option(cls):
        product = cls._create_product(name="Seat", list_price=20.0)
        return [
            Command.create(
                {
                    "name": "Options",
                    "display_type": "line_section",
                    "is_optional": True,
                    "sequence": 50,
                }
            ),
            Command.create(
                {"product_id": product.id, "product_uom_qty": 0, "sequence": 51}
            ),
        ]

    @classmethod
    def _create_current(cls, lines=()):
        """A subscription whose window, which is invoiced, began three days ago."""
        order = cls._create_order()
        order.order_line = [*lines]
        order.start_date = cls.today - timedelta(days=3)
        order.action_confirm()
        order._create_recurring_invoice()
        return order

    def _declared(self):
        """The names of the buttons in our templates of pages."""
        ours = self.env["ir.model.data"].search(
            [
                ("model", "=", "ir.ui.view"),
                ("module", "in", list(own_modules(self.env))),
            ]
        )
        views = self.env["ir.ui.view"].browse(ours.mapped("res_id")).exists()
        return {
            node.get("name")
            for view in views.filtered(lambda x: x.type == "qweb")
            for node in etree.fromstring(view.arch_db).iter("button", "a")
            if node.get("name")
        }

    def _open(self, url):
        self.load(url, LOADED)
        with release_test_lock():
            self.evaluate(SCRIPT)

    def _names(self, url):
        """What can be pressed on a page, see ``list`` in portal.js."""
        self._open(url)
        with release_test_lock():
            return json.loads(self.evaluate("portal.list()"))

    def _press(self, url, index):
        """Press what stands there and undo it: what is wrong with that, or None."""
        savepoint = self.env.cr.savepoint()
        try:
            self._open(url)
            with release_test_lock():
                if self.evaluate(f"portal.press({index})") == "left":
                    self.assertTrue(self.browser._wait_ready(ANOTHER_PAGE), "Stays")
                    self.evaluate(SCRIPT)
                    status, message = json.loads(self.evaluate("portal.after()"))
                    self.assertEqual((status, message), (200, ""))
            self.assertFalse([x for x in self.console if not x.startswith(LEFT)])
        except AssertionError as error:
            return str(error)[:300]
        finally:
            self.console.clear()
            savepoint.close(rollback=True)
            self.env.transaction.clear()

    def test_every_button(self):
        pages = ["/my/subscriptions"]
        for order in (self.current, self.paused, self.owing):
            pages += [f"/my/subscriptions/{order.id}", f"/my/orders/{order.id}"]
        pages.append(f"/my/subscriptions/{self.current.id}/usage")
        declared, pressed, wrong = self._declared(), set(), []
        self.sign_in("pressing_customer", pages[0], LOADED)
        # A page that was left asks for what was undone with the press. What goes wrong
        # with a press is seen on the page and in its console.
        with self.quiet():
            for url in pages:
                for index, name in enumerate(self._names(url)):
                    if name is None or (name and name not in declared):
                        continue
                    problem = self._press(url, index)
                    if problem:
                        wrong.append(f"{url} {name}: {problem}")
                    elif name:
                        pressed.add(name)
        self.assertFalse(wrong, "\n".join(wrong))
        self.assertFalse(declared - pressed - {*ELSEWHERE}, "No page shows these")
