import json

from odoo.tests import HttpCase, new_test_user, tagged

from ..browser.test_browser import HELPERS, READY
from .case import ControlCase

# Opens each record once for each of its buttons that can be seen, and presses it.
PRESS_ALL = """
const root = () => odoo.__WOWL_DEBUG__.root.env.services.action;
const open = async ([model, id]) => {
    await doAction(
        {type: "ir.actions.act_window", res_model: model, res_id: id,
         views: [[false, "form"]]},
        {clearBreadcrumbs: true},
    );
    await until(() => document.querySelector(".o_form_view .o_form_renderer")
        && root().currentController.props.resModel === model
        && root().currentController.props.resId === id);
    await settled();
};
const settled = () => new Promise((resolve) => setTimeout(resolve, 400));
const buttons = () => [...document.querySelectorAll(
    ".o_form_view button[name^=action_]:not([disabled])")]
    .filter((button) => button.offsetParent);
const wrong = () => document.querySelector(
    ".o_error_dialog, .modal .o_dialog_error, .o_notification.border-danger");
run(async () => {
    const pressed = [];
    for (const record of %(records)s) {
        await open(record);
        const names = [...new Set(buttons().map((button) => button.name))]
            .filter((name) => !%(but)s.includes(name));
        for (const name of names) {
            await open(record);
            const button = buttons().find((one) => one.name === name);
            if (!button) { continue; }  // what was pressed before has done it
            button.click();
            await settled();
            const yes = document.querySelector(".modal-footer .btn-primary");
            if (yes && !document.querySelector(".modal .o_form_view")) { yes.click(); }
            await settled();
            if (wrong()) { throw new Error(`${record} ${name}: ${wrong().innerText}`); }
            document.querySelector(".modal .btn-close")?.click();
            pressed.push(`${record[0]} ${name}`);
        }
    }
    // A sum leads to lines, which all of them may read.
    const records = pressed.filter((one) => !one.includes("control.total "));
    const had = (name) => records.some((one) => one.endsWith(` ${name}`));
    const missed = %(wanted)s.filter((name) => !had(name));
    const beyond = %(unwanted)s.filter(had);
    if (missed.length || beyond.length) {
        throw new Error(`Not there: ${missed}; there: ${beyond}`);
    }
});
"""
WORK = ["action_compute", "action_sign", "action_check", "action_reopen"]
USAGE = ["action_view_accepted", "action_view_declared", "action_view_rated"]
BOOKS = ["action_view_posted", "action_view_journal"]
GROUP = "fusion_centralized_billing.group_%s"


@tagged("post_install", "-at_install", "fcb_browser")
class TestPressed(ControlCase, HttpCase):
    """Every button of control totals, pressed by those who may and who may not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        moment = {"period_start": "2026-01-10", "period_end": "2026-01-10"}
        moment |= {"metric_id": cls.metric.id, "subscription_id": cls.order.id}
        cls.env["fusion.billing.usage"].create(
            moment | {"service_id": cls.service.id, "quantity": 300}
        )
        cls.invoice = cls.order._create_invoices(final=True)
        cls.invoice.action_post()
        cls.mismatch = cls.env["fusion.billing.reconciliation"].create(
            {
                "service_id": cls.service.id,
                "subscription_id": cls.order.id,
                "metric_id": cls.metric.id,
                "window_start": "2026-01-01",
                "window_end": "2026-02-01",
                "declared_quantity": 300,
            }
        )
        cls.mismatch.action_compare()
        cls.period = cls.env["fusion.billing.control"].create(
            {"date_start": "2026-01-01", "date_end": "2026-01-31"}
        )
        cls.period.action_compute()
        cls.signed = cls.env["fusion.billing.control"].create(
            {"date_start": "2025-12-01", "date_end": "2025-12-31"}
        )
        cls.signed.action_sign()
        cls.hold = cls.env["fusion.billing.hold"].create(
            {
                "move_id": cls.invoice.id,
                "kind": "declared",
                "key": "declared:1",
                "reason": "A sample reason",
            }
        )
        cls.env.flush_all()

    def press(self, login, groups, wanted, unwanted=()):
        user = new_test_user(self.env, login, groups, email=f"{login}@example.com")
        records = [
            *self.period.line_ids,
            *self.period.total_ids,
            *self.hold,
            *self.signed,
            *self.period,
        ]
        if GROUP % "user" in groups or GROUP % "manager" in groups:
            records += self.mismatch
        script = PRESS_ALL % {
            "records": json.dumps([[r._name, r.id] for r in records]),
            # It leaves the page; the file is asked for below.
            "but": json.dumps(["action_export"]),
            "wanted": json.dumps(list(wanted)),
            "unwanted": json.dumps(list(unwanted)),
        }
        self.browser_js("/odoo", HELPERS + script, READY, login=login, timeout=240)
        url = self.period.with_user(user).action_export()["url"]
        self.authenticate(login, login)
        answer = self.url_open(url, timeout=120)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.content[:2], b"PK")

    def test_as_billing_manager(self):
        decide = ["action_open_wizard", "action_view_ratings"]
        self.press("press-m", GROUP % "manager", WORK + USAGE + decide, BOOKS)

    def test_as_billing_user(self):
        self.press(
            "press-u", GROUP % "user", USAGE, [*WORK, *BOOKS, "action_open_wizard"]
        )

    def test_as_accountant(self):
        """With no right of Fusion Billing: the books, and not the usage."""
        self.press("press-a", "account.group_account_user", WORK + BOOKS, USAGE)

    def test_as_accountant_who_sees_usage(self):
        self.press(
            "press-b",
            f"account.group_account_user,{GROUP % 'user'}",
            WORK + BOOKS + USAGE,
        )

    def test_an_invoice_is_held_and_decided_on(self):
        self.company.fc_hold_differing = True
        order = self._create_subscription()
        self.env["fusion.billing.usage"]._record_usage(
            order, self.metric.code, 300, "2026-01-10", "2026-01-10"
        )
        invoice = order._create_invoices(final=True)
        self.usage_line(invoice).price_unit = 80.0
        self.env.flush_all()
        new_test_user(
            self.env,
            "press-h",
            f"account.group_account_user,{GROUP % 'user'}",
            email="press-h@example.com",
        )
        self.browser_js(
            f"/odoo/account.move/{invoice.id}",
            HELPERS
            + """run(async () => {
                await press("button[name=action_post]");
                await press("button[name=action_fc_decide]");
                const input = await one(".modal [name=note] textarea");
                input.value = "Agreed";
                input.dispatchEvent(new Event("input", {bubbles: true}));
                input.dispatchEvent(new Event("change", {bubbles: true}));
                await press(".modal button[name=action_decide]");
                await until(() => !document.querySelector(".modal"));
                await until(() => !document.querySelector(
                    "button[name=action_fc_decide]"));
                await press("button[name=action_post]");
                await until(() => document.querySelector(
                    ".o_arrow_button_current")?.textContent.includes("Posted"));
            });""",
            READY,
            login="press-h",
            timeout=120,
        )
        invoice.invalidate_recordset()
        self.assertEqual(invoice.state, "posted")
        self.assertEqual(invoice.fc_hold_ids.note, "Agreed")
