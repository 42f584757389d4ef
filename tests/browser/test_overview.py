import json

from odoo.tests import HttpCase, new_test_user, tagged

from ..overview.overview_case import OverviewCase
from .test_browser import HELPERS, READY

# Presses each figure, one after the other, and waits for the list behind it.
PRESS_ALL = """
run(async () => {
    const action = () => odoo.__WOWL_DEBUG__.root.env.services.action;
    const open = async () => {
        await doAction(%(action)s, {clearBreadcrumbs: true});
        await one(".o_form_view .o_form_renderer");
        for (const tab of document.querySelectorAll(".nav-link[name=fusion_billing]")) {
            tab.click();
        }
        await one("[name=%(button)s]");
        // The cards of the apps come after the page itself.
        await new Promise((resolve) => setTimeout(resolve, 300));
    };
    await open();
    const all = () => [...document.querySelectorAll("[name=%(button)s]")]
        .filter((button) => button.offsetParent);
    const count = all().length;
    if (count < %(least)d) { throw new Error(`Only ${count} figures`); }
    for (let index = 0; index < count; index++) {
        await open();
        await until(() => all().length === count);
        const pressed = all()[index];
        const text = pressed.textContent;
        await press(pressed);
        await until(() => {
            if (document.querySelector(".o_error_dialog")) { throw new Error(text); }
            // Not a list inside the form.
            return document.querySelector(".o_action_manager > .o_list_view");
        });
    }
});
"""
RATE_NOW = """
run(async () => {
    await doAction("fusion_centralized_billing.overview_action");
    await press("button[name=action_rate_now]");
    await one(".o_notification");
    await doAction({type: "ir.actions.act_window", res_model: "fusion.billing.rating",
        res_id: %d, views: [[false, "form"]]}, {clearBreadcrumbs: true});
    await press("button[name=action_rate_now]");
    await until(() => !document.querySelector("[name=waiting_count]"));
});
"""


@tagged("post_install", "-at_install", "fcb_browser")
class TestOverviewPressed(OverviewCase, HttpCase):
    """Each figure pressed, as those who see the page."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        billing = "fusion_centralized_billing.group_"
        cls.people = [
            cls.reader,
            *(
                new_test_user(cls.env, login=login, groups=groups)
                for login, groups in (
                    ("pressing_manager", f"{billing}manager"),
                    ("pressing_admin", f"{billing}admin"),
                    (
                        "pressing_accountant",
                        f"{billing}manager,account.group_account_invoice,"
                        "sales_team.group_sale_salesman_all_leads",
                    ),
                )
            ),
        ]

    def _press_all(self, action, button, least, people):
        values = {"action": json.dumps(action), "button": button, "least": least}
        for person in people:
            with self.subTest(login=person.login):
                self.browser_js(
                    "/odoo",
                    HELPERS + PRESS_ALL % values,
                    READY,
                    login=person.login,
                    timeout=200,
                )

    def test_every_figure_of_the_page(self):
        """Eight across the apps at least, and seven on each of two cards."""
        self._press_all(
            "fusion_centralized_billing.overview_action",
            "action_open_figure",
            22,
            self.people,
        )

    def test_every_figure_of_a_customer(self):
        action = {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner.id,
            "views": [[False, "form"]],
        }
        self._press_all(action, "action_fc_open_figure", 4, self.people)

    def test_the_app_opens_on_it(self):
        menu = self.env.ref("fusion_centralized_billing.fusion_billing_menu_root")
        self.browser_js(
            f"/odoo?menu_id={menu.id}",
            HELPERS
            + "run(async () => { await press('.o_navbar_apps_menu button');"
            + " await press('.o_app[data-menu-xmlid="
            + '"fusion_centralized_billing.fusion_billing_menu_root"]'
            + "'); await one('button[name=action_open_figure]'); });",
            READY,
            login=self.reader.login,
        )

    def test_rate_now(self):
        self._use(self.order, 1, "2026-01-12 00:00:00")
        self.env.flush_all()
        self.browser_js(
            "/odoo",
            HELPERS + RATE_NOW % self.order.fc_rating_ids.id,
            READY,
            login="pressing_manager",
        )
