from odoo.tests import HttpCase, new_test_user, tagged

from ..common import BillingCase

LOOK = """
const fail = (text) => console.error(text);
const bar = document.querySelector("[name=chart] > div[title*='200']");
const progress = document.querySelector("#subscription_usage .progress-bar");
const details = document.querySelector("#subscription_usage details");
details.querySelector("summary").click();
const total = document.querySelector("[name=next_invoice_total]").textContent;
const headline = document.querySelector("[name=amount_per_period]").textContent;
const widest = document.querySelector("#subscription_usage").scrollWidth;
if (!bar || bar.getBoundingClientRect().height < 50) {
    fail("The day with usage has no bar");
} else if (progress.getBoundingClientRect().width < 50) {
    fail("The quota has no bar");
} else if (!details.open || !details.textContent.includes("50.00")) {
    fail("The arithmetic does not open");
} else if (total !== headline || !total.includes("60.00")) {
    fail(`Two totals: ${total} and ${headline}`);
} else if (widest > window.innerWidth) {
    fail("It is wider than the screen");
} else {
    console.log("test successful");
}
"""


@tagged("post_install", "-at_install", "fcb_browser")
class TestPortalPage(BillingCase, HttpCase):
    """The subscription's page as the customer has it, on a desk and on a phone."""

    def _look(self):
        """200 calls on 15 January: 100 x 0.50 = 50.00, and the base fee of 10.00."""
        self._record(200, "2026-01-15 00:00:00")
        new_test_user(
            self.env,
            login="browsing_customer",
            groups="base.group_portal",
            partner_id=self.partner.id,
        )
        self.browser_js(
            f"/my/subscriptions/{self.order.id}",
            LOOK,
            "document.readyState === 'complete'",
            login="browsing_customer",
        )

    def test_on_a_desk(self):
        self._look()

    def test_on_a_phone(self):
        self.browser_size = "390x844"
        self.touch_enabled = True
        self._look()
