from datetime import timedelta

from odoo.fields import Command
from odoo.tests import tagged

from .portal_common import PortalCase

# Walks in a frame of a phone's width: the page around it, which this runs in, stays.
TOOLS = """
const frame = document.createElement("iframe");
frame.style = "position: fixed; inset: 0; width: 400px; height: 800px; z-index: 9999";
frame.src = "/my";
document.body.append(frame);

const until = async (find) => {
    for (let tries = 0; tries < 150; tries++) {
        const found = find(frame.contentDocument);
        if (found) { return found; }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`Never seen on ${frame.contentWindow.location}: ${find}`);
};
const one = (selector, text = "") => until((page) => {
    const found = [...page.querySelectorAll(selector)]
        .find((element) => element.textContent.includes(text));
    return found?.checkVisibility({visibilityProperty: true}) && found;
});
// Pressed again until something comes of it: the page may still be loading its scripts.
const press = async (button, text, next) => {
    for (let tries = 0; tries < 20; tries++) {
        const found = await one(button, text);
        found.click();
        const page = frame.contentDocument;
        for (let wait = 0; wait < 10; wait++) {
            await new Promise((resolve) => setTimeout(resolve, 100));
            const now = frame.contentDocument;
            if (now !== page || now.querySelector(next)?.checkVisibility()) {
                return one(next);
            }
        }
    }
    throw new Error(`Nothing comes of pressing ${button}`);
};
"""
REPORT = """
// The page goes on loading its chatter, which would fail when the browser is closed.
const loaded = () => until((page) => page.querySelector("#chatterRoot"));
walk().then(loaded).then(
    () => console.log("test successful"),
    (error) => console.error(error.message)
);
"""
WALK = (
    TOOLS
    + """
const walk = async () => {
    await press("a[href='/my/subscriptions']", "Your Subscriptions", "table");
    await press("table a", %(name)r, "[name=state_progress]");
    await press("button[name=close]", "", "#subscription_close.show");
    await press(
        "#subscription_close button", "Too expensive", "[name=retention_button]"
    );
    const retention = await one(".modal.show [name=retention]", "Half the price");
    if (!retention) { throw new Error("Not the text of the reason"); }
    (await one(".modal.show textarea")).value = "Written in a browser";
    const page = frame.contentDocument.querySelector("#wrapwrap");
    if (page.scrollWidth > 400) { throw new Error("Wider than a phone"); }
    await press(".modal.show [name=confirm_close]", "", "[name=message_closed]");
    await one("[name=state_closed]");
};
"""
    + REPORT
)
# One walk through all that a customer changes; see test_portal_quantity.py for the
# quantities. Forms are sent by pressing their buttons, so the browser checks them.
CHANGES = (
    TOOLS
    + """
frame.style.width = "390px";
const fits = () => {
    const page = frame.contentDocument.querySelector("#wrapwrap");
    if (page.scrollWidth > 390) { throw new Error("Wider than a phone"); }
    const dialog = frame.contentDocument.querySelector(".modal.show .modal-body");
    if (dialog && dialog.scrollWidth > dialog.clientWidth) {
        throw new Error("A dialog is wider than a phone");
    }
};
const walk = async () => {
    await press("a[href='/my/subscriptions']", "Your Subscriptions", "table");
    await press("table a", %(name)r, "[name=state_progress]");
    await press("button[name=options]", "", "#subscription_options.show");
    await one("[name=option_offered]", "11.43");
    await one("[name=option_offered]", "20.00");
    fits();
    await press("[name=confirm_option]", "", "[name=message_option]");
    await one("[name=recurring_line]", "Seat");
    fits();
    await press("button[name=plans]", "", "#subscription_plans.show");
    await one("[name=plan_now]", "30.00");
    await one("[name=plan_offered]", "105.00");
    fits();
    await press("[name=confirm_plan]", "", "[name=message_plan]");
    await one("[name=plan]", "Silver");
    await press("button[name=pause]", "", "#subscription_pause.show");
    await one("[name=pause_costs]", "105.00");
    fits();
    const day = await one("[name=resume_date]");
    day.value = %(too_late)r;
    if (day.checkValidity()) { throw new Error("Past the limit"); }
    day.value = %(until)r;
    await press("[name=confirm_pause]", "", "[name=message_paused]");
    fits();
    await press("button[name=resume]", "", "#subscription_resume.show");
    await one("[name=resume_costs]", "105.00");
    fits();
    await press("[name=confirm_resume]", "", "[name=message_resumed]");
    await one("[name=state_progress]");
};
"""
    + REPORT
)


@tagged("post_install", "-at_install", "fcb_browser")
class TestPortalBrowser(PortalCase):
    def test_from_home_to_closed(self):
        self.reason.write(
            {
                "retention_message": "<p>Half the price?</p>",
                "retention_button_text": "Yes",
                "retention_button_link": "https://example.com/half",
            }
        )
        self.browser_js(
            "/my",
            WALK % {"name": self.order.name},
            "document.readyState === 'complete'",
            login=self.ann.login,
        )
        self.assertEqual(self.order.subscription_state, "6_churn")
        self.assertEqual(self.order.close_reason_id, self.reason)
        self.assertIn("Written in a browser", self._notes())

    def test_options_plan_and_pause_on_a_phone(self):
        """10 a week, and a seat at 20 for 4 of 7 days: 11.43; then 35 + 70 a month."""
        monthly = self._create_plan(
            name="Silver", user_pause=True, pause_max_days=30, user_change_plan=True
        )
        seat = self._create_product(name="Seat", list_price=20.0)
        for product, price in ((self.fee, 35), (seat, 70)):
            self.env["product.pricelist.item"].create(
                {
                    "pricelist_id": False,
                    "plan_id": monthly.id,
                    "applied_on": "1_product",
                    "product_tmpl_id": product.product_tmpl_id.id,
                    "compute_price": "fixed",
                    "fixed_price": price,
                }
            )
        self.plan.write(
            {
                "user_add_option": True,
                "user_change_plan": True,
                "offered_plan_ids": [Command.set(monthly.ids)],
            }
        )
        order = self._create_with_options(seat)
        self.browser_js(
            "/my",
            CHANGES
            % {
                "name": order.name,
                "until": str(self.today + timedelta(days=30)),
                "too_late": str(self.today + timedelta(days=31)),
            },
            "document.readyState === 'complete'",
            login=self.ann.login,
        )
        self.assertEqual(order.plan_id, monthly)
        self.assertEqual(order.subscription_child_ids.amount_total, 11.43)
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertIn("Done on the portal by Ann", self._notes(order))
