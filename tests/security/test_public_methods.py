"""Everything that RPC can call, called by everybody who should get nothing by it.

Methods are found by looking, so one that is added tomorrow is tried as well.
"""

from unittest.mock import patch

from odoo.exceptions import MissingError
from odoo.tests import tagged

from .calls import (
    call,
    inherited_methods,
    own_models,
    public_methods,
    required_parameters,
)
from .people import BILLING, MARK, QUANTITY, PeopleCase

# What a method is given where it asks for something, by the name of the parameter.
# A method with a parameter that is not here makes the sweep fail: add it.
ARGUMENTS = {
    "plan": lambda case, model_name: case.plan.id,
    "fields_list": lambda case, model_name: list(case.env[model_name]._fields),
    "vals": lambda case, model_name: {},
    "vals_list": lambda case, model_name: [{}],
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
    "fusion.billing.price.draft": [{"state": "live"}, {"live_date": False}],
    "fusion.billing.reconciliation": [{"note": "x"}],
    "res.company": [{"fc_billing_tz": "Europe/Berlin"}],
    "product.pricelist": [{"company_id": 1}],
}
MANAGERS = ("manager", "administrator")
SELLERS = ("salesperson", "sales manager")
# Who may change, by a method, records that he has no right to write to otherwise; and
# who may by which dialog. At home: nobody changes anything of another company.
MAY = {
    ("fusion.billing.webhook", "action_replay"): MANAGERS,
    ("fusion.billing.audit", "action_run"): MANAGERS,
    ("fusion.billing.api.key", "action_revoke"): ("administrator",),
    ("fusion.billing.api.key.wizard", "action_generate"): ("administrator",),
    ("fusion.billing.webhook.secret.wizard", "action_generate"): ("administrator",),
    ("fusion.billing.webhook.replay.wizard", "action_replay"): MANAGERS,
    ("fusion.billing.charge.version.wizard", "action_create"): MANAGERS,
    ("fusion.billing.usage.void.wizard", "action_void"): MANAGERS,
    ("fusion.billing.usage.move.wizard", "action_move"): MANAGERS,
    ("sale.subscription.close", "action_close"): SELLERS,
    ("sale.subscription.pause", "action_pause"): SELLERS,
    ("sale.subscription.change.plan", "action_change_plan"): SELLERS,
    ("sale.order.discount", "action_apply_discount"): SELLERS,
}


