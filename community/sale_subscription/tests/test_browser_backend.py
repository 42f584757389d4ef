from freezegun import freeze_time

from odoo import fields
from odoo.tests import HttpCase, new_test_user, tagged

from .common import SubscriptionCase

READY = "odoo.isReady === true"
APP = "sale_subscription.menu_sale_subscription_root"

# Waits for what a person would wait for; any error the client reports fails the test.
HELPERS = """
const until = async (find) => {
    for (let tries = 0; tries < 150; tries++) {
        const found = find();
        if (found) { return found; }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`Never seen: ${find}`);
};
const one = (selector) => until(() => document.querySelector(selector));
const press = async (selector) => (await one(selector)).click();
const action = () => odoo.__WOWL_DEBUG__.root.env.services.action;
const open = async (description, selector) => {
    await action().doAction(description, {clearBreadcrumbs: true});
    await until(() => {
        const props = action().currentController?.props;
        return props?.resModel === description.res_model
            && (!description.res_id || props.resId === description.res_id)
            && document.querySelector(selector);
    });
};
const run = (steps) => steps().then(
    () => console.log("test successful"),
    (error) => console.error(error.message)
);
"""

OPEN_RECORDS = """
run(async () => {
    for (const [model, id] of %s) {
        await open(
            {type: "ir.actions.act_window", res_model: model, res_id: id,
             views: [[false, "form"]]},
            ".o_form_view .o_form_renderer",
        );
    }
});
"""

OPEN_WIZARDS = """
run(async () => {
    for (const name of ["pause", "close", "change_plan"]) {
        await open(
            {type: "ir.actions.act_window", res_model: "sale.order", res_id: %d,
             views: [[false, "form"]]},
            ".o_form_view button[name=action_open_close_wizard]",
        );
        await press(`button[name=action_open_${name}_wizard]`);
        await one(".modal .o_form_view, .modal-footer .btn-primary");
        await press(".modal-footer button[special=cancel], .modal .btn-close");
        await until(() => !document.querySelector(".modal"));
    }
});
"""

OPEN_VIEWS = """
run(async () => {
    for (const [name, views] of %s) {
        for (const view of views) {
            await action().doAction(name, {clearBreadcrumbs: true, viewType: view});
            await one(`.o_${view}_view`);
            if (document.querySelector(".o_view_sample_data, .o_nocontent_help")) {
                throw new Error(`${name}: ${view} shows no data`);
            }
        }
    }
});
"""


@tagged("post_install", "-at_install", "fcb_browser")
class TestBrowserBackend(SubscriptionCase, HttpCase):
    """The app in a real browser, with subscriptions in every state."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        users = {
            "manager": "sales_team.group_sale_manager,account.group_account_invoice",
            "seller": "sales_team.group_sale_salesman",
            "accountant": "account.group_account_invoice",
            "auditor": "account.group_account_readonly",
        }
        cls.logins = {
            name: new_test_user(cls.env, f"subs_browser_{name}", groups).login
            for name, groups in users.items()
        }
        cls.seller = cls.env["res.users"].search([("login", "=", cls.logins["seller"])])
        today = fields.Date.today()
        start = fields.Date.to_string(fields.Date.subtract(today, months=2, days=3))

        def sell(**values):
            values.setdefault("user_id", cls.seller.id)
            return cls._create_subscription(cls.fee, start=start, **values)

        cls.running, cls.paused, cls.churned, cls.renewed = (sell() for _i in range(4))
        cls.ending = sell(end_date=fields.Date.add(today, days=20))
        for months in (2, 1, 0):
            with freeze_time(fields.Date.subtract(today, months=months)):
                cls.env["sale.order"]._cron_recurring_create_invoice()
        cls.paused.pause_subscription(fields.Date.add(today, days=5))
        cls.churned.set_close(cls.env.ref("sale_subscription.close_reason_no_need").id)
        cls.renewal = cls.renewed._create_upsell_renew_order("2_renewal")
        cls.renewal.action_confirm()
        cls.renewal_quotation = cls.ending._create_upsell_renew_order("2_renewal")
        cls.upsell = cls.running._create_upsell_renew_order("7_upsell")
        cls.upsell.order_line.product_uom_qty = 1
        cls.failed = sell()
        cls.failed.subscription_error = "No account"
        cls.template = cls.env["sale.order.template"].create(
            {"name": "One year", "plan_id": cls.plan.id, "is_unlimited": False}
        )
        cls.orders = (
            cls.running
            + cls.paused
            + cls.churned
            + cls.renewed
            + cls.renewal
            + cls.renewal_quotation
            + cls.upsell
            + cls.failed
        )

    def _click_every_menu(self, name):
        """Odoo's own click robot: each menu, view type and filter of the app."""
        self.browser_js(
            "/odoo",
            "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
            f".startClickEverywhere('{APP}');",
            READY,
            login=self.logins[name],
            timeout=300,
            success_signal="clickbot test succeeded",
        )

    def _open(self, records, name):
        targets = [[record._name, record.id] for record in records]
        self.browser_js(
            "/odoo",
            HELPERS + OPEN_RECORDS % targets,
            READY,
            login=self.logins[name],
            timeout=120,
        )

    def test_every_menu_as_manager(self):
        self._click_every_menu("manager")

    def test_every_menu_as_salesperson(self):
        self._click_every_menu("seller")

    def test_every_menu_as_accountant(self):
        self._click_every_menu("accountant")

    def test_every_menu_as_auditor(self):
        self._click_every_menu("auditor")

    def test_orders_in_every_state(self):
        self._open(self.orders, "seller")

    def test_other_forms(self):
        records = [
            *self.plan,
            *self.template,
            *self.churned.close_reason_id,
            *self.fee.product_tmpl_id,
            *self.partner,
            *self.running.invoice_ids[:1],
        ]
        self._open(records, "manager")

    def test_invoice_of_a_subscription_as_accountant(self):
        self._open([*self.running.invoice_ids[:1], *self.partner], "accountant")

    def test_wizards(self):
        self.browser_js(
            "/odoo",
            HELPERS + OPEN_WIZARDS % self.running.id,
            READY,
            login=self.logins["seller"],
            timeout=120,
        )

    def test_every_view_shows_data(self):
        actions = {
            "sale_subscription_action": ["list", "kanban", "pivot", "graph"],
            "sale_subscription_action_quotations": ["list", "kanban"],
            "sale_subscription_action_to_renew": ["list", "kanban"],
            "sale_subscription_action_analysis": ["pivot", "graph", "list"],
            "sale_subscription_period_action": ["list"],
            "sale_subscription_report_action": ["pivot", "graph", "list"],
            "sale_subscription_cohort_action": ["pivot", "graph", "list"],
            "sale_order_log_action": ["graph", "pivot", "list"],
            "sale_subscription_plan_action": ["list"],
            "sale_order_close_reason_action": ["list"],
        }
        targets = [
            [f"sale_subscription.{name}", views] for name, views in actions.items()
        ]
        self.browser_js(
            "/odoo",
            HELPERS + OPEN_VIEWS % targets,
            READY,
            login=self.logins["manager"],
            timeout=200,
        )
