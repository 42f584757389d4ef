"""Every button of our views, pressed in the web client as each group that sees it.

Which there are is read from the views, so a button that is added tomorrow is pressed as
well; one for which the world has no record of its state fails the test by its name.
``TestButtons`` calls the methods behind them, which says nothing of the page: whether a
person finds the button on it, and whether what it opens can be shown to him.
"""

from typing import NamedTuple

from lxml import etree

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..security.test_buttons import PressCase
from .browser import PressingCase
from .world import PressedWorld

TYPES = ("object", "action")
# The last one sees all, and presses only what none of the others was shown.
ROLES = (
    "nobody",
    "user",
    "manager",
    "salesperson",
    "invoicing accountant",
    "everything",
)
# Odoo's errors that say in a sentence what a person has to do first.
SENTENCES = ("UserError", "ValidationError", "RedirectWarning")
# Buttons that may end in such a sentence here, and why.
ASKS = {
    "action_charge_now": "no payment provider that is enabled is installed",
}


class Place(NamedTuple):
    """Where a button is: on the form, in a row, above a list."""

    model: str
    name: str
    kind: str
    context: str


@tagged("post_install", "-at_install", "fcb_browser")
class TestEveryButton(PressedWorld, PressCase, PressingCase):
    """One world, one browser, and each press undone before the next."""

    def _declared(self):
        """(model of the view, name) of each button in the text of our views."""
        views = self.env["ir.ui.view"].browse(self._xml_ids("ir.ui.view")).exists()
        return {
            (view.model, node.get("name"))
            for view in views.filtered(lambda x: x.model in self.env)
            for node in etree.fromstring(view.arch_db).iter("button", "a")
            if node.get("type") in TYPES and not node.get("position")
        }

    def _to_press(self, role, user, done):
        """(place, what press.js is told) of each button that a user is shown."""
        declared, seen = self._declared(), set()
        for view in self._views():
            Model = self.env[view.model].with_user(user)
            if Model._transient or not Model.has_access("read"):
                continue  # dialogs are pressed where they are opened
            shown = Model.get_view(view.id, view.type)
            if shown["id"] != view.id:
                continue
            arch = etree.fromstring(shown["arch"])
            for model_name, node in self._buttons(view.model, arch, TYPES):
                inside = next(node.iterancestors("field"), None) is not None
                if inside and next(node.iterancestors("header"), None) is not None:
                    continue  # Odoo shows the header of a list by itself alone
                name = node.get("name")
                if not {(view.model, name), (model_name, name)} & declared:
                    continue
                place = self._place(view, model_name, node)
                if place in seen or (role == "everything" and place in done):
                    continue
                record = self._record_to_press(view.model, node, user)
                if record:
                    seen.add(place)
                    yield place, self._target(view, place, record)

    def _bound(self):
        """The actions of ours that stand in the menu of a form or a list."""
        for model in (
            "ir.actions.server",
            "ir.actions.act_window",
            "ir.actions.report",
        ):
            actions = self.env[model].browse(self._xml_ids(model)).exists()
            yield from actions.filtered("binding_model_id")

    def _bound_to_press(self, user):
        """(place, what press.js is told) of each of them that a user is shown."""
        for action in self._bound():
            Model = self.env[action.binding_model_id.model].with_user(user)
            groups = action.group_ids
            if not Model.has_access("read") or (
                groups and not groups & user.all_group_ids
            ):
                continue
            record = Model.search([], limit=1)
            for kind in action.binding_view_types.split(",") if record else ():
                place = Place(Model._name, action.name, f"menu of {kind}", "")
                target = {"model": Model._name, "id": record.id, "view": False}
                yield place, target | {"kind": kind, "menu": action.name}

    def _place(self, view, model_name, node):
        kind = "" if view.type == "form" else "row"
        if view.type == "form" and any(True for _ in node.iterancestors("list")):
            kind = "row"
        elif any(True for _ in node.iterancestors("header")):
            kind = "" if view.type == "form" else "header"
        return Place(model_name, node.get("name"), kind, node.get("context") or "")

    def _target(self, view, place, record):
        return {
            "model": view.model,
            "id": record.id,
            "view": view.id,
            "kind": view.type,
            "name": place.name,
            "place": place.kind,
            "context": {"active_test": False},
        }

    def _record_to_press(self, model_name, node, user):
        """A record whose state shows the button; that of the world first."""
        chosen = self.chosen.get(node.get("name"))
        Model = self.env[model_name].with_context(active_test=False)
        records = chosen or Model.search([], limit=60, order="id desc")
        path = [x.get("name") for x in node.iterancestors("field")][::-1]
        for record in records.with_user(user)._filtered_access("read"):
            inner = record
            for name in path:
                if inner._fields[name].relational:
                    inner = inner[name]
            if any(self._is_shown(node, one) for one in inner):
                return record
        return None

    def _press_all(self, role, user, done):
        self.sign_in(user.login)
        shown = [*self._to_press(role, user, done), *self._bound_to_press(user)]
        for place, target in shown:
            result = self.press(target)
            label = f"{role}: {place.model} {place.name} {place.kind}"
            if not result["found"] and not result["errors"]:
                self.wrong.add(f"{label} is not on the page of {target['id']}")
            for name, message in result["errors"]:
                asks = name.split(".")[-1] in SENTENCES and place.name in ASKS
                if not asks:
                    self.wrong.add(f"{label}: {name} {message[:300]}")
            if result["dialog"] and not result["errors"]:
                self.wrong.add(f"{label} shows {result['dialog'][:300]}")
            self.wrong |= {f"{label}: {text[:300]}" for text in result["console"]}
            for url in result["opened"]:
                answer = self.url_open(url, timeout=60)
                if answer.status_code != 200:
                    self.wrong.add(f"{label} opens {url}: {answer.status_code}")
            done.add(place)
            self.pressed |= {tuple(call) for call in result["calls"]}

    def test_every_button_as_each_group(self):
        done = set()
        for role in ROLES:
            self._press_all(role, self.at_home[role], done)
        self.assertAllWork()
        never = {
            f"{model} {name}"
            for model, name in self._declared()
            if not {(model, name), ("action", name)} & self.pressed
        }
        bound = {action.name for action in self._bound()}
        never |= bound - {place.name for place in done}
        self.assertFalse(never, "Nobody could press these")
        self.assertGreater(len(done), 120)

    def test_the_sweep_finds_what_is_wrong(self):
        """A button that crashes, one that is refused, and one that asks for more."""
        user = self.at_home["user"]
        cls = self.env.registry["fusion.billing.audit"]
        view = self.env.ref("fusion_centralized_billing.audit_view_form")
        audit = self.env["fusion.billing.audit"].search([], limit=1)
        place = Place(audit._name, "action_view_findings", "", "")
        target = self._target(view, place, audit)
        self.patch(type(self), "_to_press", lambda *args: [(place, target)])

        def crash(records):
            raise TypeError("Planted")

        def ask(records):
            message = "Planted"
            raise UserError(message)

        def refuse(records):
            records.env["fusion.billing.usage"].create({})

        for method, text in (
            (crash, "builtins.TypeError Planted"),
            (ask, "odoo.exceptions.UserError Planted"),
            (refuse, "odoo.exceptions.AccessError"),
        ):
            with self.subTest(text=text), self.quiet():
                self.wrong.clear()
                self.patch(cls, "action_view_findings", method)
                self._press_all("user", user, set())
                self.assertEqual(len(self.wrong), 1, self.wrong)
                self.assertIn(text, self.wrong.pop())

    def test_an_action_in_the_menu_is_pressed(self):
        """There is none of ours at present, so one is planted, in form and list."""
        action = self.env["ir.actions.server"].create(
            {
                "name": "Planted",
                "model_id": self.env["ir.model"]._get_id("fusion.billing.metric"),
                "binding_model_id": self.env["ir.model"]._get_id(
                    "fusion.billing.metric"
                ),
                "state": "code",
                "code": "records.check_access('read')",
            }
        )
        self.env["ir.model.data"].create(
            {
                "module": "fusion_centralized_billing",
                "name": "planted_action",
                "model": action._name,
                "res_id": action.id,
            }
        )
        self.patch(type(self), "_to_press", lambda *args: [])
        done = set()
        self._press_all("manager", self.at_home["manager"], done)
        self.assertAllWork()
        self.assertEqual(
            {place.kind for place in done if place.name == "Planted"},
            {"menu of form", "menu of list"},
        )
