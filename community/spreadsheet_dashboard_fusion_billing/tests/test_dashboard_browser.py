from odoo.tests import HttpCase, tagged

from .common import DashboardCase

READY = "odoo.isReady === true"

# The sheet is painted on a canvas. So the test asks the model behind it for the cells,
# once nothing of it is loading any more; any error the client reports fails the test.
READ_CELLS = """
const until = async (find) => {
    for (let tries = 0; tries < 200; tries++) {
        const found = find();
        if (found) { return found; }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`Never seen: ${find}`);
};
const findModel = (node) => {
    const model = node.props?.model;
    if (model?.getters?.getEvaluatedCell) { return model; }
    for (const child of Object.values(node.children)) {
        const found = findModel(child);
        if (found) { return found; }
    }
};
const read = async () => {
    const model = await until(() => findModel(odoo.__WOWL_DEBUG__.root.__owl__));
    const [, data] = model.getters.getSheetIds();
    const cell = (name) => {
        const [, letter, row] = name.match(/([A-Z])(\\d+)/);
        const col = letter.charCodeAt(0) - 65;
        return model.getters.getEvaluatedCell({sheetId: data, col, row: row - 1});
    };
    const expected = %s;
    const names = Object.keys(expected);
    await until(() => names.every((name) => cell(name).value !== "Loading..."));
    for (const name of names) {
        const found = cell(name).value;
        if (found !== expected[name]) {
            throw new Error(`${name} is ${found}, not ${expected[name]}`);
        }
    }
    // Charts out of sight are not drawn.
    const drawn = (selector) => document.querySelectorAll(`canvas${selector}`).length;
    await until(() => drawn(".o-scorecard") === 6);
    await until(() => drawn(".o-figure-canvas:not(.o-scorecard)"));
    const charts = %s;
    for (const [id, largest] of Object.entries(charts)) {
        const { datasets } = model.getters.getChartRuntime(id).chartJsConfig.data;
        const found = datasets.map((set) => [set.label, Math.max(...set.data)]);
        if (JSON.stringify(found.sort()) !== JSON.stringify(largest)) {
            throw new Error(`${id} shows ${found}, not ${largest}`);
        }
    }
    if (document.querySelector(".o_error_dialog, .modal")) {
        throw new Error("There is a dialog");
    }
};
read().then(
    () => console.log("test successful"),
    (error) => console.error(error.message)
);
"""

# See the story of the case; CUR is the currency of the company.
CELLS = """{
    B2: "105.00 CUR", B4: 2, B5: 1, B6: 1, B7: 1,
    B22: "CUR", A23: "Sample Customer", B23: 100, A24: "Customer Three", B24: 5,
    B35: "CUR", A36: "API calls", B36: 105,
    A51: "Sample App", A52: "Second App",
}"""
# The largest bar of each currency, as it is: Odoo's charts convert what is monetary,
# and showed 7.00 crowns as 3.50.
CHARTS = """{
    months: [["CUR", 105]], apps: [["CUR", 100]],
    unbilled_apps: [["CUR", 10], ["XKR", 7]],
}"""


@tagged("post_install", "-at_install", "fcb_browser")
class TestDashboardBrowser(DashboardCase, HttpCase):
    def _open_dashboard(self, reader):
        self.browser_js(
            f"/odoo/dashboards?dashboard_id={self.dashboard.id}",
            (READ_CELLS % (CELLS, CHARTS)).replace("CUR", self.currency.name),
            READY,
            login=self.readers[reader].login,
            timeout=120,
        )

    def test_shows_the_figures_to_a_billing_user(self):
        self._open_dashboard("billing")

    def test_shows_the_figures_to_an_accountant(self):
        self._open_dashboard("reading")

    def test_shows_the_figures_on_a_phone(self):
        self.browser_size = "390x844"
        self.touch_enabled = True
        self._open_dashboard("billing")
