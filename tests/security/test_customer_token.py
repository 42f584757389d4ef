import contextlib

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .people import BILLING, PeopleCase

TOKEN_FIELD = "access_token"
# A picture of one pixel.
SIGNATURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestCustomerToken(PeopleCase):
    """Who reads for billing sees what is billed, and never what makes one the customer.

    With the token of an order anybody signs it, declines it, closes it: it is asked for
    in all the ways a client has.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for role in BILLING:
            cls.at_home[role].group_ids |= cls.env.ref("base.group_allow_export")

    def _as(self, role, records):
        return records.with_user(self.at_home[role])

    def assertToldNothing(self, method, *args, **kwargs):
        """It is refused, or tells no token."""
        self.env.invalidate_all()
        try:
            text = repr(method(*args, **kwargs))
        except UserError as error:  # it may not be read, or not be grouped by
            text = str(error)
        for token in self.tokens:
            self.assertNotIn(token, text)

    # -- which orders ----------------------------------------------------------

    def test_billing_users_see_subscriptions_and_no_other_order(self):
        for role in BILLING:
            with self.subTest(role=role):
                seen = self._as(role, self.env["sale.order"]).search([])
                self.assertLessEqual(self.orders - self.sold_once, seen)
                self.assertNotIn(self.sold_once, seen)
                lines = self._as(role, self.env["sale.order.line"]).search([])
                self.assertEqual(lines.order_id, seen.filtered("order_line"))
                for records in (self.sold_once, self.sold_once.order_line):
                    with self.assertRaises(AccessError):
                        self._as(role, records).read(["name"])

    def test_others_see_the_orders_that_they_saw_before(self):
        """Also with the billing group besides their own."""
        group = self.env.ref("fusion_centralized_billing.group_user")
        for billing_too in (False, True):
            for role in ("sales manager", "read-only accountant"):
                user = self.at_home[role]
                if billing_too:
                    user.group_ids |= group
                with self.subTest(role=role, billing_too=billing_too):
                    self.assertLessEqual(
                        self.orders, self._as(role, self.orders).search([])
                    )
                    order = self._as(role, self.sold_once)
                    self.assertIn(order[TOKEN_FIELD], order.get_portal_url())

    def test_a_salesperson_with_the_billing_group_sees_his_own_orders(self):
        """As before: the rule must not open what Odoo keeps for its salespeople."""
        user = self.at_home["salesperson"]
        user.group_ids |= self.env.ref("fusion_centralized_billing.group_user")
        self.order.user_id = self.at_home["sales manager"]
        self.sold_once.user_id = user
        seen = self._as("salesperson", self.orders).search([])
        self.assertIn(self.sold_once, seen)
        self.assertNotIn(self.order, seen)

    # -- the token -------------------------------------------------------------

    def test_no_read_tells_the_token(self):
        spec = {TOKEN_FIELD: {}}
        for role in BILLING:
            order = self._as(role, self.order)
            self.assertNotIn(TOKEN_FIELD, order.fields_get())
            self.assertToldNothing(order.read)
            for method, args in (
                (order.read, [[TOKEN_FIELD]]),
                (order.search_read, [[("id", "=", order.id)], [TOKEN_FIELD]]),
                (order.web_read, [spec]),
                (order.web_search_read, [[("id", "=", order.id)], spec]),
                (order.export_data, [[TOKEN_FIELD]]),
                (order.export_data, [["order_line/order_id/access_token"]]),
                (order.onchange, [{}, [], spec]),
                (order.mapped, [TOKEN_FIELD]),
                (order.copy_data, []),
                (order.get_portal_url, []),
                (order._portal_ensure_token, []),
                (order._get_share_url, []),
                (order._get_access_action, [None, True]),
                (order._sign_token, [self.partner.id]),
                (order.action_preview_sale_order, []),
            ):
                with self.subTest(role=role, method=method.__name__, args=args):
                    self.assertToldNothing(method, *args)

    def test_no_order_is_found_by_its_token(self):
        """Not letter by letter either."""
        half = self.order[TOKEN_FIELD][:8]
        paths = {
            "sale.order": TOKEN_FIELD,
            "sale.order.line": "order_id.access_token",
            "fusion.billing.usage": "subscription_id.access_token",
            "fusion.billing.rating": "invoice_id.access_token",
            "fusion.billing.window": "subscription_id.access_token",
            "fusion.billing.reconciliation": "subscription_id.access_token",
        }
        for role in BILLING:
            for model_name, path in paths.items():
                Model = self._as(role, self.env[model_name])
                for domain in (
                    [(path, "=like", f"{half}%")],
                    [(path, ">", half)],
                    [(path, "!=", False)],
                    ["!", (path, "in", [half])],
                ):
                    with self.subTest(role=role, model=model_name, domain=domain):
                        with self.assertRaises(AccessError):
                            Model.search_count(domain)
                        with self.assertRaises(AccessError):
                            Model.search(Domain.AND([domain, [("id", ">", 0)]]))
                for method, kwargs in (
                    ("search", {"domain": [], "order": path}),
                    (
                        "formatted_read_group",
                        {"domain": [], "groupby": [path], "aggregates": ["__count"]},
                    ),
                    (
                        "formatted_read_group",
                        {
                            "domain": [],
                            "groupby": [],
                            "aggregates": [f"{path}:array_agg"],
                        },
                    ),
                    ("search_panel_select_range", {"field_name": path}),
                    ("export_data", {"fields_to_export": [path.replace(".", "/")]}),
                ):
                    records = Model.search([], limit=3)
                    with self.subTest(role=role, model=model_name, method=method):
                        # Some of these Odoo does not know.
                        with contextlib.suppress(ValueError, KeyError):
                            self.assertToldNothing(getattr(records, method), **kwargs)

    def test_no_invoice_is_read_by_way_of_what_it_bills(self):
        rating = self.order.fc_rating_ids.filtered("invoice_id")[:1]
        self.assertTrue(rating)
        spec = {"invoice_id": {"fields": {TOKEN_FIELD: {}}}}
        for role in BILLING:
            own = self._as(role, rating)
            with self.subTest(role=role):
                with self.assertRaises(AccessError):
                    self._as(role, self.invoice).read([TOKEN_FIELD])
                self.assertToldNothing(own.web_read, spec)
                self.assertToldNothing(own.export_data, ["invoice_id/access_token"])
                for method in ("get_portal_url", "_get_share_url", "preview_invoice"):
                    self.env.invalidate_all()
                    invoice = self._as(role, self.invoice)
                    with self.assertRaises(AccessError):
                        getattr(invoice, method)()

    def test_no_dialog_shows_a_link_with_the_token(self):
        """Sharing and payment links, for a billing user who also keeps contacts."""
        user = self.at_home["manager"]
        user.group_ids |= self.env.ref("base.group_partner_manager")
        for record in (self.order, self.invoice):
            for wizard in ("portal.share", "payment.link.wizard"):
                context = {"active_model": record._name, "active_id": record.id}
                Wizard = self.env[wizard].with_user(user).with_context(**context)
                with self.subTest(model=record._name, wizard=wizard):
                    self.env.invalidate_all()
                    with self.assertRaises(AccessError):
                        dialog = Wizard.create(
                            {
                                "res_model": record._name,
                                "res_id": record.id,
                                **({"amount": 1} if "amount" in Wizard else {}),
                            }
                        )
                        dialog.read()

    def test_no_mail_to_the_customer_is_read_for_its_token(self):
        """An invitation stays in the chatter of the order, with its link."""
        seller = self.at_home["sales manager"]
        seller.group_ids |= self.env.ref("base.group_partner_manager")
        share = self.env["portal.share"].with_user(seller)
        values = {"res_model": "sale.order", "res_id": self.order.id}
        share.create(
            values | {"partner_ids": [(6, 0, self.partner.ids)]}
        ).action_send_mail()
        [message] = self.order.message_ids.filtered(
            lambda m: self.order.access_token in (m.body or "")
        )
        text = "The last usage could not be rated"
        note = self.order.message_post(body=text)
        for role in BILLING:
            with self.subTest(role=role):
                seen = self._as(role, self.order).message_ids
                self.assertIn(note, seen)
                self.assertNotIn(message, seen)
                with self.assertRaises(AccessError):
                    self._as(role, message).read(["body"])
        self.assertIn(message, self._as("sales manager", self.order).message_ids)

    def test_no_template_prints_the_token(self):
        for role in BILLING:
            Render = self._as(role, self.env["mail.render.mixin"])
            for source in (
                "<t t-out='object.access_token'/>",
                "<t t-out='object.get_portal_url()'/>",
            ):
                with self.subTest(role=role, source=source):
                    self.env.invalidate_all()
                    try:
                        text = str(
                            Render._render_template(
                                source, "sale.order", self.order.ids, engine="qweb"
                            )
                        )
                    except Exception as error:  # Odoo's renderer wraps what it met
                        text = str(error)
                    self.assertNotIn(self.order.access_token, text)

    def test_a_customer_reads_his_own_order_as_before(self):
        self.assertTrue(self._as("portal", self.order)[TOKEN_FIELD])
        self.assertTrue(self._as("portal", self.order).get_portal_url())


@tagged("post_install", "-at_install")
class TestCustomerPages(PeopleCase, HttpCase):
    """The pages of Odoo and of ours on which a customer signs, pays and closes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.portal_confirmation_sign = True
        cls.company.portal_confirmation_pay = False
        (cls.quotation | cls.sold_once).write({"require_signature": True})
        cls.quotation.action_quotation_sent()

    def _routes(self):
        """(path, kind, methods) of every customer's page of an order or an invoice."""
        found = set()
        for rule in self.env["ir.http"].routing_map().iter_rules():
            if not rule.rule.startswith(("/my/", "/invoice/transaction/<")):
                continue
            arguments = rule.arguments & {"order_id", "invoice_id"}
            others = rule.arguments - arguments
            if arguments and not others - {"document_id", "line_id"}:
                found.add((rule.rule, rule.endpoint.routing["type"]))
        return sorted(found)

    def _visit(self, path, kind, record, **values):
        """(status, text) of a page that is asked for, without following it."""
        for name in ("order_id", "invoice_id"):
            path = path.replace(f"<int:{name}>", str(record.id))
        for name in ("document_id", "line_id"):
            path = path.replace(f"<int:{name}>", "1")
        if kind == "jsonrpc":
            with mute_logger("odoo.http"):
                answer = self.url_open(path, json={"params": values})
            return answer.status_code, answer.text
        text = ""
        for method in ("GET", "POST"):
            data = values | {"csrf_token": http.Request.csrf_token(self)}
            answer = self._quietly(
                path,
                data=data if method == "POST" else None,
                params=values if method == "GET" else None,
                method=method,
                allow_redirects=False,
            )
            text += answer.text + answer.headers.get("Location", "")
        return answer.status_code, text

    @mute_logger("odoo.http")  # of values that a page does not take
    def _quietly(self, *args, **kwargs):
        return self.url_open(*args, **kwargs)

    def _state(self):
        self.env.invalidate_all()
        return [
            (
                order.state,
                order.subscription_state,
                order.signed_by,
                order.plan_id,
                order.order_line.mapped("product_uom_qty"),
                order.transaction_ids,
                order.subscription_child_ids,
                order.message_ids,
            )
            for order in self.orders
        ] + [(self.invoice.payment_state, self.invoice.transaction_ids)]

    VALUES = {
        "name": "Nobody",
        "signature": SIGNATURE,
        "decline_message": "no",
        "close_reason_id": "1",
    }

    def test_billing_users_get_no_page_of_the_customer_and_no_token(self):
        routes = self._routes()
        self.assertGreater(len(routes), 6)
        before = self._state()
        for role in BILLING:
            self.authenticate(self.at_home[role].login, self.at_home[role].login)
            for path, kind in routes:
                records = self.invoice if "invoice" in path else self.orders
                for record in records:
                    for extra in ({}, {"access_token": "guessed"}):
                        _status, text = self._visit(
                            path, kind, record, **self.VALUES, **extra
                        )
                        with self.subTest(role=role, path=path, record=record):
                            for token in self.tokens:
                                self.assertNotIn(token, text)
        self.assertEqual(self._state(), before)

    def _accept(self, order, **values):
        path = "/my/orders/<int:order_id>/accept"
        return self._visit(path, "jsonrpc", order, **self.VALUES, **values)[1]

    def test_staff_who_may_only_read_sign_for_nobody(self):
        """Neither when they come by their right to read, nor with the token."""
        for role in ("user", "read-only accountant"):
            user = self.at_home[role]
            self.authenticate(user.login, user.login)
            for token in (None, self.quotation.access_token):
                with self.subTest(role=role, token=token):
                    self.assertIn(
                        "error", self._accept(self.quotation, access_token=token)
                    )
                    self.assertEqual(self.quotation.state, "sent")

    def test_salespeople_and_customers_sign_as_before(self):
        for role, order in (
            ("sales manager", self.quotation),
            ("portal", self.sold_once),
        ):
            user = self.at_home[role]
            self.authenticate(user.login, user.login)
            with self.subTest(role=role):
                self.assertIn("redirect_url", self._accept(order))
                self.assertEqual(order.state, "sale")

    def test_a_colleague_with_the_token_signs_as_before(self):
        """A salesperson who does not see the order has the link from the customer."""
        self.quotation.user_id = self.at_home["sales manager"]
        user = self.at_home["salesperson"]
        self.assertFalse(self.quotation.with_user(user).has_access("read"))
        self.authenticate(user.login, user.login)
        self.assertIn("error", self._accept(self.quotation))
        self.assertEqual(self.quotation.state, "sent")
        self._accept(self.quotation, access_token=self.quotation.access_token)
        self.assertEqual(self.quotation.state, "sale")

    def test_a_stranger_with_the_token_signs_as_before(self):
        self.authenticate(None, None)
        self._accept(self.quotation, access_token=self.quotation.access_token)
        self.assertEqual(self.quotation.state, "sale")

    def test_staff_who_buy_themselves_are_customers(self):
        user = self.at_home["user"]
        order = self.quotation.copy({"partner_id": user.partner_id.id})
        order.action_quotation_sent()
        self.authenticate(user.login, user.login)
        self.assertIn("redirect_url", self._accept(order))
        self.assertEqual(order.state, "sale")
