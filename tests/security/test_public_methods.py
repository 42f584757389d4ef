from odoo.exceptions import MissingError
from odoo.tests import tagged

from .people import BILLING, MARK, PeopleCase
from .sweep import call, inherited_methods, public_methods, required_parameters

# What a method is given where it asks for something, by the name of the parameter.
# A method with a parameter that is not here makes the sweep fail: add it.
ARGUMENTS = {
    "plan": lambda case: case.plan.id,
    "fields_list": lambda case: [],
    "vals": lambda case: {},
    "vals_list": lambda case: [{}],
    "fields": lambda case: [],
}
# Values worth writing, where code of ours does something of its own about them.
WRITES = {
    "sale.order": [
        {"subscription_state": "6_churn"},
        {"subscription_state": "3_progress"},
        {"fc_usage_discount": 50},
        {"next_invoice_date": "2026-05-01"},
        {"payment_token_id": False},
        {"state": "sale"},
    ],
    "sale.order.line": [{"discount": 50}, {"price_unit": 1}],
    "account.move.line": [{"price_unit": 1}, {"discount": 50}],
    "fusion.billing.charge": [{"price_per_unit": 9}, {"active": False}],
    "fusion.billing.charge.tier": [{"price_per_unit": 9}],
    "fusion.billing.metric": [{"aggregation": "max"}, {"name": "x"}],
    "fusion.billing.service": [{"webhook_url": False}, {"name": "x"}],
    "fusion.billing.usage": [{"unallocated": True}, {"quantity": 1}],
    "fusion.billing.rating": [{"state": "released"}, {"amount": 1}],
    "fusion.billing.window": [{"settled_at": False}],
    "fusion.billing.webhook": [{"state": "sent"}, {"payload": "x"}],
    "fusion.billing.price.draft": [{"state": "live"}, {"company_id": 1}],
    "fusion.billing.reconciliation": [{"note": "x"}],
    "res.company": [{"fc_billing_tz": "Europe/Berlin"}],
    "product.pricelist": [{"company_id": 1}],
}
MANAGERS = ("manager", "administrator")
# Who may change, by a method, records that he has no right to write to otherwise.
MAY = {
    ("fusion.billing.webhook", "action_replay"): MANAGERS,
    ("fusion.billing.audit", "action_run"): MANAGERS,
    ("fusion.billing.api.key", "action_revoke"): ("administrator",),
}


@tagged("post_install", "-at_install")
class TestPublicMethods(PeopleCase):
    """Everything that RPC can call, called by everybody who should get nothing by it.

    Methods are found by looking, so one that is added tomorrow is tried as well.
    """

    def setUp(self):
        super().setUp()
        self.leaks = []

    # -- who and what ----------------------------------------------------------

    def _people(self):
        for where, people in (("home", self.at_home), ("elsewhere", self.elsewhere)):
            for role, user in people.items():
                yield f"{role} ({where})", role, user

    def _records(self, model_name):
        """Records of the billed world, of each kind that methods tell apart."""
        world = {
            "sale.order": self.orders,
            "sale.order.line": self.orders.order_line[:3],
            "account.move": self.invoice,
            "account.move.line": self.invoice.invoice_line_ids,
            "res.partner": self.partner,
            "res.company": self.company,
            "product.template": self.usage_product.product_tmpl_id,
            "product.product": self.usage_product,
        }
        if model_name in world:
            return world[model_name]
        Model = self.env[model_name].with_context(active_test=False)
        if Model._abstract:
            return Model
        return Model.search([], limit=1, order="id desc")

    def _calls(self, model_name, method):
        """Argument lists to try a method with, the records left out."""
        if method == "write" and model_name in WRITES:
            return [[dict(vals)] for vals in WRITES[model_name]]
        names = required_parameters(self.env, model_name, method)
        for name in names:
            if name not in ARGUMENTS:
                self.fail(
                    f"{model_name}.{method}() takes '{name}': say in ARGUMENTS what to"
                    " call it with."
                )
        return [[ARGUMENTS[name](self) for name in names]]

    def _is_on_model(self, model_name, method):
        function = getattr(self.env.registry[model_name], method)
        return getattr(function, "_api_model", False)

    # -- what is asserted ------------------------------------------------------

    def _try(self, who, role, user, model_name, method, records, args):
        """Call once, and note what should not have come of it."""
        is_on_model = self._is_on_model(model_name, method)
        seen = records.with_user(user)
        try:
            readable = bool(records) and seen.has_access("read")
            writable = bool(records) and seen.has_access("write")
        except MissingError:  # rows of a view that a rule counts out
            readable = writable = False
        if is_on_model:
            readable, writable = False, seen.browse().has_access("create")
        outcome = call(
            self.env,
            user,
            model_name,
            method,
            args if is_on_model else [records.ids, *args],
        )
        label = f"{who}: {model_name}{records.ids}.{method}{args}"
        may = readable or is_on_model
        may = writable or (may and role in MAY.get((model_name, method), ()))
        if outcome.wrote and not may:
            self.leaks.append(f"{label} writes: {outcome.wrote}")
        if not readable and MARK in outcome.text:
            self.leaks.append(f"{label} tells {outcome.text[:300]}")
        told = [*self.secrets]
        if role in (*BILLING, "nobody", "public") or not readable:
            told += self.tokens
        if any(secret and secret in outcome.text for secret in told):
            self.leaks.append(f"{label} gives away a secret: {outcome.text[:300]}")

    def _sweep(self, methods):
        for model_name, method in methods:
            records = self._records(model_name)
            for args in self._calls(model_name, method):
                for who, role, user in self._people():
                    for record in records or [records]:
                        self._try(who, role, user, model_name, method, record, args)

    def test_no_method_writes_or_tells_more_than_the_caller_may(self):
        methods = public_methods(self.env)
        self.assertGreater(len(methods), 80)
        self._sweep(methods)
        self.assertFalse(self.leaks, "\n".join(self.leaks))

    def test_no_method_of_odoo_gives_billing_users_a_token(self):
        """All methods of what has a token, those of portal.mixin included."""
        for model_name in ("sale.order", "sale.order.line", "account.move"):
            records = self._records(model_name)[:2]
            methods = inherited_methods(self.env, model_name)
            self.assertGreater(len(methods), 50)
            for method in methods:
                if required_parameters(self.env, model_name, method):
                    continue
                for role in BILLING:
                    user = self.at_home[role]
                    args = [records[:1].ids]
                    if self._is_on_model(model_name, method):
                        args = []
                    outcome = call(self.env, user, model_name, method, args)
                    for token in self.tokens:
                        self.assertNotIn(token, outcome.text, (model_name, method))
