"""Every button, server action and menu, as each group has it before its eyes.

Tests that call a method in Python do not press the button: *Run Audit Now* was a method
of the model, and crashed for everybody once the web client called it with ids.
"""

import ast

from lxml import etree

from odoo import api, fields
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from ..sweep import own_modules
from .calls import LOUD, methods_of_ours
from .test_public_methods import SweepCase

# What nobody may see who presses a button: an error of ours, and not of his.
CRASHES = (TypeError, AttributeError, LookupError, NameError, ValueError)
KINDS = ("form", "list", "kanban")
# How many records of a model, of each kind that a button tells apart.
MOST_RECORDS = 3


def values_of(expression, record):
    """What the names in an expression of a view stand for (dict)."""
    values = {"uid": record.env.uid, "id": record.id, "context": {}}
    values["current_date"] = fields.Date.context_today(record)
    names = {n.id for n in ast.walk(ast.parse(expression)) if isinstance(n, ast.Name)}
    for name in names & set(record._fields):
        value, kind = record[name], record._fields[name].type
        if kind.endswith("2many"):
            value = value.ids
        elif kind == "many2one":
            value = value.id
        values[name] = value
    return values


class PressCase(SweepCase):
    def setUp(self):
        super().setUp()
        self.wrong, self.pressed, self.stopped = set(), set(), set()

    def _modules(self):
        return list(own_modules(self.env))

    def _xml_ids(self, model_name):
        """Ids of the records of a model that our modules made."""
        return (
            self.env["ir.model.data"]
            .search([("model", "=", model_name), ("module", "in", self._modules())])
            .mapped("res_id")
        )

    def _views(self):
        """The views of both modules, and those of Odoo's that they extend."""
        views = self.env["ir.ui.view"].browse(self._xml_ids("ir.ui.view")).exists()
        found = set()
        for view in views:
            while view.mode == "extension" and view.inherit_id:
                view = view.inherit_id
            if view.type in KINDS and view.model in self.env:
                found.add(view)
        return sorted(found, key=lambda view: view.id)

    def _buttons(self, model_name, arch, types=("object",)):
        """(model name, node) of each button; those of a list in a form are its own."""
        for node in arch.iter("button", "a"):
            if node.get("type") not in types or not node.get("name"):
                continue
            path = [a.get("name") for a in node.iterancestors("field")][::-1]
            model = self.env[model_name]
            for name in path:
                field = model._fields.get(name)
                if field is None or not field.relational:
                    break
                model = self.env[field.comodel_name]
            yield model._name, node

    def _evaluated(self, expression, record, default):
        try:
            if not expression:
                return default
            return safe_eval(expression, values_of(expression, record))
        except Exception:
            return default  # of the parent, say

    def _is_shown(self, node, record):
        for place in (node, *node.iterancestors()):
            if place.tag == "field":
                break
            if self._evaluated(place.get("invisible"), record, False):
                return False
        return True

    def _press(self, role, user, record, name, context=None):
        """As ``/web/dataset/call_button`` does; undone afterwards."""
        self.pressed.add((record._name, name))
        self.env.flush_all()
        self.env.invalidate_all()
        # A dialog keeps what it was opened from.
        active = (
            self.context
            if record._transient
            else {
                "active_model": record._name,
                "active_ids": record.ids,
                "active_id": record.id if len(record) == 1 else False,
            }
        )
        kwargs = {"context": {**active, **(context or {})}}
        caller = self.env(user=user.id, su=False)
        savepoint = self.env.cr.savepoint()
        label = f"{role}: {record._name}.{name}"
        try:
            with mute_logger(*LOUD):
                call_kw(caller[record._name], name, [record.ids], kwargs)
                caller.flush_all()
        except AccessError as exc:
            # What Odoo shows of its own to whoever may not is Odoo's; and a dialog
            # that the sweep has opened over what is not his, he could not open.
            ours = name in methods_of_ours(self.env, self.env.registry[record._name])
            if ours and self._is_his(record.with_user(user)):
                self.wrong.add(f"{label} is shown, and refused: {str(exc)[:120]}")
        except UserError:  # what it needs is not there, and it says so
            self.stopped.add(label)
        except CRASHES as exc:
            self.wrong.add(f"{label} crashes: {type(exc).__name__} {str(exc)[:160]}")
        except Exception:  # the test's cursor: no commit, no request to the outside
            self.stopped.add(label)
        finally:
            savepoint.close(rollback=True)
            self.env.transaction.clear()

    def _is_his(self, record):
        """Whether a dialog is about records that the user may read."""
        if not record._transient:
            return True
        names = [
            field.name
            for field in record._fields.values()
            if field.type == "many2one" and field.store
        ]
        targets = [record.sudo()[name].sudo(False) for name in names]
        return all(target.has_access("read") for target in targets if target)

    def assertAllWork(self):
        self.assertFalse(self.wrong, "\n" + "\n".join(sorted(self.wrong)))


