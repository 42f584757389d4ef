import re
from pathlib import Path

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import file_path

from .overview_case import OverviewCase


@tagged("post_install", "-at_install")
class TestFigures(OverviewCase):
    """Each figure is what was worked out by hand, and its list has as much."""

    def _open(self, record, figure):
        record = record.with_context(figure=figure)
        if record._name == "res.partner":
            return record.action_fc_open_figure()
        return record.action_open_figure()

    def _money(self, own=0.0, crowns=0.0):
        parts = [(self.currency, own), (self.crown, crowns)]
        parts = sorted((c for c in parts if c[1]), key=lambda part: part[0].name)
        return " + ".join(c.format(amount) for c, amount in parts)

    # -- across apps -----------------------------------------------------------

    def test_unbilled(self):
        """100.00 and 5.00 in the company's currency, 10.00 crowns."""
        page = self._overview()
        self.assertEqual(page.unbilled, self._money(105, 10))
        self.assertEqual(page.without_app, self._money(5))
        self.assertEqual(page.customer_count, 3)
        listed = self._listed(self._open(page, "unbilled"))
        self.assertEqual(sorted(listed.mapped("amount")), [5.0, 10.0, 100.0])
        self.assertEqual(
            self._listed(self._open(page, "without_app")).subscription_id,
            self.lone_order,
        )

    def test_a_company_of_ones_own(self):
        """Who works in the other company sees its 7.00 crowns, and no more."""
        far = new_test_user(
            self.env,
            login="far_reader",
            groups="fusion_centralized_billing.group_user",
            company_id=self.far_company.id,
            company_ids=[self.far_company.id],
        )
        page = self._overview(far)
        self.assertEqual(page.unbilled, self._money(0, 7))
        self.assertEqual(page.service_ids, self.far_app)
        self.assertNotIn(self.far_app, self._overview().service_ids)
        listed = self._listed(self._open(page, "unbilled"), far)
        self.assertEqual(listed.subscription_id, self.far_order)

    def test_who_is_over_the_quota(self):
        """300 and 110 of 100; the others have no quota."""
        page = self._overview()
        self.assertEqual(page.near_quota_count, 2)
        listed = self._listed(self._open(page, "near_quota"))
        self.assertEqual(listed.subscription_id, self.order | self.lone_order)

    def test_who_was_over_the_quota_and_is_not_any_more(self):
        """Of the 110 that were used of 100 all are voided: nothing is close to it.

        What was used at most was asked for, and that does not fall.
        """
        usage = self.env["fusion.billing.usage"]
        usage = usage.search([("subscription_id", "=", self.lone_order.id)])
        usage._void("sent by mistake")
        self.lone_order._fc_rate_usage()
        self.env.flush_all()
        page = self._overview()
        self.assertEqual(page.near_quota_count, 1)
        listed = self._listed(self._open(page, "near_quota"))
        self.assertEqual(listed.subscription_id, self.order)

    def test_events_that_wait(self):
        self._use(self.order, 1, "2026-01-12 00:00:00")
        self._use(self.order, 2, "2026-01-13 00:00:00")
        page = self._overview()
        self.assertEqual((page.waiting_count, page.waiting_events), (1, 2))
        listed = self._listed(self._open(page, "waiting"))
        self.assertEqual(listed, self.order)
        self.assertEqual(sum(listed.mapped("fc_waiting_count")), 2)

    def test_what_somebody_has_to_look_at(self):
        """One of each, and each list has that one."""
        early = self._use(self.order, 1, "2025-12-01 00:00:00")
        self.second_order.fc_rating_error = "No rate"
        self.lone_order.subscription_error = "No journal"
        reconciliation = self._differing(self.service)
        message = self._given_up(self.service)
        invoice = self._disputed()
        accountant = new_test_user(
            self.env,
            login="overview_accountant",
            groups="fusion_centralized_billing.group_user,"
            "account.group_account_readonly",
        )
        page = self._overview(accountant)
        for figure, expected in (
            ("unallocated", early),
            ("rating_problem", self.second_order),
            ("invoice_problem", self.lone_order),
            ("mismatch", reconciliation),
            ("undelivered", message),
            ("disputed", invoice),
        ):
            with self.subTest(figure=figure):
                self.assertEqual(page[f"{figure}_count"], 1)
                listed = self._listed(self._open(page, figure), accountant)
                self.assertEqual(listed.ids, expected.ids)

    def test_a_reader_without_accounting_opens_the_page(self):
        """He has no right to invoices: the figure of these is not for him."""
        self._disputed()
        self.assertEqual(self._overview().disputed_count, 0)
        arch = self._overview().get_view(view_type="form")["arch"]
        self.assertNotIn("disputed", arch)
        with self.assertRaises(AccessError):
            self.env["account.move"].with_user(self.reader).search([])

    def test_the_next_runs(self):
        job = self.env.ref("fusion_centralized_billing.cron_rate_usage")
        job.lastcall, job.nextcall = "2026-01-15 11:00:00", "2026-01-15 12:30:00"
        page = self._overview()
        self.assertEqual(page.rated_at, job.lastcall)
        self.assertEqual(page.next_rating, job.nextcall)
        self.assertTrue(page.next_invoicing)

    # -- the card of an app ----------------------------------------------------

    def test_requests_of_today(self):
        """One from before midnight does not count, nor does the other app's."""
        yesterday = {"called_at": "2026-01-14 23:59:59"}
        self._call(self.service, accepted=1000, **yesterday)
        self._call(self.service, accepted=40, duplicates=5)
        self._call(self.service, accepted=2)
        self._call(self.second_app, accepted=7)
        self._call(self.service)
        app = self.service.with_user(self.reader)
        self.assertEqual(app.overview_accepted, 42)
        self.assertEqual(str(app.overview_last_request), "2026-01-15 12:00:00")
        self.assertEqual(self.second_app.overview_accepted, 7)
        self.assertFalse(self.far_app.overview_last_request)
        listed = self._listed(self._open(app, "accepted"))
        self.assertEqual(sum(listed.mapped("accepted")), 42)
        listed = self._listed(self._open(app, "requests"))
        self.assertEqual(max(listed.mapped("called_at")), app.overview_last_request)

    def test_what_was_refused_today(self):
        """Two events, one of them sent twice; one from before midnight, one elsewhere.

        It led to the log of requests, which does not say what was refused.
        """
        with freeze_time("2026-01-14 23:59:59"):
            self._refuse(self.service, "yesterday")
        for metric in ("first", "second", "second"):
            self._refuse(self.service, metric)
        self._refuse(self.second_app, "first")
        app = self.service.with_user(self.reader)
        self.assertEqual(
            (app.overview_refused, self.second_app.overview_refused), (2, 1)
        )
        listed = self._listed(self._open(app, "refused"))
        self.assertEqual(listed._name, "fusion.billing.usage.refused")
        self.assertEqual(sorted(listed.mapped("metric_code")), ["first", "second"])
        listed[:1].sudo().action_dismiss()
        self.env.invalidate_all()
        self.assertEqual(app.overview_refused, 2)

    def test_midnight_is_the_companys(self):
        """At 12:00 UTC it is 01:00 of the 16th in Auckland: a new day since 11:00."""
        self.company.fc_billing_tz = "Pacific/Auckland"
        self._call(self.service, accepted=1, called_at="2026-01-15 10:59:59")
        self._call(self.service, accepted=2, called_at="2026-01-15 11:00:00")
        self.assertEqual(self.service.overview_accepted, 2)

    def test_the_window_of_an_app(self):
        """Three events of the first app, two of the second; 100.00 and 10.00 crowns."""
        for app, events, amount in (
            (self.service, 3, self._money(100)),
            (self.second_app, 2, self._money(0, 10)),
        ):
            with self.subTest(app=app.name):
                app = app.with_user(self.reader)
                self.assertEqual(app.overview_window, events)
                self.assertEqual(app.overview_unbilled, amount)
                listed = self._listed(self._open(app, "window"))
                self.assertEqual(sum(listed.mapped("event_count")), events)
                listed = self._listed(self._open(app, "unbilled"))
                self.assertEqual(
                    self._overview()._text_of_sums(
                        {listed.currency_id: sum(listed.mapped("amount"))}
                    ),
                    amount,
                )

    def test_what_differs_for_an_app(self):
        reconciliation = self._differing(self.service)
        message = self._given_up(self.service)
        app = self.service.with_user(self.reader)
        self.assertEqual((app.overview_mismatch, app.overview_undelivered), (1, 1))
        self.assertEqual(self.second_app.overview_mismatch, 0)
        listed = self._listed(self._open(app, "mismatch"))
        self.assertEqual(listed.ids, reconciliation.ids)
        listed = self._listed(self._open(app, "undelivered"))
        self.assertEqual(listed.ids, message.ids)
        listed = self._listed(self._open(app, "messages"))
        self.assertIn(message.id, listed.ids)

    def test_an_app_of_entered_subscriptions(self):
        """One that was entered in Odoo is of the app its customer is linked to."""
        self.order.fc_service_id = False
        self.assertEqual(self.order.fc_account_link_id, self.link)
        self.env.invalidate_all()
        self.assertEqual(self.service.overview_unbilled, self._money(100))
        self.assertEqual(self.service.overview_window, 3)
        self.assertEqual(self._overview().without_app, self._money(5))

    # -- the page of a customer ------------------------------------------------

    def test_a_customer_with_its_contacts(self):
        """100.00 of its own and 10.00 crowns of the branch, in two apps."""
        customer = self.partner.with_user(self.reader)
        self.assertEqual(customer.fc_subscription_count, 2)
        self.assertEqual(customer.fc_unbilled_amount, self._money(100, 10))
        self.assertEqual(customer.fc_window_amount, self._money(100, 10))
        self.assertFalse(customer.fc_billed_amount)
        listed = self._listed(self._open(customer, "subscription"))
        self.assertEqual(listed, self.order | self.second_order)
        for figure in ("unbilled", "window"):
            listed = self._listed(self._open(customer, figure))
            self.assertEqual(sorted(listed.mapped("amount")), [10.0, 100.0])
        branch = self.branch.with_user(self.reader)
        self.assertEqual(branch.fc_unbilled_amount, self._money(0, 10))

    def test_a_customer_after_the_invoice(self):
        """110.00 with the base fee: 100.00 of it usage; nothing is unbilled then."""
        accountant = new_test_user(
            self.env,
            login="customer_accountant",
            groups="fusion_centralized_billing.group_user,"
            "account.group_account_readonly",
        )
        invoice = self._invoiced(self.order)
        self.env.flush_all()
        customer = self.partner.with_user(accountant)
        self.assertEqual(customer.fc_billed_amount, self._money(100))
        self.assertEqual(customer.fc_unbilled_amount, self._money(0, 10))
        self.assertEqual(customer.fc_invoiced_amount, self._money(110))
        self.assertEqual(customer.fc_owed_amount, self._money(110))
        for figure in ("invoiced", "owed"):
            listed = self._listed(self._open(customer, figure), accountant)
            self.assertEqual(listed.ids, invoice.ids)
        listed = self._listed(self._open(customer, "billed"), accountant)
        self.assertEqual(listed.mapped("amount"), [100.0])

    def test_all_that_a_group_of_companies_owes(self):
        """A parent, its subsidiary that pays in crowns, and a draft.

        January of the parent: 110.00, due on 3 March. Its credit note of 110.00 is a
        draft. The subsidiary's January: 10.00 crowns of usage and 10.00 of the fee.
        """
        self.branch.is_company = True
        accountant = new_test_user(
            self.env, "group_accountant", "account.group_account_readonly"
        )
        invoice = self._invoiced(self.order)
        invoice.invoice_date_due = "2026-03-03"
        draft = invoice._reverse_moves()
        crowns = self._invoiced(self.second_order)
        crowns.invoice_date_due = "2026-02-10"
        self.env.flush_all()
        self.env.invalidate_all()
        customer = self.partner.with_user(accountant)
        self.assertEqual(self.branch.commercial_partner_id, self.branch)
        figures = {
            "draft": (self._money(-110), draft),
            "invoiced": (self._money(110, 20), invoice | crowns),
            "owed": (self._money(110, 20), invoice | crowns),
            "overdue": (self._money(0, 20), crowns),
        }
        with freeze_time("2026-02-20 12:00:00"):
            for name, (amount, moves) in figures.items():
                with self.subTest(figure=name):
                    self.assertEqual(customer[f"fc_{name}_amount"], amount)
                    listed = self._listed(self._open(customer, name), accountant)
                    self.assertEqual(listed.sorted("id").ids, moves.sorted("id").ids)
            branch = self.branch.with_user(accountant)
            self.assertEqual(branch.fc_owed_amount, self._money(0, 20))
            self.assertFalse(self.lone.with_user(accountant).fc_owed_amount)

    def test_a_customer_close_to_its_quota(self):
        """300 of 100 calls that are included."""
        customer = self.partner.with_user(self.reader)
        self.assertEqual(customer.fc_near_quota_count, 1)
        listed = self._listed(self._open(customer, "near_quota"))
        self.assertEqual(listed.subscription_id, self.order)
        self.assertEqual(self.branch.with_user(self.reader).fc_near_quota_count, 0)

    def test_a_customer_of_several_companies(self):
        """What it uses of the second one counts for who is in that one."""
        self.far.parent_id = self.partner
        customer = self.partner.with_user(self.reader)
        self.assertEqual(customer.fc_unbilled_amount, self._money(100, 10))
        both = new_test_user(
            self.env,
            "both_companies",
            "fusion_centralized_billing.group_user",
            company_ids=[(6, 0, (self.company | self.far_company).ids)],
        )
        companies = (self.company | self.far_company).ids
        customer = self.partner.with_user(both).with_context(
            allowed_company_ids=companies
        )
        self.assertEqual(customer.fc_unbilled_amount, self._money(100, 17))

    # -- how it is counted -----------------------------------------------------

    def test_no_scan_of_the_events(self):
        """With sequential scans forbidden PostgreSQL takes one where nothing else does.

        The list of unallocated events did so: the index said `unallocated`, the
        domain `unallocated IS TRUE`.
        """
        statements = self._statements(self._read_all)
        of_usage = [s for s in statements if re.search(r"fusion_billing_usage\b", s)]
        self.assertTrue(of_usage)
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        for statement in of_usage:
            self.env.cr.execute("EXPLAIN " + statement.replace("%", "%%"))
            plan = "\n".join(line for [line] in self.env.cr.fetchall())
            self.assertNotIn("Seq Scan on fusion_billing_usage", plan)
        self.assertEqual(len(of_usage), 1, "that of the unallocated ones")

    def test_all_sql_asks_for_unallocated_usage_in_the_words_of_its_index(self):
        """PostgreSQL does not know `unallocated` and `unallocated IS TRUE` for one."""
        models = Path(file_path("fusion_centralized_billing/models"))
        other = re.compile(r"(?:WHERE|AND) u\.unallocated\b(?! IS )")
        found = [
            path.name
            for path in sorted(models.rglob("*.py"))
            if other.search(path.read_text(encoding="utf-8"))
        ]
        self.assertEqual(found, [])

    def test_queries_do_not_grow_with_the_apps(self):
        before = len(self._statements(self._read_all))
        for number in range(10):
            app = self._create_service(name=f"App {number}", code=f"app-{number}")
            self._call(app, accepted=1)
        self.assertLessEqual(len(self._statements(self._read_all)), before)
        self.assertLess(before, 100)

    def _read_all(self):
        page = self._overview()
        page.read([name for name in page._fields if name != "service_ids"])
        apps = page.service_ids
        apps.read([name for name in apps._fields if name.startswith("overview_")])
