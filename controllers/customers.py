from odoo import http

from ..engine.api import answers
from .openapi.operation import Link, Operation, Parameter, Request
from .openapi.values import an_object, ref
from .route import api_route

TAG = "Customers"

EXTERNAL_ID = Parameter("The account's id in your app.", "acc-1", ref("Text"))

SCHEMAS = {
    "CustomerRequest": an_object(
        {
            "external_id": ref("Text", "The account's id in your app."),
            "name": ref(
                "Text",
                "Changed where it is given; it cannot be cleared. A new customer"
                " without one is called by its id.",
            ),
            "email": ref("Email", "Changed where it is given; null clears it."),
        },
        optional=("name", "email"),
    ),
}

UPSERT_CUSTOMER = Operation(
    name="upsertCustomer",
    tag=TAG,
    summary="Create a customer, or change name and e-mail",
    description="""
Creates the customer the first time and afterwards updates `name` and `email` where
they are given; `null` clears the e-mail. Sending it twice, or twice at once, gives one
customer.

Name and e-mail are yours to write while the customer is yours alone: your app has
created it, nobody of that company has a login to Odoo or its portal, and no other app
is linked to it. Else they stay as they are, and the answer says `"contact": "kept"`.

An existing Odoo customer is never found by name or e-mail. To tie your account to
one, finance adds an account link in the backend.
""",
    request=Request(
        SCHEMAS,
        "CustomerRequest",
        {
            "A customer": {
                "external_id": "acc-1",
                "name": "Sample Customer",
                "email": "billing@example.com",
            }
        },
    ),
    answer=answers.Customer,
    example={
        "status": "ok",
        "partner_id": 7,
        "external_id": "acc-1",
        "contact": "written",
    },
    errors=(
        "invalid_payload",
        "missing_field",
        "invalid_external_id",
        "invalid_name",
        "invalid_email",
    ),
    links={
        "customer": Link("getCustomer", {"external_id": "$response.body#/external_id"}),
    },
)

GET_CUSTOMER = Operation(
    name="getCustomer",
    tag=TAG,
    summary="A customer",
    path={"external_id": EXTERNAL_ID},
    answer=answers.CustomerDetails,
    example={
        "status": "ok",
        "partner_id": 7,
        "external_id": "acc-1",
        "name": "Sample Customer",
        "email": "billing@example.com",
    },
    unknown_in_path="unknown_customer",
)


class CustomersApi(http.Controller):
    @api_route("POST", "/customers", "manage", UPSERT_CUSTOMER, read_committed=True)
    def upsert_customer(self, call):
        return call.service._upsert_customer(call.body())

    @api_route("GET", "/customers/<path:external_id>", "read", GET_CUSTOMER)
    def customer(self, call, external_id):
        return call.service._api_customer(external_id)
