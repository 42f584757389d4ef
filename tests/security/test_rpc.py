"""The same over HTTP: the two ways in that clients have, and what each must not do."""

import json
from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import SQL, mute_logger

from .people import BILLING, MARK, PeopleCase

# One method of each kind that went wrong: (model, method, arguments).
CALLS = (
    ("sale.order", "action_fc_invoice_open_usage", {}),
    ("sale.order", "action_create_recurring_invoice", {}),
    ("sale.order", "set_close", {}),
    ("sale.order", "write", {"vals": {"subscription_state": "6_churn"}}),
    ("sale.order", "get_portal_url", {}),
    ("sale.order", "read", {"fields": ["access_token"]}),
    ("account.move", "unlink", {}),
    ("payment.token", "get_linked_records_info", {}),
    ("fusion.billing.service", "action_generate_api_key", {}),
    ("fusion.billing.charge", "write", {"vals": {"price_per_unit": 9}}),
    ("fusion.billing.reconciliation", "action_compare", {}),
    ("fusion.billing.control", "action_sign", {}),
    ("fusion.billing.audit", "action_run", {}),
)
TABLES = (
    "sale_order",
    "account_move",
    "account_move_line",
    "fusion_billing_window",
    "fusion_billing_rating",
    "fusion_billing_api_key",
    "fusion_billing_charge",
    "fusion_billing_reconciliation",
    "fusion_billing_control",
    "fusion_billing_control_line",
    "fusion_billing_audit",
    "fusion_billing_webhook",
    "mail_message",
)


@tagged("post_install", "-at_install")
class TestRpc(PeopleCase, HttpCase):
    def _fingerprint(self):
        """What the tables hold, whatever is cached."""
        self.env.flush_all()
        found = []
        for table in TABLES:
            [row] = self.env.execute_query(
                SQL(
                    "SELECT count(*), md5(string_agg(t::text, '' ORDER BY id))"
                    " FROM %s t",
                    SQL.identifier(table),
                )
            )
            found.append((table, *row))
        return found

    def _records(self, model_name):
        world = {
            "sale.order": self.order | self.ended,
            "account.move": self.invoice,
            "fusion.billing.service": self.service,
            "fusion.billing.charge": self.charge,
        }
        return world.get(model_name) or self.env[model_name].search([], limit=1)

    @mute_logger("odoo.http")
    def _call_kw(self, model_name, method, ids, arguments):
        params = {
            "model": model_name,
            "method": method,
            "args": [] if ids is None else [ids],
            "kwargs": arguments,
        }
        return self.url_open("/web/dataset/call_kw", json={"params": params}).text

    @mute_logger("odoo.http")
    def _json_2(self, model_name, method, ids, arguments, key):
        body = arguments if ids is None else {"ids": ids, **arguments}
        return self.url_open(
            f"/json/2/{model_name}/{method}",
            data=json.dumps(body),
            headers={
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
            },
        ).text

    def _key(self, user):
        """A key of Odoo's for its external API."""
        return (
            self.env["res.users.apikeys"]
            .with_user(user)
            .sudo()
            ._generate("rpc", "test", fields.Datetime.now() + timedelta(days=1))
        )

    def _people_without_rights(self):
        """(label, user, whether that one may read what is asked for)."""
        for role in ("nobody", "user", "portal", "read-only accountant"):
            yield role, self.at_home[role], role != "nobody"
        for role in (*BILLING, "sales manager", "portal"):
            yield f"{role} (elsewhere)", self.elsewhere[role], False

    def _try_all(self, ask):
        """Make each call as each of them; nothing may be told, nothing written.

        :param ask: function of (user, model, method, ids or None, arguments) that
            returns the answer as text
        """
        for who, user, may_read in self._people_without_rights():
            for model_name, method, arguments in CALLS:
                ids = self._records(model_name).ids[:1]
                label = f"{who}: {model_name}.{method}"
                before = self._fingerprint()
                answer = ask(user, model_name, method, ids, arguments)
                with self.subTest(label):
                    json.loads(answer)  # or it was another page that answered
                    self.assertEqual(self._fingerprint(), before)
                    told = self.secrets
                    # Odoo shows the token to its own accountants, and to the customer.
                    if not may_read or who == "user":
                        told = told + self.tokens
                    for secret in told:
                        self.assertNotIn(secret, answer)
                    if not may_read:
                        self.assertNotIn(MARK, answer)

    def test_call_kw(self):
        signed_in = []

        def ask(user, model_name, method, ids, arguments):
            if signed_in[-1:] != [user]:
                self.authenticate(user.login, user.login)
                signed_in.append(user)
            return self._call_kw(model_name, method, ids, arguments)

        self._try_all(ask)

    def test_json_2(self):
        keys = {}

        def ask(user, model_name, method, ids, arguments):
            key = keys.get(user) or keys.setdefault(user, self._key(user))
            return self._json_2(model_name, method, ids, arguments, key)

        self._try_all(ask)

    def test_who_is_not_signed_in_calls_nothing(self):
        for model_name, method, arguments in CALLS:
            before = self._fingerprint()
            ids = self._records(model_name).ids[:1]
            kw = self._call_kw(model_name, method, ids, arguments)
            json_2 = self._json_2(model_name, method, ids, arguments, "no-such-key")
            with self.subTest(model=model_name, method=method):
                self.assertIn("Session", kw)
                self.assertIn("Invalid apikey", json_2)
                self.assertEqual(self._fingerprint(), before)

    def test_the_owner_of_the_right_is_heard_on_both_ways(self):
        """Else all of the above would pass with a client that reaches nothing."""
        user = self.at_home["manager"]
        self.authenticate(user.login, user.login)
        answer = self._call_kw("fusion.billing.metric", "read", self.metric.ids, {})
        self.assertIn(self.metric.code, answer)
        vals = {"vals": {"description": "changed"}}
        key = self._key(user)
        self._json_2("fusion.billing.metric", "write", self.metric.ids, vals, key)
        self.assertEqual(self.metric.description, "changed")
