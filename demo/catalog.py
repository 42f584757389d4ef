"""The sample world of the demo: its apps, customers, plans and prices.

All of it is made up and named as sample data. Prices and quantities are decimal text;
amounts are in the currency of the demo company.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Charge:
    """The price of one metric on the plan of one app.

    :param aggregation: sum, max or unique: how events become the quantity of a month
    :param model: standard (in proportion) or package (a batch begun counts as full)
    :param quota: quantity of each month that costs nothing
    :param price: price of one batch
    :param batch: units in a batch
    """

    metric: str
    name: str
    unit: str
    aggregation: str
    model: str
    quota: str
    price: str
    batch: str


@dataclass(frozen=True)
class App:
    """A source app: its plan with a base fee, its charges and its customers.

    :param customers: the app's own ids of them
    """

    code: str
    name: str
    base_fee: str
    charges: tuple[Charge, ...]
    customers: tuple[str, ...]

    @property
    def plan(self) -> str:
        return f"{self.name} Monthly"

    def customer_name(self, customer: str) -> str:
        """Name shown in Odoo: `nexacloud-a` is "Sample Customer A (NexaCloud)"."""
        return f"Sample Customer {customer.rpartition('-')[2].upper()} ({self.name})"


def subscription_of(customer: str) -> str:
    """The app's own id of the one subscription a sample customer has."""
    return f"{customer}-subscription"


APPS = (
    App(
        code="nexacloud",
        name="NexaCloud",
        base_fee="49.00",
        charges=(
            Charge(
                metric="compute_hours",
                name="Compute hours",
                unit="hours",
                aggregation="sum",
                model="standard",
                quota="100",
                price="0.0475",
                batch="1",
            ),
            Charge(
                metric="storage_gb_hours",
                name="Storage",
                unit="GB-hours",
                aggregation="sum",
                model="standard",
                quota="0",
                price="0.13",
                batch="1000",
            ),
        ),
        customers=("nexacloud-a", "nexacloud-b", "nexacloud-c"),
    ),
    App(
        code="nexadesk",
        name="NexaDesk",
        base_fee="29.00",
        charges=(
            Charge(
                metric="tickets",
                name="Support tickets",
                unit="tickets",
                aggregation="sum",
                model="package",
                quota="100",
                price="12.50",
                batch="50",
            ),
            Charge(
                metric="agent_seats",
                name="Agent seats (peak)",
                unit="seats",
                aggregation="max",
                model="standard",
                quota="3",
                price="15.00",
                batch="1",
            ),
        ),
        customers=("nexadesk-a", "nexadesk-b"),
    ),
    App(
        code="nexamaps",
        name="NexaMaps",
        base_fee="19.90",
        charges=(
            Charge(
                metric="map_loads",
                name="Map loads",
                unit="loads",
                aggregation="sum",
                model="package",
                quota="1000",
                price="4.20",
                batch="1000",
            ),
            Charge(
                metric="tracked_devices",
                name="Tracked devices (distinct)",
                unit="devices",
                aggregation="unique",
                model="standard",
                quota="10",
                price="0.75",
                batch="1",
            ),
        ),
        customers=("nexamaps-a", "nexamaps-b"),
    ),
)
# Accounts of usage and of the tax on it, by their codes.
ACCOUNTS = {"revenue": "400900", "accrued": "101900", "tax": "251900"}
CHARGES = {charge.metric: charge for app in APPS for charge in app.charges}
BASE_FEES = {app.code: Decimal(app.base_fee) for app in APPS}


def as_json() -> list[dict]:
    """The apps as plain values, for the script that makes them in Odoo."""
    return [asdict(app) | {"plan": app.plan} for app in APPS]