@tagged("post_install", "-at_install")
class TestButtons(PressCase):
    def test_every_button_as_each_group(self):
        views = self._views()
        self.assertGreater(len(views), 30)
        for role, user in self.at_home.items():
            done = set()
            for view in views:
                Model = self.env[view.model].with_user(user)
                if user.share or not Model.has_access("read"):
                    continue
                arch = etree.fromstring(Model.get_view(view.id, view.type)["arch"])
                for model_name, node in self._buttons(view.model, arch):
                    self._press_on_all(role, user, model_name, node, done)
        self.assertAllWork()
        self.assertGreater(len(self.pressed), 70)

    def _press_on_all(self, role, user, model_name, node, done):
        name = node.get("name")
        if (model_name, name) in done:
            return
        records = self._records(model_name, user)[:MOST_RECORDS]
        visible = records.with_user(user)._filtered_access("read")
        for record in visible:
            if self._is_shown(node, record):
                done.add((model_name, name))
                context = self._evaluated(node.get("context"), record, {})
                self._press(role, user, record, name, context)
        if node.get("display") == "always":
            done.add((model_name, name))
            self._press(role, user, visible.browse(), name)

    def test_a_method_of_the_model_behind_a_button_is_found(self):
        """The sweep itself: what *Run Audit Now* was."""
        cls = self.env.registry["fusion.billing.audit"]
        original = cls.action_run

        @api.model
        def action_run(records):
            return original(records)

        audit = self.env["fusion.billing.audit"].search([], limit=1)
        user = self.at_home["manager"]
        self.patch(cls, "action_run", action_run)
        self._press("manager", user, audit, "action_run")
        self.assertEqual(len(self.wrong), 1)
        self.assertIn("action_run crashes: TypeError", self.wrong.pop())

    def test_the_audit_runs_from_list_and_form(self):
        audit = self.env["fusion.billing.audit"].search([], limit=1)
        user = self.at_home["manager"]
        for records in (audit.browse(), audit):
            action = call_kw(
                self.env["fusion.billing.audit"].with_user(user),
                "action_run",
                [records.ids],
                {},
            )
            made = audit.browse(action["res_id"])
            self.assertNotEqual(made, audit)
            self.assertEqual(made.user_id, user)

    # -- server actions and menus ----------------------------------------------

    def test_every_server_action(self):
        actions = self.env["ir.actions.server"].browse(
            self._xml_ids("ir.actions.server")
        )
        for role, user in self.at_home.items():
            for action in actions.filtered(lambda a: a.usage == "ir_actions_server"):
                if action.group_ids and not action.group_ids & user.all_group_ids:
                    continue
                records = self._records(action.model_name, user)[:1].with_user(user)
                if user.share or not records._filtered_access("write"):
                    continue
                context = {
                    "active_model": action.model_name,
                    "active_ids": records.ids,
                    "active_id": records.id,
                }
                own = action.with_user(user).with_context(**context)
                self._press(role, user, own, "run", context)
        self.assertAllWork()

    def test_every_menu_opens(self):
        menus = self.env["ir.ui.menu"].browse(self._xml_ids("ir.ui.menu")).exists()
        opened = set()
        for role, user in self.at_home.items():
            if user.share:
                continue
            visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            for menu in menus:
                action = menu.id in visible and menu.action
                if action and menu.action._name == "ir.actions.act_window":
                    self._open(f"{role}: {menu.complete_name}", user, menu.action)
                    opened.add(menu)
        self.assertGreater(len(opened), 20)
        self.assertAllWork()

    def _open(self, label, user, action):
        values = {"uid": user.id, "context": {}, "active_id": False}
        context = safe_eval(action.context or "{}", values)
        Model = self.env[action.res_model].with_user(user).with_context(**context)
        try:
            Model.get_views([*action.views, [False, "search"]])
            if not Model._transient:
                domain = safe_eval(action.domain or "[]", values)
                found = Model.search(domain, limit=3)
                found.mapped("display_name")
            else:
                Model.default_get(list(Model._fields))
        except (AccessError, *CRASHES) as exc:
            self.wrong.add(f"{label}: {type(exc).__name__} {str(exc)[:160]}")
