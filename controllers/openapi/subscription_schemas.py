from ...engine.billing.charge_models import CHARGE_MODELS
from .values import (
    an_object,
    answer,
    count,
    list_of,
    one_of,
    or_null,
    ref,
    text,
)

MAX_LINES = (
    200  # of models/api/subscription_create.py, which this package may not import
)

STATE = one_of(
    "1_draft",
    "2_renewal",
    "3_progress",
    "4_paused",
    "5_renewed",
    "6_churn",
    "7_upsell",
    description="`3_progress` runs, `4_paused` does not, `5_renewed` has a successor,"
    " `6_churn` has ended.",
)
# Not 0, and at most 10^9.
_LINE_QUANTITY = (
    r"^(?![0.]*$)0{0,6}([0-9]{1,9}(\.[0-9]{1,10})?|1000000000(\.0{1,10})?)$"
)
SUBSCRIPTION_ID = ref("Id", "The subscription in Odoo.")
EXTERNAL_ID = or_null(text("Its id in your app."))

_CHARGE = {
    "metric_code": text("What was measured."),
    "plan_code": text("The price's name."),
    "charge_model": one_of(
        *CHARGE_MODELS,
        description="`standard`: every unit above the quota in proportion. `package`:"
        " whole batches; one begun counts as full. `graduated`: each unit at the price"
        " of its tier. `volume`: all units at the price of the tier of the last.",
    ),
    "quantity": ref("Decimal", "All that was used in the window."),
    "included_quota": ref("Decimal", "What the plan includes."),
    "included": ref("Decimal", "Of the quantity, what the quota covers."),
    "billable": ref("Decimal", "Of the quantity, what is not."),
    "amount": ref("Decimal", "In the subscription's currency."),
}
_WINDOW = {
    "window_start": ref("Instant", "First instant of the window."),
    "window_end": ref("Instant", "First instant after it."),
}

SCHEMAS = {
    "SubscriptionRequest": an_object(
        {
            "external_customer_id": ref("Text", "An `external_id` of a customer."),
            "plan_id": ref("Id", "From the catalog."),
            "external_id": ref(
                "OptionalText",
                "The subscription's id in your app. With it the request is safe to"
                " repeat. Not `id:` and a number, which means Odoo's id.",
            ),
            "lines": list_of(
                ref("SubscriptionLineRequest"),
                "Products billed each period.",
                maxItems=MAX_LINES,
            ),
            "start_date": or_null(
                ref(
                    "Day",
                    "To take over a running contract, at most ten years away; today"
                    " when left out.",
                )
            ),
            "billed_until": or_null(
                ref(
                    "Day",
                    "First day that was not billed elsewhere, and the first of a"
                    " period. Required where a whole period since `start_date` is"
                    " over.",
                )
            ),
        },
        optional=("external_id", "lines", "start_date", "billed_until"),
    ),
    "SubscriptionLineRequest": an_object(
        {
            "product_id": ref("Id", "A product that is sold."),
            "quantity": ref("LineQuantity", "1 when left out."),
        },
        optional=("quantity",),
    ),
    "LineQuantity": {
        "anyOf": [
            {"type": "string", "pattern": _LINE_QUANTITY},
            {"type": "number", "exclusiveMinimum": 0, "maximum": 10**9},
        ],
        "description": "Decimal text or a number: above zero, up to 10^9, with as many"
        " decimals as Odoo's quantities have (2 as installed).",
    },
    "SubscriptionCreated": answer(
        {
            "subscription_id": SUBSCRIPTION_ID,
            "subscription_state": STATE,
            "external_id": EXTERNAL_ID,
            "invoices_due": count(
                "How many periods have begun and are not invoiced yet: so many invoices"
                " follow."
            ),
        }
    ),
    "Subscription": answer(
        {
            "subscription_id": SUBSCRIPTION_ID,
            "external_id": EXTERNAL_ID,
            "name": text("Its number in Odoo."),
            "external_customer_id": or_null(text("The customer's id in your app.")),
            "partner_id": ref("Id", "The customer in Odoo."),
            "plan_id": ref("Id", "The plan."),
            "plan_name": text("The plan's name."),
            "subscription_state": STATE,
            "currency": ref("Currency"),
            "start_date": or_null(ref("Day", "When it began.")),
            "last_invoice_date": or_null(ref("Day", "First day not yet invoiced.")),
            "next_invoice_date": or_null(ref("Day", "When it is invoiced next.")),
            "end_date": or_null(ref("Day", "First day that is not billed.")),
            "window": or_null(
                ref("Window", "The billing window that is open: `[start, end)`.")
            ),
            "successor_id": or_null(ref("Id", "The subscription that renews it.")),
            "lines": list_of(ref("SubscriptionLine")),
        }
    ),
    "Window": an_object({"start": ref("Instant"), "end": ref("Instant")}),
    "SubscriptionLine": an_object(
        {
            "line_id": ref("Id"),
            "product_id": or_null(ref("Id")),
            "name": text("As it stands on invoices."),
            "quantity": ref("Decimal"),
            "price_unit": ref("Decimal"),
            "amount": ref("Decimal", "Without taxes."),
            "metric_code": or_null(text("The metric, where it is a line of usage.")),
        }
    ),
    "SubscriptionUsage": answer(
        {
            "subscription_id": SUBSCRIPTION_ID,
            "external_id": EXTERNAL_ID,
            "currency": ref("Currency"),
            "current": or_null(
                ref("OpenWindow", "The window that is open; null where none is.")
            ),
            "past": list_of(ref("PastWindow"), "The windows before, the latest first."),
            "unallocated": list_of(
                ref("UnallocatedUsage"), "What no invoice bills by itself."
            ),
        }
    ),
    "OpenWindow": an_object({**_WINDOW, "charges": list_of(ref("Charge"))}),
    "PastWindow": an_object({**_WINDOW, "charges": list_of(ref("PastCharge"))}),
    "Charge": an_object(_CHARGE),
    "PastCharge": an_object(
        {
            **_CHARGE,
            "state": one_of(
                "open",
                "invoiced",
                description="`open` where something of it is not on an invoice yet.",
            ),
            "invoices": list_of(ref("InvoiceReference")),
        }
    ),
    "InvoiceReference": an_object(
        {"invoice_id": ref("Id"), "number": text("As the customer knows it.")}
    ),
    "UnallocatedUsage": an_object(
        {
            "metric_code": text("What was measured."),
            "events": count("How many events."),
            "quantity": ref("Decimal", "Their sum."),
        }
    ),
    "CancelRequest": an_object(
        {
            "when": one_of(
                "now",
                "period_end",
            )
            | {"default": "period_end"},
            "reason": ref("OptionalText", "Kept with the subscription."),
        },
        optional=("when", "reason"),
    ),
    "SubscriptionCancelled": answer(
        {
            "subscription_id": SUBSCRIPTION_ID,
            "external_id": EXTERNAL_ID,
            "subscription_state": STATE,
            "end_date": or_null(ref("Day", "First day that is not billed.")),
        }
    ),
    "Currency": {
        "type": "string",
        "pattern": "^[A-Z]{3}$",
        "description": "ISO 4217, as `USD`.",
    },
}
