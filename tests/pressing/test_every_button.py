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
# What is asked of the server for the buttons of type ``action``: the action by its id.
ACTION = "action"


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

    def _place(self, view, model_name, node):
        kind = "" if view.type == "form" else "row"
        if view.type == "form" and any(True for _ in node.iterancestors("list")):
            kind = "row"
        elif view.type == "list" and any(True for _ in node.iterancestors("header")):
            kind = "header"
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
        for place, target in self._to_press(role, user, done):
            result = self.press(target)
            print("PRESS", role, place, target["id"], result, flush=True)
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
        import os
        import time

        for role in os.environ.get("PRESS_ROLES", "").split(",") or ROLES:
            print("T", role, time.time(), len(done), flush=True)
            self._press_all(role, self.at_home[role], done)
        print("T end", time.time(), len(done))
        print("WRONG", *sorted(self.wrong), sep="\n")
        names = {name for _model, name in self.pressed}
        never = {
            f"{model} {name}" for model, name in self._declared() if name not in names
        }
        print("NEVER", *sorted(never), sep="\n")
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
            raise UserError("Planted")

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
