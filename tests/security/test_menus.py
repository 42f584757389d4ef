from odoo.exceptions import AccessError
from odoo.tests import tagged

from .menu_case import Client
from .people import PeopleCase


@tagged("post_install", "-at_install")
class TestMenus(PeopleCase):
    """Nobody meets an AccessError in an app he was given.

    By introspection: each menu of the app, its lists, the forms of their records, all
    that these lead to, the stat buttons, and a new record where he may make one.
    """

    maxDiff = None

    def _walk(self, role):
        user = self.at_home[role]
        env = self.env(
            user=user,
            context={"allowed_company_ids": self.company.ids, "lang": "en_US"},
        )
        client, refused = Client(env), []
        actions = client.actions()
        for name, action in actions.items():
            self._try(refused, name, self._open_action, client, action, refused, name)
        self.assertEqual(refused, [])
        return client, actions

    def _try(self, refused, what, function, *args):
        try:
            with self.env.cr.savepoint():
                return function(*args)
        except AccessError as error:
            refused.append(f"{what}: {str(error).splitlines()[0]}")
            return None

    def _open_action(self, client, action, refused, name):
        model = action["res_model"]
        views, models = client.views(action)
        Model = client.env[model].with_context(**client.context(action))
        rows = None
        for kind in ("list", "kanban"):
            if kind in views:
                spec = client.spec(views[kind], model, models)
                rows = Model.web_search_read(client.domain(action), spec, limit=5)
        for row in (rows or {"records": []})["records"][:2]:
            self._try(
                refused,
                f"{name}, form",
                self._open_record,
                client,
                model,
                row["id"],
                refused,
                name,
            )
        if Model.has_access("create") and "form" in views:
            form = views["form"]
            if form.get("create") not in ("0", "False", "false"):
                Model.onchange({}, [], client.spec(form, model, models))

    def _open_record(self, client, model, record_id, refused, name):
        form, _spec, values = client.open_form(model, record_id)
        for field, target, target_id in client.links(form, model, values):
            what = f"{name}, {model}.{field} to {target}"
            self._try(refused, what, client.open_form, target, target_id)
        for kind, button in client.buttons(form):
            what = f"{name}, {model} button {button}"
            self._try(
                refused, what, self._press, client, model, record_id, kind, button
            )

    def _press(self, client, model, record_id, kind, button):
        if kind == "object":
            result = getattr(client.env[model].browse(record_id), button)()
        else:
            Action = client.env["ir.actions.act_window"]
            result = Action.browse(int(button))._get_action_dict()
        if not (result and result.get("type") == "ir.actions.act_window"):
            return
        if result.get("target") == "new":
            return
        views, models = client.views(result)
        target = result["res_model"]
        if result.get("res_id"):
            client.open_form(target, result["res_id"])
        elif "list" in views and not isinstance(result.get("domain"), str):
            spec = client.spec(views["list"], target, models)
            Model = client.env[target].with_context(**client.context(result))
            found = Model.web_search_read(client.domain(result), spec, limit=3)
            for row in found["records"][:1]:
                client.open_form(target, row["id"])

    def test_a_user_walks_all_menus(self):
        client, actions = self._walk("user")
        self.assertGreater(len(actions), 15)
        self.assertGreater(len(client.opened), 12)

    def test_a_manager_walks_all_menus(self):
        self._walk("manager")

    def test_an_administrator_walks_all_menus(self):
        self._walk("administrator")
