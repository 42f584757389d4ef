from freezegun import freeze_time

from odoo.tests import tagged

from .common import ShopCase

# Walks in a frame of a phone's width: the page around it, which this runs in, stays.
STEPS = """
const frame = document.createElement("iframe");
frame.style = "position: fixed; inset: 0; width: 390px; height: 844px; z-index: 9999";
frame.src = "%(url)s";
document.body.append(frame);

const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
const until = async (find) => {
    for (let tries = 0; tries < 300; tries++) {
        const found = frame.contentDocument?.body && find(frame.contentDocument);
        if (found) { return found; }
        await pause(100);
    }
    throw new Error(`Never seen on ${frame.contentWindow.location}: ${find}`);
};
const one = (selector, text = "") => until((page) =>
    [...page.querySelectorAll(selector)].find((element) =>
        element.textContent.replaceAll("\\u00a0", " ").includes(text)
        && element.checkVisibility({visibilityProperty: true}))
);
const ready = () => until((page) =>
    page.readyState === "complete" && frame.contentWindow.odoo?.loader?.modules?.size
    && page.body.classList.contains("o_web_client") === false
);
// Pressed again until something comes of it: the page may still be loading its scripts.
const press = async (selector, next) => {
    for (let tries = 0; tries < 40; tries++) {
        const page = frame.contentDocument;
        (await one(selector)).click();
        for (let wait = 0; wait < 20; wait++) {
            await pause(100);
            if (frame.contentDocument !== page || next?.(page)) { return; }
        }
    }
    throw new Error(`Nothing comes of pressing ${selector}`);
};
const fits = (step) => {
    const width = frame.contentDocument.querySelector("#wrapwrap").scrollWidth;
    if (width > 390) { throw new Error(`${step}: ${width} is wider than a phone`); }
};
%(walk)s
walk().then(
    () => console.log("test successful"),
    (error) => console.error(error.message)
);
"""

BUY = """
const walk = async () => {
    await one(".product_price", "$ 10.00");
    await one(".product_price", "/ month");
    fits("product");
    await press("input[name=plan_id][value='%(year)d']", (page) =>
        page.querySelector(".product_price")?.textContent.includes("100.00"));
    await one(".product_price", "/ year");
    await press("#add_to_cart", (page) =>
        page.querySelector(".my_cart_quantity")?.textContent.trim() === "1");
    frame.src = "/shop/cart";
    await one("[name=recurring_text]", "Yearly: $ 100.00 / year");
    await one("[name=o_order_recurring]", "Then each year");
    fits("cart");
    frame.src = "/shop/checkout?try_skip_step=true";
    await one("[name=subscription_notice]", "Yearly");
    fits("payment");
    await one("[name=customer_input]");
    frame.contentDocument.querySelector("[name=customer_input]").value = "1234";
    await press("[name=o_payment_submit_button]");
    await one("[name=subscription_started]", "01/31/2027");
    fits("confirmation");
};
"""

# With products to go along with it there is a dialog, which shows prices, too.
OPTIONS = """
const walk = async () => {
    await press("input[name=plan_id][value='%(year)d']", (page) =>
        page.querySelector(".product_price")?.textContent.includes("100.00"));
    await press("#add_to_cart", (page) => page.querySelector(".modal .btn-primary"));
    await one(".modal", "100.00");
    await one(".modal", "Lid");
    await press("[name=website_sale_product_configurator_checkout_button]");
    await one("[name=recurring_text]", "Yearly: $ 100.00 / year");
};
"""


@tagged("post_install", "-at_install", "fcb_browser")
class TestShopBrowser(ShopCase):
    def _walk(self, steps):
        """Do these steps, from the page of the crate on."""
        values = {"url": self.crate.website_url, "year": self.year.id}
        self.browser_js(
            "/shop",
            STEPS % (values | {"walk": steps % values}),
            "document.readyState === 'complete'",
            login="sam",
            timeout=180,
        )

    def test_options_on_the_plan(self):
        lid = self._create_shop_product("Lid", list_price=30.0)
        self._price(lid, self.year, 50.0)
        self.crate.optional_product_ids = lid.product_tmpl_id
        self._walk(OPTIONS)
        self.assertCart(self.year, (self.crate, 1, 100.0, True))

    def test_from_the_product_to_the_second_year(self):
        self.startPatcher(freeze_time("2026-01-31"))
        self._walk(BUY)
        order = self.cart
        self.assertEqual(order.subscription_state, "3_progress")
        self.assertEqual(str(order.start_date), "2026-01-31")
        self.assertDates(order, "2026-01-31", "2027-01-31")
        first = order.invoice_ids
        self.assertEqual(first.amount_total, 100.0)
        self.assertEqual(first.payment_state, "paid")
        self.assertFalse(self._run_cron("2027-01-30"))
        second = self._run_cron("2027-01-31")
        self.assertEqual(second.amount_total, 100.0)
        self.assertEqual(second.payment_state, "paid")
        self.assertEqual(self._charges(order).mapped("amount"), [100.0])
        self.assertEqual(self._charges(order).token_id, order.payment_token_id)
