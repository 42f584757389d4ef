from dataclasses import dataclass
from typing import Annotated, Literal

from ...shape import Answer, Id


@dataclass(frozen=True)
class Customer(Answer):
    partner_id: Annotated[Id, "The customer in Odoo."]
    external_id: Annotated[str, "As you sent it."]
    contact: Annotated[
        Literal["written", "kept"],
        "Whether name and e-mail are yours to write: `kept` says that the customer has"
        " what it had.",
    ]


@dataclass(frozen=True)
class CustomerDetails(Answer):
    partner_id: Annotated[Id, "The customer in Odoo."]
    external_id: Annotated[str, "The account's id in your app."]
    name: Annotated[str | None, "As it stands on invoices."]
    email: Annotated[str | None, "Where invoices go."]
