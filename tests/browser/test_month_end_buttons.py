import base64
import json
from datetime import datetime

from odoo.tests import HttpCase, new_test_user, tagged

from ..common import BillingCase
from .test_browser import HELPERS, READY

# Opens a record, presses a button and waits for what it makes of the page.
PRESS = """
run(async () => {

    for (const [model, id, presses] of %s) {
        await doAction(
            {type: "ir.actions.act_window", res_model: model, res_id: id,
             views: [[false, "form"]]},
            {clearBreadcrumbs: true},
        );
        await until(() => odoo.__WOWL_DEBUG__.root.env.services.action
            .currentController.props.resModel === model &&
            document.querySelector(".o_form_view .o_form_renderer"));
        for (const [selector, after] of presses) {
            await press(selector);
            if (selector.includes("modal")) {
                await until(() => !document.querySelector(".modal"));
            }
            await one(after);
        }
        if (document.querySelector(".o_error_dialog")) {
            throw new Error(`An error dialog on ${model}`);
        }
    }
});
"""
LOOK = """
run(async () => {
    for (const [model, id, buttons] of %s) {
        await doAction(
            {type: "ir.actions.act_window", res_model: model, res_id: id,
             views: [[false, "form"]]},
            {clearBreadcrumbs: true},
        );
        await until(() => odoo.__WOWL_DEBUG__.root.env.services.action
            .currentController.props.resModel === model &&
            document.querySelector(".o_form_view .o_form_renderer"));
        for (const name of buttons) {
            if (document.querySelector(`button[name=${name}]`)) {
                throw new Error(`A reader is offered ${name}`);
            }
        }
    }
});
"""


@tagged("post_install", "-at_install", "fcb_browser")
class TestMonthEndButtons(BillingCase, HttpCase):
    """What finance presses at month end, pressed in a browser as those who may."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.fc_block_bad_invoices = True
        cls.manager = new_test_user(
            cls.env,
            login="month_end_manager",
            groups="fusion_centralized_billing.group_manager,"
            "account.group_account_invoice,sales_team.group_sale_manager",
        )
        cls.reader = new_test_user(
            cls.env,
            login="month_end_reader",
            groups="fusion_centralized_billing.group_user",
        )
        moment = datetime(2026, 1, 10)
        cls.env["fusion.billing.usage"]._record_usage(
            cls.order, cls.metric.code, 150, moment, moment
        )
        cls.invoice = cls.order._create_invoices()
        cls.invoice.invoice_line_ids.filtered("fc_rating_ids").price_unit = 24
        event = {
            "subscription_id": cls.order.id,
            "metric_code": "exports",
            "quantity": 3,
            "period_start": "2026-01-10",
            "period_end": "2026-01-10",
        }
        cls.service._api_record_usage({"events": [event]})
        cls.refused = cls.env["fusion.billing.usage.refused"].search([], limit=1)
        cls._create_metric(name="Exports", code="exports")
        header = "subscription_id,metric_code,quantity,period_start,period_end"
        rows = [
            f"{cls.order.id},api_calls,{n},2026-01-1{n},2026-01-1{n}" for n in (1, 2)
        ]
        rows.append(f"{cls.order.id},=nothing,-1,2026-01-10,2026-01-10")
        content = "\n".join([header, *rows]).encode()
        cls.file = cls.env["fusion.billing.usage.import"].create(
            {
                "service_id": cls.service.id,
                "filename": "usage.csv",
                "file": base64.b64encode(content),
            }
        )
        cls.env.flush_all()
        cls.env.cr.execute("UPDATE fusion_billing_usage SET fingerprint = 'changed'")
        cls.env.invalidate_all()
        cls.audit = cls.env["fusion.billing.audit"]._run(cls.company)
        cls.finding = cls.audit.finding_ids.filtered(
            lambda f: f.kind == "event_changed"
        )

    def _press(self, targets, login):
        self.browser_js(
            "/odoo",
            HELPERS + PRESS % json.dumps(targets),
            READY,
            login=login,
            timeout=300,
        )

    def test_a_manager_presses_each(self):
        field = ".o_field_widget"
        self._press(
            [
                [
                    "fusion.billing.audit",
                    self.audit.id,
                    [["button[name=action_run]", ".alert-danger:not(.d-none)"]],
                ],
                [
                    "fusion.billing.usage.import",
                    self.file.id,
                    [
                        ["button[name=action_check]", "button[name=action_import]"],
                        [
                            "button[name=action_import]",
                            ".o_arrow_button_current[data-value=done]",
                        ],
                        ["button[name=action_view_rows]", ".o_list_view .o_data_row"],
                    ],
                ],
                [
                    "fusion.billing.usage.refused",
                    self.refused.id,
                    [
                        [
                            "button[name=action_retry]",
                            ".o_arrow_button_current[data-value=recorded]",
                        ]
                    ],
                ],
                [
                    "fusion.billing.audit.finding",
                    self.finding.id,
                    [
                        [
                            "button[name=action_take]",
                            ".o_arrow_button_current[data-value=progress]",
                        ],
                        [
                            "button[name=action_reopen]",
                            ".o_arrow_button_current[data-value=open]",
                        ],
                        [
                            "button[name=action_open_explain_wizard]",
                            f".modal {field}[name=reason] textarea",
                        ],
                    ],
                ],
                [
                    "account.move",
                    self.invoice.id,
                    [
                        ["button[name=action_fc_check_again]", ".alert-warning"],
                        [
                            "button[name=action_fc_decide]",
                            f".modal {field}[name=note] textarea",
                        ],
                    ],
                ],
            ],
            self.manager.login,
        )
        self.env.invalidate_all()
        self.assertEqual(self.file.state, "done")
        self.assertEqual((self.file.accepted_count, self.file.refused_count), (2, 1))
        self.assertEqual(self.refused.state, "recorded")

    def test_a_reader_sees_and_is_offered_nothing(self):
        targets = [
            ["fusion.billing.audit", self.audit.id, ["action_run"]],
            [
                "fusion.billing.audit.finding",
                self.finding.id,
                ["action_take", "action_open_explain_wizard", "action_reopen"],
            ],
            [
                "fusion.billing.usage.refused",
                self.refused.id,
                ["action_retry", "action_dismiss", "action_reopen"],
            ],
            [
                "fusion.billing.usage.import",
                self.file.id,
                ["action_check", "action_import"],
            ],
        ]
        self.browser_js(
            "/odoo",
            HELPERS + LOOK % json.dumps(targets),
            READY,
            login=self.reader.login,
            timeout=300,
        )