class SweepCase(PeopleCase):
    def setUp(self):
        super().setUp()
        self.leaks = []
        self.rights = {}
        usage = self.env["fusion.billing.usage"].search([], limit=1)
        self.context = {"active_ids": usage.ids, "active_id": usage.id}

    # -- who and what ----------------------------------------------------------

    def _people(self):
        """(where, role, user) of everybody."""
        for where, people in (("home", self.at_home), ("elsewhere", self.elsewhere)):
            for role, user in people.items():
                yield where, role, user

    def _target(self, model_name):
        """Records of the billed world, of each kind that methods tell apart."""
        world = {
            "sale.order": self.orders,
            "sale.order.line": self.orders.order_line[:3],
            "account.move": self.invoice,
            "account.move.line": self.invoice.invoice_line_ids,
            "res.partner": self.partner,
            "res.company": self.company,
            "res.users": self.at_home["administrator"],
            "product.template": self.usage_product.product_tmpl_id,
            "product.product": self.usage_product,
            "sale.subscription.plan": self.plan,
            "fusion.billing.service": self.service,
            "fusion.billing.charge": self.charge,
            "fusion.billing.metric": self.metric,
        }
        if model_name in world:
            return world[model_name]
        Model = self.env[model_name].with_context(active_test=False)
        return Model if Model._abstract else Model.search([], limit=1, order="id desc")

    def _records(self, model_name, user):
        """What a method is called on; of a dialog one that the user has opened."""
        if not self.env.registry[model_name]._transient:
            return self._target(model_name)
        # As superuser in his name: what it is about may be none of his business.
        Wizard = self.env[model_name].with_user(user).sudo()
        values = {}
        for name, field in Wizard._fields.items():
            if field.store and not field.compute and field.relational:
                target = self._target(field.comodel_name)
                if field.type == "many2one" and name not in ("create_uid", "write_uid"):
                    values[name] = target[:1].id
                elif field.type == "many2many" and field.required:
                    values[name] = [(6, 0, target[:1].ids)]
            elif field.required and field.type == "char":
                values[name] = "a reason"
        return Wizard.create(values).sudo(False).with_env(self.env)

    def _rights(self, user, record):
        """Whether the user may read, and may write to a record."""
        key = user, record
        if key not in self.rights:
            seen = record.with_user(user)
            try:
                rights = bool(record) and seen.has_access("read")
                rights = rights, rights and seen.has_access("write")
            except MissingError:  # a row of a view that counts other records out
                rights = False, False
            self.rights[key] = rights
        return self.rights[key]

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
        return [[ARGUMENTS[name](self, model_name) for name in names]]

    def _is_on_model(self, model_name, method):
        function = getattr(self.env.registry[model_name], method)
        return getattr(function, "_api_model", False)

    # -- what is asserted ------------------------------------------------------

    def _try(self, caller, model_name, method, record, args):
        """Call once, and note what should not have come of it.

        :param caller: (where he is at home, his role, the user)
        """
        where, role, user = caller
        Model = self.env[model_name]
        on_model = self._is_on_model(model_name, method)
        at_home = where == "home"
        if on_model:
            readable = at_home and role not in ("nobody", "portal")
            may = method == "create" or not Model._transient
            may = may and Model.with_user(user).has_access("create")
            may = may or role in MAY.get((model_name, method), ())
        elif Model._transient:
            readable, may = at_home, False
        else:
            readable, may = self._rights(user, record)
        may = may or (readable and role in MAY.get((model_name, method), ()))
        ids = [] if on_model else [record.ids]
        outcome = call(self.env, user, model_name, method, [*ids, *args], self.context)
        label = f"{role} ({where}): {model_name}{record.ids}.{method}{args}"
        if outcome.wrote and not may:
            self.leaks.append(f"{label} writes: {outcome.wrote}")
        self._note_what_was_told(label, role, outcome.text, readable)

    def _note_what_was_told(self, label, role, text, readable):
        if not readable and (MARK in text or str(QUANTITY) in text):
            self.leaks.append(f"{label} tells {text[:300]}")
        # Odoo itself shows the tokens of orders to those who sell and keep the books.
        kept = self.secrets
        if role in (*BILLING, "nobody", "public") or not readable:
            kept = kept + self.tokens
        if any(secret in text for secret in kept):
            self.leaks.append(f"{label} gives away a secret: {text[:300]}")

    def _sweep(self, methods, people=None):
        for model_name, method in methods:
            for caller in people or self._people():
                where, _role, user = caller
                records = self._records(model_name, user)
                if where == "elsewhere":  # none of them is seen, whatever its state
                    records = records[:2]
                for args in self._calls(model_name, method):
                    for record in records or [records]:
                        self._try(caller, model_name, method, record, args)

    def assertNothingLeaks(self):
        self.assertFalse(self.leaks, "\n" + "\n".join(self.leaks))


@tagged("post_install", "-at_install")
class TestPublicMethods(SweepCase):
    def test_no_method_writes_or_tells_more_than_the_caller_may(self):
        own = own_models(self.env)
        methods = [
            (model_name, method)
            for model_name, method in public_methods(self.env)
            # Of Odoo's orders it is Odoo that draws a number before it asks.
            if method != "create" or model_name in own
        ]
        self.assertGreater(len(methods), 80)
        self._sweep(methods)
        self.assertNothingLeaks()

    def test_each_model_has_a_record_to_try_its_methods_on(self):
        without = {
            model_name
            for model_name, _method in public_methods(self.env)
            if not self.env[model_name]._transient
            and not self.env[model_name]._abstract
            and not self._target(model_name)
        }
        self.assertFalse(without)

    def test_no_method_of_odoo_gives_billing_users_a_token(self):
        """All methods of what has a token, those of portal.mixin included."""
        for model_name in ("sale.order", "sale.order.line", "account.move"):
            record = self._target(model_name)[:1]
            methods = inherited_methods(self.env, model_name)
            self.assertGreater(len(methods), 50)
            for method in methods:
                if required_parameters(self.env, model_name, method):
                    continue
                ids = [] if self._is_on_model(model_name, method) else [record.ids]
                for role in BILLING:
                    user = self.at_home[role]
                    outcome = call(self.env, user, model_name, method, ids)
                    label = f"{role}: {model_name}.{method}"
                    self._note_what_was_told(label, role, outcome.text, readable=True)
        self.assertNothingLeaks()

    # -- what a form does by itself --------------------------------------------

    def _spec(self, model_name, user):
        """All fields a user may ask for, as the client asks for them."""
        spec = {}
        for name, info in self.env[model_name].with_user(user).fields_get().items():
            names = {"fields": {"display_name": {}}} if info.get("relation") else {}
            spec[name] = names
        return spec

    def _plain_values(self, model_name):
        """Dates and choices, of which none is a secret by itself."""
        record = self._target(model_name)[:1]
        names = [
            name
            for name, field in record._fields.items()
            if field.type in ("date", "datetime", "selection") and not field.compute
        ]
        return record.read(names)[0] if record and names else {}

    def test_no_form_tells_of_records_that_are_put_into_it(self):
        """Computed fields and defaults, of a record that is not stored."""
        for model_name in own_models(self.env):
            Model = self.env[model_name]
            if Model._abstract:
                continue
            links = {
                name: self._target(field.comodel_name)[:1]
                for name, field in Model._fields.items()
                if field.type == "many2one" and field.comodel_name != "res.users"
            }
            for role, user in self.elsewhere.items():
                if not Model.with_user(user).has_access("create"):
                    continue
                spec = self._spec(model_name, user)
                for name, link in links.items():
                    asked = {key: sub for key, sub in spec.items() if key != name}
                    args = [[], {name: link.id}, [name], asked]
                    outcome = call(self.env, user, model_name, "onchange", args)
                    label = f"{role}: {model_name}.onchange({name})"
                    readable = self._rights(user, link)[0]
                    self._note_what_was_told(label, role, outcome.text, readable)
                # All at once, and the rest as it is on a record that he may not read.
                values = {name: link.id for name, link in links.items()}
                asked = {key: sub for key, sub in spec.items() if key not in links}
                values |= self._plain_values(model_name)
                args = [[], values, list(links), asked]
                outcome = call(self.env, user, model_name, "onchange", args)
                label = f"{role}: {model_name}.onchange"
                self._note_what_was_told(label, role, outcome.text, readable=False)
                defaults = {f"default_{name}": link.id for name, link in links.items()}
                outcome = call(
                    self.env,
                    user,
                    model_name,
                    "default_get",
                    [list(Model._fields)],
                    self.context | defaults,
                )
                label = f"{role}: {model_name}.default_get"
                self._note_what_was_told(label, role, outcome.text, readable=False)
        self.assertNothingLeaks()


