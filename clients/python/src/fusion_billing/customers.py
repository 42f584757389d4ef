from __future__ import annotations

from .decode import decode
from .encode import path
from .results import Catalog, Customer, CustomerLink
from .routes import Routes, body_of


class CustomerRoutes(Routes):
    """Customers, and what can be sold to them."""

    def upsert_customer(
        self, external_id: str, name: str | None = None, email: str | None = None
    ) -> CustomerLink:
        """Create the customer of an account of yours, or change name and e-mail where
        they are given.

        :param email: "" takes away the one there is; None leaves it
        """
        body = body_of(external_id=external_id, name=name, email=email)
        return decode(CustomerLink, self._transport.call("POST", "/customers", body))

    def customer(self, external_id: str) -> Customer:
        """:raises NotFoundError: ``unknown_customer``"""
        route = path("customers", external_id)
        return decode(Customer, self._transport.call("GET", route))

    def catalog(self) -> Catalog:
        """The prices that are valid today or will be, metrics, and plans."""
        return decode(Catalog, self._transport.call("GET", "/catalog"))
