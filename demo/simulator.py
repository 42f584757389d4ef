"""Plays a source app over HTTP: customers, subscriptions, and usage in batches.

It behaves as an app on a bad network does: it sends events out of order, and sends
some batches again because it never saw the answer.
"""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, timezone

from .catalog import App, subscription_of
from .expected import Verdict, is_time
from .month import Month

PREFIX = "/api/billing/v1"
BATCH = 250
RETRIED = 5  # every so many batches, one is sent a second time
TIMEOUT_S = 120
# NexaMaps sends local times: the same instants, written with another offset.
OFFSETS = {"nexamaps": timezone(timedelta(hours=-5))}


class ApiError(Exception):
    """The billing API answered something the app cannot go on with."""


@dataclass(frozen=True)
class Batch:
    """Rows of `usage.csv` sent in one request."""

    rows: Sequence[dict]
    again: bool = False


def batches(rows: Sequence[dict]) -> Iterator[Batch]:
    """The requests of one app, in sending order."""
    for number, start in enumerate(range(0, len(rows), BATCH), 1):
        batch = Batch(rows[start : start + BATCH])
        yield batch
        if number % RETRIED == 0 or start + BATCH >= len(rows):
            yield Batch(batch.rows, again=True)


def usage_event(row: dict, month: Month) -> dict:
    """A row as the JSON event an app posts; empty cells are left out.

    A time that is none is sent as it stands, for the API to refuse. Whole quantities
    go as JSON numbers, others as decimal text.
    """
    offset = OFFSETS.get(row["app"], timezone.utc)
    if is_time(row["time"]):
        start = month.moment(row["day"], row["time"]).replace(tzinfo=timezone.utc)
        end = start + timedelta(minutes=int(row["minutes"]))
        period = [moment.astimezone(offset).isoformat() for moment in (start, end)]
    else:
        period = [f"{month.day(row['day'])} {row['time']}"] * 2
    whole = row["quantity"].isdecimal()
    event = {
        "subscription_external_id": row["subscription"],
        "metric_code": row["metric"],
        "quantity": int(row["quantity"]) if whole else row["quantity"],
        "period_start": period[0],
        "period_end": period[1],
        "unique_key": row["unique_key"],
        "idempotency_key": row["idempotency_key"],
    }
    return {key: value for key, value in event.items() if value != ""}


@dataclass
class SourceApp:
    """One app with its API key.

    :param key: bearer key
    :param port: port of Odoo on this machine
    """

    app: App
    key: str
    host: str
    port: int
    answers: Counter = field(default_factory=Counter)

    def create_customers(self) -> None:
        """Create the customers, each twice, as apps do after a timeout."""
        for customer in self.app.customers:
            payload = {
                "external_id": customer,
                "name": self.app.customer_name(customer),
                "email": f"{customer}@example.com",
            }
            partners = {
                self._post("/customers", payload, 200)["partner_id"] for _ in range(2)
            }
            if len(partners) != 1:
                raise ApiError(f"{customer} became {len(partners)} customers, not one")

    def subscribe(self, plan_id: int, product_id: int, month: Month) -> dict[str, int]:
        """Create a subscription that starts with the month, for each customer.

        :return: customer -> id of its subscription
        """
        orders = {}
        for customer in self.app.customers:
            payload = {
                "external_customer_id": customer,
                "external_id": subscription_of(customer),
                "plan_id": plan_id,
                "lines": [{"product_id": product_id, "quantity": 1}],
                "start_date": str(month.start),
                # the month is over, and nobody has billed it
                "billed_until": str(month.start),
            }
            answer = self._post("/subscriptions", payload, 200)
            if answer["subscription_state"] != "3_progress":
                raise ApiError(f"{customer}: subscription is not running: {answer}")
            orders[customer] = answer["subscription_id"]
        return orders

    def post_usage(self, batch: Batch, month: Month) -> list[Verdict]:
        """Post one batch; return what became of each of its events."""
        events = [usage_event(row, month) for row in batch.rows]
        answer = self._post("/usage", {"events": events}, None)
        verdicts = [
            Verdict(result["status"], result.get("code", ""))
            for result in answer.get("results", ())
        ]
        if len(verdicts) != len(events):
            raise ApiError(
                f"{len(events)} events got {len(verdicts)} results: {answer}"
            )
        self._check_envelope(answer, verdicts)
        return verdicts

    def declare(self, customer: str, metric: str, quantity: str, month: Month) -> str:
        """Declare the total of a month; return what Odoo says of it."""
        payload = {
            "subscription_external_id": subscription_of(customer),
            "metric_code": metric,
            "window_start": str(month.start),
            "window_end": str(month.end),
            "declared_quantity": quantity,
        }
        return self._post("/reconciliations", payload, 200)["state"]

    @staticmethod
    def _check_envelope(answer: dict, verdicts: list[Verdict]) -> None:
        """The totals of the answer must agree with its results, one by one."""
        counts = Counter(verdict.status for verdict in verdicts)
        refused = counts["conflict"] + counts["rejected"]
        found = (
            answer["status"],
            answer["accepted"],
            answer["duplicates"],
            len(answer.get("errors", ())),
        )
        right = (
            "error" if refused else "ok",
            counts["accepted"],
            counts["duplicate"],
            refused,
        )
        if found != right:
            raise ApiError(f"the answer's totals are {found}, its results say {right}")

    def _post(self, path: str, payload: dict, status: int | None) -> dict:
        """POST JSON and return the decoded answer.

        :param status: the HTTP status it must have; None: 200 when ok, else 400
        """
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
        try:
            connection.request(
                "POST",
                PREFIX + path,
                json.dumps(payload),
                {
                    "Authorization": f"Bearer {self.key}",
                    "Content-Type": "application/json",
                },
            )
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        self.answers[response.status] += 1
        try:
            answer = json.loads(text)
        except ValueError:
            raise ApiError(
                f"{path}: HTTP {response.status}, not JSON: {text}"
            ) from None
        wanted = status or (200 if answer.get("status") == "ok" else 400)
        if response.status != wanted:
            raise ApiError(f"{path}: HTTP {response.status}, not {wanted}: {answer}")
        return answer