@tagged("post_install", "-at_install")
class TestSweepFindsLeaks(SweepCase):
    """The sweep itself: somebody adds a method that forgets to ask."""

    def _plant(self, method, model_name="fusion.billing.metric"):
        cls = self.env.registry[model_name]
        self.startPatcher(patch.object(cls, "action_planted", method, create=True))
        self.assertIn((model_name, "action_planted"), public_methods(self.env))
        self._sweep([(model_name, "action_planted")])
        return "\n".join(self.leaks)

    def test_a_method_that_reads_as_superuser(self):
        def action_planted(self):
            return self.sudo().env["fusion.billing.service"].search([]).mapped("name")

        found = self._plant(action_planted)
        self.assertRegex(found, r"nobody \(home\): .*action_planted\[\] tells")
        self.assertRegex(found, r"manager \(elsewhere\): .*action_planted\[\] tells")

    def test_a_method_that_writes_as_superuser(self):
        def action_planted(self):
            self.sudo().write({"name": "Taken over"})

        found = self._plant(action_planted)
        self.assertRegex(found, r"user \(home\): .*action_planted\[\] writes: .*UPDATE")
        self.assertNotRegex(found, r"(?m)^manager \(home\)")

    def test_a_method_that_writes_and_hides_it(self):
        """PostgreSQL refuses, the method goes on as if nothing had been."""

        def action_planted(self):
            try:
                with self.env.cr.savepoint():
                    self.env.cr.execute("DELETE FROM fusion_billing_api_log")
            except Exception:
                return True

        found = self._plant(action_planted)
        self.assertRegex(found, r"portal \(home\): .*action_planted\[\] writes: DELETE")

    def test_a_method_that_gives_a_token_away(self):
        def action_planted(self):
            return self.sudo().access_token

        found = self._plant(action_planted, "sale.order")
        self.assertRegex(found, r"user \(home\): .* gives away a secret")
        self.assertNotRegex(found, r"sales manager \(home\): .* gives away a secret")

    def test_a_method_that_asks_for_something_new(self):
        def action_planted(self, something_new):
            return something_new

        with self.assertRaisesRegex(AssertionError, "something_new.*ARGUMENTS"):
            self._plant(action_planted)

    def test_a_method_on_the_model(self):
        """With no record at all: decorated with ``api.model``."""

        def action_planted(self):
            return self.sudo().env["fusion.billing.service"].search([]).mapped("name")

        action_planted._api_model = True
        found = self._plant(action_planted)
        self.assertRegex(found, r"public \(elsewhere\): .*action_planted\[\] tells")
        self.assertRegex(found, r"nobody \(home\): .*action_planted\[\] tells")
