"""What `schemathesis` is told in Python; see schemathesis.toml for the rest.

It loads this file in its own environment.
"""

import os
import re
from datetime import date, timedelta

import schemathesis

# Ids that the database has; FCB_IDS is "invoice_id=1 plan_id=1 ...".
IDS = {
    name: int(value)
    for name, value in (part.split("=") for part in os.environ["FCB_IDS"].split())
}
NUMBERS = {"quantity", "declared_quantity", "declared_amount"}
DECIMALS = 10
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Days from now on which a pause begins and ends, or something is to happen.
DAYS_AHEAD = {"from": 3, "until": 30, "date": 9}
# Why a request that the document allows may be refused: what it names is not there, two
# of its values do not go together, or it depends on the day or on a setting.
NOT_FOR_A_SCHEMA = {
    "external_id_conflict",
    "idempotency_conflict",
    "invalid_billed_until",
    "invalid_cursor",
    "invalid_date",
    "invalid_from",
    "invalid_line",  # more decimals than this database gives quantities
    "invalid_plan_id",
    "invalid_start_date",
    "invalid_subscription_external_id",
    "invalid_subscription_id",
    "invalid_until",
    "invalid_window",
    "period_in_future",
    "period_order",
    "subscription_mismatch",
    "subscription_refused",
    "unknown_customer",
    "unknown_event",
    "unknown_metric",
    "unknown_subscription",
}


@schemathesis.check
def refusal_has_a_reason(_context, response, case):
    """A request that the document allows is refused for what it cannot tell, only."""
    mode = case.meta and case.meta.generation.mode
    if response.status_code != 400 or not mode or not mode.is_positive:
        return
    body = response.json()
    codes = {
        item["code"]
        for item in body.get("errors", [body])
        # some metrics need the first, contracts that have run the second, and what is
        # cancelled on a day the third
        if item.get("field") not in ("unique_key", "billed_until", "date")
    }
    if unexpected := codes - NOT_FOR_A_SCHEMA:
        raise AssertionError(f"allowed by the document, and refused: {unexpected}")


@schemathesis.hook
def before_load_schema(_context, raw_schema):
    """Say in JSON Schema what the document says in words; see `names_subscription`."""
    schemas = raw_schema["components"]["schemas"]
    given = {"not": {"enum": [None, ""]}}
    named = [
        {"required": [key], "properties": {key: given}}
        for key in ("subscription_external_id", "subscription_id")
    ]
    for name in ("UsageEvent", "EventKey", "ReconciliationRequest"):
        schemas[name]["anyOf"] = named
    # that it is of this century
    day = "(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    pattern = f"^20(0[1-9]|[1-9][0-9])-{day}T{time}(Z|[+-]0[0-9]:[0-5][0-9])$"
    schemas["InstantInput"] = {"type": "string", "pattern": pattern}
    schemas["UsageRequest"]["anyOf"] = [{"required": ["events"]}, {"maxProperties": 0}]


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Let ids be of something: among all of them hardly one is.

    And write numbers as we take them. To JSON Schema 7.0 is an integer, and it cannot
    count decimals.
    """
    case.path_parameters = _sensible(case.path_parameters)
    case.query = _sensible(case.query)
    if isinstance(case.body, dict):
        case.body = _sensible(case.body)


def _sensible(value, name=None):
    if isinstance(value, dict):
        return {key: _sensible(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_sensible(item) for item in value]
    if name in IDS and _is_id(str(value)):
        return IDS[name]
    if name in DAYS_AHEAD and DAY.fullmatch(str(value)):
        return (date.today() + timedelta(DAYS_AHEAD[name])).isoformat()
    if isinstance(value, float) and name in NUMBERS:
        return round(value, DECIMALS)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _is_id(text):
    return text.isascii() and text.isdigit() and 0 < int(text) < 2**31


@schemathesis.deserializer("application/pdf", "text/html")
def text(_context, response):
    """Latin-1 takes any byte."""
    return response.content.decode("latin-1")
