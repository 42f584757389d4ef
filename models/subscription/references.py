from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from ...engine.api.reference import reference_id, reference_in_text
from ...engine.errors import BillingError, NotFoundError
from ...engine.postgres.text import array_literal, text_array_literal

# What is read of a subscription to record its usage, in one query.
INGESTION_FIELDS = [
    "is_subscription",
    "fc_external_id",
    "fc_service_id",
    "start_date",
    "last_invoice_date",
    "next_invoice_date",
    "end_date",
    "state",
    "subscription_state",
    "company_id",
    "plan_id",
]


class FusionBillingReferences(models.AbstractModel):
    """Which subscriptions a service may touch, and how it names them."""

    _name = "fusion.billing.references"
    _description = "Subscriptions of a Source App"

    def _subscription_domain(self):
        """The subscriptions that this service may touch: those of its customers.

        Where a customer has several apps, a subscription that one of them made is that
        app's alone; one that was entered in Odoo is open to all of them.
        """
        self.ensure_one()
        return (
            Domain("is_subscription", "=", True)
            & Domain("company_id", "=", self.company_id.id)
            & Domain("fc_service_id", "in", (False, self.id))
            & self._linked_partner_domain("partner_id")
        )

    def _subscriptions_by_reference(self, references):
        """The subscriptions that are meant, of those this service may touch.

        A text is what the app calls one; where it has never named any by an id of its
        own, Odoo's id in decimal text. A number is Odoo's id.

        :param references: see engine/api/reference.py
        :return: dict of text or number -> ``sale.order``; a pair counts as its parts
        """
        parts = set()
        for reference in references:
            parts.update(reference if isinstance(reference, tuple) else (reference,))
        if not parts:
            return {}
        number_of = {part: number for part in parts if (number := reference_id(part))}
        names = [part for part in parts if isinstance(part, str)]
        # What _subscription_domain() says, written out: most of the time of a small
        # request went into building its query.
        Order = self.env["sale.order"].sudo()
        Order.flush_model(["fc_service_id", "fc_external_id", "partner_id"])
        self.env["fusion.billing.account.link"].flush_model()
        self.flush_model(["uses_external_ids"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT o.id, (SELECT s.uses_external_ids FROM fusion_billing_service s
                               WHERE s.id = %(service)s)
                  FROM sale_order o
                  JOIN res_partner p ON p.id = o.partner_id
                 WHERE (o.id = ANY(%(ids)s::int[])
                        OR (o.fc_service_id = %(service)s
                            AND o.fc_external_id = ANY(%(names)s::text[])))
                   AND o.company_id = %(company)s
                   AND (o.fc_service_id IS NULL OR o.fc_service_id = %(service)s)
                   AND EXISTS (SELECT FROM fusion_billing_account_link l
                                WHERE l.service_id = %(service)s
                                  AND l.partner_id IN (p.id, p.commercial_partner_id))
                """,
                ids=array_literal(set(number_of.values())),
                names=text_array_literal(names),
                service=self.id,
                company=self.company_id.id,
            )
        )
        orders = Order.browse(order_id for order_id, _own_ids in rows)
        orders.fetch(INGESTION_FIELDS)
        orders = orders.filtered("is_subscription")
        # Read with the orders: an instant later the first own id may be there.
        uses_own_ids = any(own_ids for _order_id, own_ids in rows)
        by_id = {order.id: order for order in orders}
        found = {
            part: by_id[number]
            for part, number in number_of.items()
            if number in by_id and not (uses_own_ids and isinstance(part, str))
        }
        # An external id that looks like a number is still the app's own name.
        wanted = set(names)
        found.update(
            (order.fc_external_id, order)
            for order in orders
            if order.fc_external_id in wanted and order.fc_service_id == self
        )
        return found

    def _referenced_subscription(self, found, reference):
        """The subscription that a reference means.

        :param found: as :meth:`_subscriptions_by_reference` returns it
        :raises BillingError: ``unknown_subscription``,
            ``invalid_subscription_external_id`` where a service without names of its
            own sends a text that is no id of Odoo's, or ``subscription_mismatch``
            where name and id mean two
        """
        if isinstance(reference, tuple):
            by_name, by_id = (
                self._referenced_subscription(found, part) for part in reference
            )
            if by_name != by_id:
                raise BillingError(
                    "subscription_mismatch",
                    "subscription_external_id and subscription_id mean two"
                    " subscriptions; give one of them",
                    "subscription_id",
                )
            return by_name
        if (order := found.get(reference)) is not None:
            return order
        code, text = "unknown_subscription", "unknown subscription"
        field = "subscription_external_id"
        if isinstance(reference, int):
            field = "subscription_id"
        elif reference_id(reference) is None and not self.uses_external_ids:
            code = "invalid_subscription_external_id"
            text = "invalid subscription_external_id"
        raise BillingError(code, text, field)

    def _subscription_in_path(self, reference):
        """The subscription that a path names.

        :param str reference: what the app calls it, or ``id:`` and Odoo's id
        :raises NotFoundError: ``unknown_subscription``
        """
        return self._subscription_named(reference, NotFoundError)

    def _subscription_named(self, text, error=BillingError, field=None):
        found = {}
        reference = reference_in_text(text)
        if _is_storable(text):
            found = self._subscriptions_by_reference({reference})
        try:
            return self._referenced_subscription(found, reference)
        except BillingError:
            raise error("unknown_subscription", "unknown subscription", field) from None

    def _with_renewals(self, order):
        """A subscription and what it was renewed into, one after the other.

        The app goes on naming the one it knows; what it asks for is the whole.
        """
        successors = self._all_successors(order)
        chain = order
        while order := successors.get(order):
            chain |= order
        return chain

    def _all_successors(self, orders):
        """Renewals of these orders, and of the renewals: dict of order -> renewal."""
        successors = {}
        level = self.env["sale.order"].concat(*orders)
        Succession = self.env["fusion.billing.succession"]
        while found := Succession._successors(level):
            renewals = self.env["sale.order"].concat(*found.values())
            level = renewals.filtered_domain(self._subscription_domain())
            level -= self.env["sale.order"].concat(*successors)
            successors |= {o: r for o, r in found.items() if r in level}
        return successors


def _is_storable(text):
    """PostgreSQL has no NUL; nothing that contains one can be a name."""
    return "\x00" not in text
