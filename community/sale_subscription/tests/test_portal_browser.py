from odoo.tests import tagged

from .portal_common import PortalCase

# Walks in a frame of a phone's width: the page around it, which this runs in, stays.
WALK = """
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
walk().then(
    () => console.log("test successful"),
    (error) => console.error(error.message)
);
"""


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
