import json

from odoo.tests import HttpCase, new_test_user, tagged

from ..common import BillingCase

READY = "odoo.isReady === true"

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
const { rpcBus } = odoo.loader.modules.get("@web/core/network/rpc");
const asked = new Set();
rpcBus.addEventListener("RPC:REQUEST", ({ detail }) => asked.add(detail.data.id));
rpcBus.addEventListener("RPC:RESPONSE", ({ detail }) => asked.delete(detail.data.id));
const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
// What a press sets off has to end before the next: an action that is overtaken by
// another never ends, and neither does who waits for it.
const press = async (target) => {
    (typeof target === "string" ? await one(target) : target).click();
    await pause(100);
    await until(() => !asked.size);
    await pause(100);
};
const doAction = (...args) =>
    odoo.__WOWL_DEBUG__.root.env.services.action.doAction(...args);
const run = (steps) => steps().then(
    () => console.log("test successful"),
    (error) => console.error(error.message)
);
"""

OPEN_RECORDS = """
run(async () => {
    for (const [model, id] of %s) {
        await doAction(
            {type: "ir.actions.act_window", res_model: model, res_id: id,
             views: [[false, "form"]]},
            {clearBreadcrumbs: true},
        );
        await until(() => {
            const form = document.querySelector(".o_form_view .o_form_renderer");
            return form && odoo.__WOWL_DEBUG__.root.env.services.action
                .currentController.props.resModel === model;
        });
    }
});
"""

ISSUE_A_KEY = """
run(async () => {
    await doAction(
        {type: "ir.actions.act_window", res_model: "fusion.billing.service",
         res_id: %d, views: [[false, "form"]]},
        {clearBreadcrumbs: true},
    );
    await press("button[name=action_open_api_key_wizard]");
    await press(".modal button[name=action_generate]");
    const shown = await one(".modal [name=raw_key] span, .modal [name=raw_key] input");
    const key = shown.value || shown.textContent;
    if (!key.startsWith("fcb_")) { throw new Error("The key is not shown"); }
    await press(".modal-footer button[special=cancel], .modal-footer .btn-primary");
    await until(() => !document.querySelector(".modal"));
    await press("button[name=action_open_api_key_wizard]");
    await one(".modal button[name=action_generate]");
    const kept = [document.documentElement.innerHTML]
        .concat(Object.values(sessionStorage), Object.values(localStorage));
    if (kept.some((text) => text.includes(key))) {
        throw new Error("The key can be seen after its window was closed");
    }
});
"""

REPLACE_AND_REVOKE = """
run(async () => {
    const states = () => [...document.querySelectorAll(
        "[name=api_key_ids] .o_data_row td[name=state]")].map((e) => e.textContent);
    await doAction(
        {type: "ir.actions.act_window", res_model: "fusion.billing.service",
         res_id: %d, views: [[false, "form"]]},
        {clearBreadcrumbs: true},
    );
    await press("button[name=action_open_replace_wizard]");
    await press(".modal button[name=action_generate]");
    await one(".modal [name=raw_key]");
    await press(".modal-footer .btn-primary");
    await until(() => states().join() === "Active,Ending");
    await press("button[name=action_revoke]");
    await press(".modal-footer .btn-primary");
    await until(() => states().join() === "Ending,Revoked");
});
"""


@tagged("post_install", "-at_install", "fcb_browser")
class TestBrowser(BillingCase, HttpCase):
    """The backend in a real browser, as those see it who may and who may not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = new_test_user(
            cls.env,
            login="billing_admin",
            groups="fusion_centralized_billing.group_admin,"
            "sales_team.group_sale_manager,account.group_account_invoice",
        )
        cls.user = new_test_user(
            cls.env,
            login="billing_reader",
            groups="fusion_centralized_billing.group_user",
        )
        cls.event = cls.env["fusion.billing.usage"].create(
            {
                "service_id": cls.service.id,
                "subscription_id": cls.order.id,
                "metric_id": cls.metric.id,
                "quantity": 133875,
                "period_start": "2026-01-10 00:00:00",
                "period_end": "2026-01-10 01:00:00",
            }
        )
        cls.rating = cls.order._fc_rate_usage()
        cls.webhook = cls.env["fusion.billing.webhook"]._enqueue(
            cls.service, "webhook.test", {}
        )
        cls.reconciliation = cls.env["fusion.billing.reconciliation"].create(
            {
                "service_id": cls.service.id,
                "subscription_id": cls.order.id,
                "metric_id": cls.metric.id,
                "window_start": "2026-01-01 00:00:00",
                "window_end": "2026-02-01 00:00:00",
                "declared_quantity": 5,
            }
        )
        cls.reconciliation.action_compare()
        cls.draft = cls.env["fusion.billing.price.draft"].create({"name": "Draft"})
        cls._create_charge(draft_id=cls.draft.id, price_per_unit=0.4)
        cls.draft.action_compare()
        cls.records = [
            *cls.service,
            *cls.link,
            *cls.metric,
            *cls.charge,
            *cls.event,
            *cls.rating,
            *cls.webhook,
            *cls.reconciliation,
            *cls.draft,
            *cls.draft.charge_ids,
            *cls.draft.result_ids,
            *cls.partner,
        ]

    def _click_every_menu(self, login):
        """Odoo's own click robot: each menu, view type and filter of the app."""
        self.browser_js(
            "/odoo",
            "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
            ".startClickEverywhere("
            "'fusion_centralized_billing.fusion_billing_menu_root');",
            READY,
            login=login,
            timeout=300,
            success_signal="clickbot test succeeded",
        )

    def _open(self, records, login):
        targets = [[record._name, record.id] for record in records]
        self.browser_js(
            "/odoo",
            HELPERS + OPEN_RECORDS % json.dumps(targets),
            READY,
            login=login,
            timeout=120,
        )

    def test_every_menu_as_administrator(self):
        self._click_every_menu(self.admin.login)

    def test_every_menu_as_reader(self):
        self._click_every_menu(self.user.login)

    def test_forms_open_for_an_administrator(self):
        invoice = self.order._create_invoices()
        self._open([*self.records, self.order, invoice], self.admin.login)

    def test_forms_open_for_a_reader(self):
        self._open(self.records, self.user.login)

    def test_orders_and_invoices_open_for_a_reader_of_accounting(self):
        accountant = new_test_user(
            self.env,
            login="accounting_reader",
            groups="fusion_centralized_billing.group_user,"
            "account.group_account_readonly",
        )
        invoice = self.order._create_invoices()
        self._open([self.order, invoice], accountant.login)

    def test_settings_open_for_the_system_administrator(self):
        self.browser_js(
            "/odoo/action-fusion_centralized_billing.res_config_settings_action",
            HELPERS + "run(() => one('[name=fc_billing_tz]'));",
            READY,
            login="admin",
        )

    def test_orders_and_invoices_open_without_any_billing_right(self):
        seller = new_test_user(
            self.env,
            login="seller_only",
            groups="sales_team.group_sale_manager,account.group_account_invoice",
        )
        invoice = self.order._create_invoices()
        self._open([self.order, invoice, self.partner], seller.login)

    def test_a_large_quantity_is_shown_as_it_is(self):
        """Odoo's float widget shows 133875 as 133,875.0000000001 with ten digits."""
        self.browser_js(
            f"/odoo/fusion.billing.usage/{self.event.id}",
            HELPERS + "run(() => until(() => document.querySelector('[name=quantity]')"
            "?.textContent === '133,875'));",
            READY,
            login=self.user.login,
        )

    def test_a_charge_is_previewed_while_it_is_typed(self):
        """0.5 each above 100 included: 133,875 cost 66,887.50."""
        self.browser_js(
            f"/odoo/fusion.billing.charge/{self.charge.id}",
            HELPERS
            + """run(async () => {
                const input = await one("[name=preview_quantity] input");
                input.value = "133875";
                input.dispatchEvent(new Event("input", {bubbles: true}));
                input.dispatchEvent(new Event("change", {bubbles: true}));
                await until(() => document.querySelector("[name=preview_text]")
                    .textContent.includes("133775 billable: 66887.5"));
                await press(".o_form_button_cancel");
                await until(() => !document.querySelector(".o_form_dirty, "
                    + ".o_form_status_indicator_buttons:not(.invisible)"));
            });""",
            READY,
            login=self.admin.login,
        )

    def test_a_key_is_replaced_and_revoked(self):
        self.service.action_generate_api_key()
        old = self.service.main_api_key_id
        self.browser_js(
            "/odoo",
            HELPERS + REPLACE_AND_REVOKE % self.service.id,
            READY,
            login=self.admin.login,
        )
        self.service.invalidate_recordset()
        new = self.service.api_key_ids - old
        self.assertEqual((new.state, old.state), ("revoked", "ending"))
        self.assertEqual(old.replaced_by_id, new)

    def test_a_key_is_shown_once(self):
        self.assertFalse(self.service.has_api_key)
        self.browser_js(
            "/odoo",
            HELPERS + ISSUE_A_KEY % self.service.id,
            READY,
            login=self.admin.login,
        )
        self.service.invalidate_recordset()
        self.assertTrue(self.service.has_api_key)
