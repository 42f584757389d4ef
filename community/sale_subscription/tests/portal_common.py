from datetime import timedelta

from freezegun import freeze_time
from lxml import html

from odoo import fields, http
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user

from .common import SubscriptionCase


class PortalCase(SubscriptionCase, HttpCase):
    """Ann and Bob of different customers, and a subscription of Ann's, 10 per week.

    Its first week was invoiced three days ago. All is relative to today, as a server
    answers real requests.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.today()
        cls.start = cls.today - timedelta(days=3)
        cls.next_date = cls.today + timedelta(days=4)
        cls.company.portal_confirmation_sign = False
        cls.company.portal_confirmation_pay = False
        cls.plan.write(
            {
                "name": "Gold",
                "billing_period_unit": "week",
                "user_closable": True,
                "user_extend": True,
                "user_quantity": True,
            }
        )
        cls.ann = cls._create_portal_user("ann_portal", "Ann")
        cls.ann.partner_id.parent_id = cls.partner
        cls.bob = cls._create_portal_user("bob_portal", "Bob")
        cls.order = cls._create_invoiced()
        cls.invoice = cls.order.invoice_ids
        cls.url = f"/my/subscriptions/{cls.order.id}"
        cls.token = cls.order._portal_ensure_token()
        cls.reason = cls.env.ref("sale_subscription.close_reason_too_expensive")

    @classmethod
    def _create_portal_user(cls, login, name):
        return new_test_user(cls.env, login, "base.group_portal", name=name)

    @classmethod
    def _create_invoiced(cls, *products, **values):
        """A subscription in its first week, which is invoiced."""
        order = cls._create_subscription(*products, start=cls.start, **values)
        with freeze_time(cls.start):
            order._create_recurring_invoice()
        return order

    @classmethod
    def _create_with_options(cls, *products, **values):
        """An invoiced subscription with optional products, of which none is sold."""
        with freeze_time(cls.start):
            order = cls._create_quotation(**values)
            order.order_line = [
                Command.create(
                    {
                        "name": "Options",
                        "display_type": "line_section",
                        "is_optional": True,
                        "sequence": 50,
                    }
                ),
                *(
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": 0,
                            "sequence": 51 + number,
                        }
                    )
                    for number, product in enumerate(products)
                ),
            ]
            order.action_confirm()
            order._create_recurring_invoice()
        return order

    def _sign_in(self, user):
        login = user and user.login
        self.authenticate(login, login)

    def _get(self, url, **params):
        return self.url_open(url, params=params)

    def _post(self, action, data=None, order=None, csrf=True):
        """Send a form as the browser does: where it leads is not followed."""
        data = dict(data or {})
        if csrf:
            data["csrf_token"] = http.Request.csrf_token(self)
        order = order or self.order
        return self.url_open(
            f"/my/subscriptions/{order.id}/{action}", data=data, allow_redirects=False
        )

    def _read(self, response):
        """Return the elements of a page by their `name`, as lists of texts."""
        self.assertEqual(response.status_code, 200, response.text[:500])
        found = {}
        for element in html.fromstring(response.text).xpath("//*[@name]"):
            text = " ".join(element.text_content().split())
            found.setdefault(element.get("name"), []).append(text)
        return found

    def _page(self, order=None, **params):
        order = order or self.order
        return self._read(self._get(f"/my/subscriptions/{order.id}", **params))

    def _show(self, date):
        return date.strftime("%m/%d/%Y")

    def assertLeadsTo(self, response, url):
        """Check where a page sends the browser, without host and query."""
        self.assertEqual(response.status_code, 303, response.text[:500])
        self.assertURLEqual(response.headers["Location"].split("?")[0], url)

    def _notes(self, order=None):
        messages = (order or self.order).message_ids
        return "\n".join(
            html.fromstring(m.body).text_content() for m in messages if m.body
        )
