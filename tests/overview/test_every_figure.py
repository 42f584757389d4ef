from ast import literal_eval

from freezegun import freeze_time
from lxml import etree

from odoo.tests import new_test_user, tagged

from .overview_case import OverviewCase

OPENS = ("action_open_figure", "action_fc_open_figure")


def count(case, listed):
    return len(listed)


def total(field):
    return lambda case, listed: sum(listed.mapped(field))


def money(field, only=None):
    """Amounts by currency, as text; credit notes take off."""

    def measure(case, listed):
        sums = {}
        for record in listed:
            is_credit = "move_type" in record and record.move_type == "out_refund"
            amount = -record[field] if is_credit else record[field]
            sums[record.currency_id] = sums.get(record.currency_id, 0.0) + amount
        return case.env["fusion.billing.figures"]._text_of_sums(sums)

    return measure


# How much of its list each figure is. One that is not here makes the test fail.
MEASURES = {
    "unbilled": money("amount"),
    "customer_count": lambda case, listed: len(listed.partner_id),
    "without_app": money("amount"),
    "near_quota_count": count,
    "waiting_count": count,
    "waiting_events": total("fc_waiting_count"),
    "unallocated_count": count,
    "mismatch_count": count,
    "rating_problem_count": count,
    "invoice_problem_count": count,
    "disputed_count": count,
    "held_count": count,
    "undelivered_count": count,
    "overview_unbilled": money("amount"),
    "overview_accepted": total("accepted"),
    "overview_window": total("event_count"),
    "overview_refused": count,
    "overview_mismatch": count,
    "overview_undelivered": count,
    "overview_last_request": lambda case, listed: max(listed.mapped("called_at")),
    "fc_subscription_count": count,
    "fc_window_amount": money("amount"),
    "fc_unbilled_amount": money("amount"),
    "fc_billed_amount": money("amount"),
    "fc_invoiced_amount": money("amount_total"),
    "fc_owed_amount": money("amount_residual"),
    "fc_draft_amount": money("amount_total"),
    "fc_overdue_amount": money("amount_residual"),
    "fc_near_quota_count": count,
}
# A word, and no figure: it leads to all messages of the app.
NO_FIGURES = {"webhook_health"}


@tagged("post_install", "-at_install")
class TestEveryFigure(OverviewCase):
    """Whatever can be pressed on the three pages opens a list that has as much."""

    def setUp(self):
        super().setUp()
        self.user = new_test_user(
            self.env,
            "every_figure",
            "fusion_centralized_billing.group_manager,account.group_account_user",
        )
        self._call(self.service, accepted=40)
        self._refuse(self.service, "unheard-of")
        self._use(self.order, 1, "2025-12-01 00:00:00")
        self._use(self.lone_order, 1, "2026-01-13 00:00:00")
        self._differing(self.service)
        self._given_up(self.service)
        self._disputed()
        self.lone_order.write(
            {"fc_rating_error": "No rate", "subscription_error": "No journal"}
        )
        self.company.fc_hold_differing = True
        held = self._create_subscription(partner_id=self.partner.id)
        self._use(held, 150, "2026-01-10 00:00:00")
        with freeze_time("2026-02-01 12:00:00"):
            draft = held._create_invoices(final=True)
        draft.invoice_line_ids.filtered("fc_rating_ids").price_unit = 1
        self.assertTrue(draft.fc_is_held)
        self.env.flush_all()
        self.env.invalidate_all()

    def _figures(self, record, view_type):
        """(name of the field, name of the figure) of all that can be pressed."""
        view = {
            "fusion.billing.overview": "overview_view_form",
            "fusion.billing.service": "service_view_kanban_overview",
        }.get(record._name)
        view = view and self.env.ref(f"fusion_centralized_billing.{view}").id
        arch = record.get_view(view, view_type)["arch"]
        for node in etree.fromstring(arch).iter("button", "a"):
            is_own = not any(node.iterancestors("field"))  # a card is another record's
            if node.get("name") in OPENS and is_own:
                figure = literal_eval(node.get("context"))["figure"]
                for field in node.iter("field"):
                    yield field.get("name"), figure

    def _check(self, record, view_type):
        record = self._overview(self.user) if record is None else record
        record = record.with_user(self.user)
        companies = self.user.company_ids.ids
        record = record.with_context(allowed_company_ids=companies)
        seen = set()
        for field, figure in set(self._figures(record, view_type)):
            if field in NO_FIGURES:
                continue
            with self.subTest(model=record._name, figure=field):
                shown = record[field]
                if not shown:
                    continue
                opened = record.with_context(figure=figure)
                name = OPENS[record._name == "res.partner"]
                listed = self._listed(getattr(opened, name)(), self.user)
                self.assertEqual(MEASURES[field](self, listed), shown)
                seen.add(field)
        return seen

    def test_each(self):
        seen = self._check(None, "form")
        seen |= self._check(self.service, "kanban")
        seen |= self._check(self.partner, "form")
        # What this customer was billed: an invoice that is posted.
        self._invoiced(self.order)
        self.env.flush_all()
        self.env.invalidate_all()
        seen |= self._check(self.partner, "form")
        # Each was looked at while it had something to count.
        self.assertEqual(seen, set(MEASURES))
