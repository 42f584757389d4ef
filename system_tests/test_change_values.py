"""Bad values in the requests that change a subscription, key by key."""

from __future__ import annotations

from collections.abc import Iterable

from . import hostile_values
from .api import PREFIX, ApiCase

DAYS_REFUSED = (
    *hostile_values.TIMES_REFUSED,
    *('"2026-01-10T00:00:00Z"', '"2026-01-10 00:00:00"', '"0001-01-01"', '""'),
    *('"9999-12-31"', '"2999-01-01"', "20260110", '["2026-01-10"]'),
)
WHEN_REFUSED = ("null", "1", "true", '""', '"NOW"', '"now "', '["now"]', '"\\u0000"')


class TestChangeValues(ApiCase):
    seconds = 25

    def setUp(self):
        super().setUp()
        self.before = self.standing()

    def standing(self) -> str:
        """All of the orders and their lines that a change could have changed."""
        return self.psql(
            "SELECT o.id, o.write_date, o.plan_id, o.subscription_state, o.end_date,"
            " (SELECT sum(l.product_uom_qty) FROM sale_order_line l"
            "   WHERE l.order_id = o.id), (SELECT count(*) FROM fusion_billing_webhook)"
            " FROM sale_order o ORDER BY o.id"
        )

    def all_refused(
        self, verb: str, body: str, code: str, field: str, texts: Iterable[str]
    ) -> None:
        """Each value is refused with just this, and nothing has changed.

        :param verb: ``""``: PATCH
        :param body: JSON text with ``%s`` for the value
        """
        path = f"{PREFIX}/subscriptions/sub-1{verb and '/'}{verb}"
        for text in texts:
            with self.subTest(text[:60], verb=verb, field=field):
                answer = self.api.post_raw(
                    (body % text).encode(), "POST" if verb else "PATCH", path
                )
                refusal = self.check_refused(answer, 400, code)
                self.assertEqual(refusal["field"], field)
        self.assertEqual(self.standing(), self.before)
        self.check_quiet()

    def test_days(self):
        for verb, body, field in (
            ("cancel", '{"when": "on", "date": %s}', "date"),
            ("pause", '{"from": %s}', "from"),
            ("pause", '{"until": %s}', "until"),
            ("resume", '{"date": %s}', "date"),
        ):
            self.all_refused(verb, body, f"invalid_{field}", field, DAYS_REFUSED)

    def test_words(self):
        for verb in ("cancel", ""):
            body = '{"when": %s}'
            self.all_refused(verb, body, "invalid_when", "when", WHEN_REFUSED)

    def test_ids(self):
        refused = (*hostile_values.IDS_REFUSED, "null")
        self.all_refused("", '{"plan_id": %s}', "invalid_plan_id", "plan_id", refused)
        for key in ("line_id", "product_id"):
            body = f'{{"lines": [{{"{key}": %s, "quantity": 1}}]}}'
            self.all_refused("", body, "invalid_line", f"lines[0].{key}", refused)

    def test_ids_of_others(self):
        """Lines of another subscription, plans and products of another company."""
        theirs = self.psql(
            "SELECT l.id FROM sale_order_line l JOIN sale_order o ON o.id = l.order_id"
            f" WHERE o.id = {self.world['orders']['theirs']}"
        ).split("\n")
        body = '{"lines": [{"line_id": %s, "quantity": 2}]}'
        self.all_refused("", body, "invalid_line", "lines[0].line_id", theirs)

    def test_quantities(self):
        body = f'{{"lines": [{{"product_id": {self.world["fee"]}, "quantity": %s}}]}}'
        refused = (
            *hostile_values.QUANTITIES_REFUSED,
            *("null", "1000000001", '"0.001"', "1e-3", "[]"),
        )
        self.all_refused("", body, "invalid_line", "lines[0].quantity", refused)
