from odoo.tests import HttpCase, new_test_user, tagged

from ..browser.test_browser import HELPERS, READY
from .case import AccrualCase

ACCRUE = """
run(async () => {
    await doAction(
        "fusion_centralized_billing.accrual_wizard_action", {clearBreadcrumbs: true}
    );
    await one(".modal .o_field_widget[name=account_id] input");
    await press(".modal button[name=action_preview]");
    await one("button[name=action_post_entries]");
    await press("button[name=action_view_lines]");
    await one(".o_list_view .o_group_header");
    history.back();
    await press("button[name=action_post_entries]");
    await one("button[name=action_cancel]:not(.o_hidden)");
    await until(() => document.querySelector(
        ".o_arrow_button_current[data-value=posted]"));
});
"""

REVERSE = """
run(async () => {
    await doAction({
        type: "ir.actions.act_window", res_model: "account.move", res_id: %d,
        views: [[false, "form"]],
    }, {clearBreadcrumbs: true});
    await press("button[name=action_reverse]");
    await one(".modal [name=fc_usage_choice] input[data-value=forgive]:checked");
    await press(".modal button[name=refund_moves]");
    await until(() => [...document.querySelectorAll(".alert")].some(
        (x) => x.offsetParent && x.textContent.includes("is forgiven")));
});
"""


@tagged("post_install", "-at_install", "fcb_browser")
class TestAccrualBrowser(AccrualCase, HttpCase):
    """Whoever may accrue usage presses what a person would press."""

    def setUp(self):
        super().setUp()
        self._record(200)
        self.company.fc_accrual_journal_id = self.journal
        self.company.fc_accrued_revenue_account_id = self.account

    def _press(self, login, script):
        self.browser_js("/odoo", HELPERS + script, READY, login=login)

    def test_a_billing_manager_accrues(self):
        group = "fusion_centralized_billing.group_manager"
        self._accrue_as("press-manager", group)

    def test_an_accountant_accrues(self):
        self._accrue_as("press-accountant", "account.group_account_invoice")

    def _accrue_as(self, login, group):
        user = new_test_user(self.env, login, group)
        self._press(login, ACCRUE)
        accrual = self.env["fusion.billing.accrual"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        self.assertEqual((accrual.state, accrual.posted_by_id), ("posted", user))

    def test_the_reversal_dialog_forgives(self):
        move = self.invoice("2026-02-01")
        new_test_user(
            self.env,
            "press-credit",
            "account.group_account_invoice,fusion_centralized_billing.group_user",
        )
        self._press("press-credit", REVERSE % move.id)
        credit = move.reversal_move_ids
        self.assertEqual((credit.state, credit.fc_usage_choice), ("draft", "forgive"))
