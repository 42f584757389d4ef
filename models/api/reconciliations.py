from odoo import fields, models

from ...engine.api import answers
from ...engine.api.events import check_text, subscription_reference
from ...engine.api.payload import check_object, flag, require
from ...engine.billing.periods import parse_timestamp
from ...engine.billing.quantity import parse_quantity
from ...engine.errors import BillingError
from ..base.exact import read_exact
from ..base.render import amount

_KEYS = (
    *("subscription_external_id", "subscription_id", "metric_code"),
    *("window_start", "window_end", "complete"),
    *("declared_quantity", "declared_count", "declared_amount"),
)
# Any two-part lock number of ours, beside that of the rating queue.
_LOCK = 0x46434253


class FusionBillingApiReconciliations(models.AbstractModel):
    """Control totals that a source app declares for a window."""

    _name = "fusion.billing.api.reconciliations"
    _description = "API: Control Totals"

    def _api_reconcile(self, payload):
        """Hold the source's totals of a window against ours.

        The same window again replaces what was declared, and compares anew. Sent again
        as it was, it leaves alone what finance has explained meanwhile.

        :param dict payload: ``subscription_external_id`` or ``subscription_id``,
            ``metric_code``, ``window_start``, ``window_end``, ``declared_quantity``,
            optional ``declared_count``, ``declared_amount`` (in the subscription's
            currency), ``complete``
        :return: ``Reconciliation`` as JSON
        :raises BillingError: a value is bad
        """
        check_object(payload, *_KEYS)
        values = self._reconciliation_values(payload)
        # Of two requests for a window at once, the second must see what the first did.
        self.env.cr.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, values["subscription_id"]]
        )
        key = (
            "service_id",
            "subscription_id",
            "metric_id",
            "window_start",
            "window_end",
        )
        Reconciliation = self._api_env()["fusion.billing.reconciliation"]
        record = Reconciliation.search([(name, "=", values[name]) for name in key])
        explained = record and record._is_explained_as(values)
        if record:
            record.write({k: v for k, v in values.items() if k not in key})
        else:
            record = Reconciliation.create(values | {"user_id": self.user_id.id})
        if not explained:
            record.action_compare()
        return self._reconciliation_answer(record)

    def _reconciliation_values(self, payload):
        reference = subscription_reference(payload)
        code = require(payload, "metric_code")
        code = check_text(code, "metric_code", "invalid_metric_code")
        start = parse_timestamp(require(payload, "window_start"), "window_start")
        end = parse_timestamp(require(payload, "window_end"), "window_end")
        start, end = start.replace(microsecond=0), end.replace(microsecond=0)
        if end <= start:
            raise BillingError(
                "invalid_window", "window_end is not after window_start", "window_end"
            )
        values = {
            "service_id": self.id,
            "window_start": start,
            "window_end": end,
            **_declared(payload),
        }
        if flag(payload, "complete"):
            values["completed_at"] = fields.Datetime.now()
        found = self._subscriptions_by_reference({reference})
        order = self._referenced_subscription(found, reference)
        for renewal in self._with_renewals(order)[1:]:
            if start < self.env["fusion.billing.succession"]._renewed_from(order):
                break
            order = renewal
        Usage = self.env["fusion.billing.usage"]
        metrics = Usage._active_metrics(self.company_id, {code})
        metric = Usage._metric_of(metrics, code)
        return values | {
            "subscription_id": order.id,
            "metric_id": metric.id,
            "currency_id": order.currency_id.id,
        }

    def _reconciliation_answer(self, record):
        currency = record.currency_id

        def totals(prefix):
            [quantity] = read_exact(record, f"{prefix}_quantity")
            return answers.Totals(
                quantity=quantity,
                count=record[f"{prefix}_count"],
                amount=amount(currency, record[f"{prefix}_amount"]),
            )

        def as_declared(total):
            """What was not declared is not compared."""
            return answers.DeclaredTotals(
                quantity=total.quantity,
                count=total.count if record.has_declared_count else None,
                amount=total.amount if record.has_declared_amount else None,
            )

        return answers.Reconciliation(
            reconciliation_id=record.id,
            state=record.state,
            complete=bool(record.completed_at),
            currency=currency.name,
            declared=as_declared(totals("declared")),
            ours=totals("actual"),
            difference=as_declared(totals("difference")),
            compared_at=record.compared_at,
        ).as_json()


def _declared(payload):
    """The declared totals as values of a reconciliation."""
    require(payload, "declared_quantity")
    quantity = _declared_number(payload, "declared_quantity")
    amount = _declared_number(payload, "declared_amount")
    count = payload.get("declared_count")
    if count is not None and (type(count) is not int or not 0 <= count < 2**31):
        raise BillingError(
            "invalid_declared_count", "invalid declared_count", "declared_count"
        )
    return {
        "declared_quantity": quantity,
        "declared_count": count or 0,
        "has_declared_count": count is not None,
        "declared_amount": float(amount or 0),
        "has_declared_amount": amount is not None,
    }


def _declared_number(payload, field):
    """A total by the rules of a quantity, which amounts and quantities share."""
    if payload.get(field) is None:
        return None
    try:
        return parse_quantity(payload[field])
    except BillingError:
        raise BillingError(f"invalid_{field}", f"invalid {field}", field) from None
