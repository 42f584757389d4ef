from odoo.exceptions import AccessError
from odoo.fields import Command
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
        form, values = client.open_form(model, record_id)
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

    def _manager_env(self):
        context = {"allowed_company_ids": self.company.ids}
        return self.env(user=self.at_home["manager"], context=context)

    def test_a_manager_configures_from_nothing(self):
        """A plan, a product and a metric that were not there, and the price of it."""
        client = Client(self._manager_env())
        actions = client.actions()
        Product = client.env["product.template"]
        context = client.context(actions["Products"])
        product = Product.with_context(**context).create({"name": "Usage of my own"})
        self.assertTrue(product._fc_can_carry_usage())
        self.assertIn(product, Product.search(client.domain(actions["Products"])))
        metric = client.env["fusion.billing.metric"].create(
            {"name": "Pages", "code": "pages"}
        )
        price = {
            "metric_id": metric.id,
            "product_id": product.product_variant_id.id,
            "price_per_unit": 0.2,
        }
        plan = client.env["sale.subscription.plan"].create(
            {
                "name": "Mine",
                "billing_period_value": 1,
                "billing_period_unit": "month",
                "fc_charge_ids": [Command.create(price)],
            }
        )
        self.assertEqual(plan.fc_charge_ids.terms_text[:3], "0.2")
        self.assertEqual(plan.company_id, self.company)
        self.assertEqual(product.company_id, self.company)
        plan.name = "Mine, renamed"

    def test_a_manager_changes_no_other_product_and_nothing_shared(self):
        env = self._manager_env()
        chair = self._create_product(type="consu", recurring_invoice=False)
        shared = self._create_product()
        plan = self._create_plan(name="Shared", company_id=False)
        for record in (chair, chair.product_tmpl_id, shared.product_tmpl_id, plan):
            with self.subTest(record=record), self.assertRaises(AccessError):
                record.with_env(env).write({"name": "Other"})
        with self.assertRaises(AccessError):
            env["product.template"].create({"name": "Chair", "type": "consu"})
        with self.assertRaises(AccessError):
            plan.with_env(env).unlink()
