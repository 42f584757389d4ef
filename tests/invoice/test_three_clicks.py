from lxml import etree

from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged

from ..rating.ledger_case import FEBRUARY, LedgerCase

BILLING = "fusion_centralized_billing.group_user"
PEOPLE = {
    "accountant": "account.group_account_user",
    "reader of the books": "account.group_account_readonly",
    "invoicing": "account.group_account_invoice",
    "accountant who sells": "account.group_account_user,sales_team.group_sale_manager",
    "billing user": f"{BILLING},account.group_account_readonly",
    "billing manager": "fusion_centralized_billing.group_manager,"
    "account.group_account_invoice",
}


def specification(node):
    """What the web client asks of a record that it shows in this view (dict)."""
    fields = {}
    for child in node:
        if child.tag == "field":
            views = [specification(view) for view in child if view.tag != "kanban"]
            asked = {"display_name": {}} if not views else views[0]
            fields[child.get("name")] = {"fields": asked} if views else {}
        elif child.tag != "groupby":
            fields |= specification(child)
    return fields


@tagged("post_install", "-at_install")
class TestThreeClicks(LedgerCase):
    """Journal item -> rating with its arithmetic -> events, as the web client goes.

    150 calls of January and 30 that came late are on two invoices: 25.00, and 15.00 in
    the second one, beside 130 of February for 15.00.
    """

    def setUp(self):
        super().setUp()
        self._record(150)
        self.first = self._invoice(FEBRUARY)
        self._record(30)
        self._record(130, "2026-02-03 00:00:00")
        self.second = self._invoice()
        self.env.flush_all()

    def _call(self, user, model, method, *args, **kwargs):
        self.env.invalidate_all()
        return call_kw(self.env(user=user)[model], method, args, kwargs)

    def _open(self, user, action, ids, kind="form"):
        """Read a view of an action as the web client does (list of dict)."""
        model = action["res_model"]
        views = self._call(
            user, model, "get_views", [[False, "list"], [False, "form"]], {}
        )
        arch = etree.fromstring(views["views"][kind]["arch"])
        known = views["models"][model]["fields"]
        asked = specification(arch)
        for name, wanted in asked.items():
            if known[name]["type"] == "many2one":
                wanted["fields"] = {"display_name": {}}
        return self._call(user, model, "web_read", ids, asked)

    def _events(self, user, action, rating):
        """Those that the button of a rating lists, and their total."""
        button = self._call(user, action["res_model"], "action_view_usage", [rating])
        domain = button["domain"]
        [[total]] = [
            [group["quantity:sum"]]
            for group in self._call(
                user,
                button["res_model"],
                "formatted_read_group",
                domain,
                ["metric_id"],
                ["quantity:sum"],
                context=button["context"],
            )
        ]
        found = self._call(user, button["res_model"], "search", domain)
        [self._open(user, button, found, kind) for kind in ("list", "form")]
        return total, len(found)

    def test_everybody_who_reads_a_line_gets_to_its_events(self):
        line = self._usage_lines(self.first)
        [rating] = line.sudo().fc_rating_ids.ids
        for who, rights in PEOPLE.items():
            user = new_test_user(self.env, who.replace(" ", "-"), rights)
            with self.subTest(who=who):
                item = {"res_model": "account.move.line"}
                for kind in ("list", "form"):
                    [shown] = self._open(user, item, line.ids, kind)
                    self.assertTrue(shown["fc_bills_usage"])
                action = self._call(
                    user, "account.move.line", "action_fc_view_ratings", line.ids
                )
                self.assertEqual(action["res_id"], rating)
                [told] = self._open(user, action, [rating])
                self.assertIn("50 x 0.5 = 25", told["explanation_text"])
                self.assertEqual(self._events(user, action, rating), (150.0, 1))

    def test_a_line_of_several_windows_leads_to_all(self):
        """The line of February has the correction of January on it, too."""
        ratings = self.second.sudo().fc_rating_ids
        self.assertEqual(sorted(ratings.mapped("amount")), [15.0, 15.0])
        accountant = new_test_user(self.env, "books", "account.group_account_user")
        found, totals = set(), []
        for line in self._usage_lines(self.second):
            action = self._call(
                accountant, "account.move.line", "action_fc_view_ratings", line.ids
            )
            [[_id, _in, ids]] = action["domain"]
            found |= set(ids)
            totals += [self._events(accountant, action, key)[0] for key in ids]
        self.assertEqual(found, set(ratings.ids))
        self.assertEqual(sorted(totals), [130.0, 180.0])

    def test_the_invoice_leads_there_too(self):
        accountant = new_test_user(self.env, "books", "account.group_account_user")
        [shown] = self._open(accountant, {"res_model": "account.move"}, self.first.ids)
        self.assertEqual(shown["fc_rating_count"], 1)
        action = self._call(
            accountant, "account.move", "action_fc_view_ratings", self.first.ids
        )
        self.assertEqual(action["domain"], [("id", "in", self.first.fc_rating_ids.ids)])

    def test_what_a_rating_leads_to_opens_for_accountants(self):
        """Window, price and metric, by a click on their names."""
        rating = self.first.sudo().fc_rating_ids
        accountant = new_test_user(self.env, "books", "account.group_account_user")
        for record in (rating.window_id, rating.charge_id, rating.metric_id):
            with self.subTest(model=record._name):
                [shown] = self._open(
                    accountant, {"res_model": record._name}, record.ids
                )
                self.assertTrue(shown["id"])

    def test_who_uses_billing_alone_begins_at_the_rating(self):
        [rating] = self.first.sudo().fc_rating_ids.ids
        action = {"res_model": "fusion.billing.rating"}
        for rights in (BILLING, "fusion_centralized_billing.group_manager"):
            user = new_test_user(self.env, rights.split(".")[1], rights)
            with self.subTest(rights=rights):
                [told] = self._open(user, action, [rating])
                told = told["invoice_id"]["display_name"]
                self.assertEqual(told, self.first.display_name)
                self.assertEqual(self._events(user, action, rating), (150.0, 1))
