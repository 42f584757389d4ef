import json

from odoo import models
from odoo.fields import Domain

from ...engine.api import answers
from ...engine.api.query import DEFAULT_LIMIT
from ...engine.errors import BillingError, NotFoundError
from ...engine.webhook.event_types import TEST, TestData
from ..base.arrival import settled_id
from ..base.render import page_end


class FusionBillingApiEvents(models.AbstractModel):
    """The webhook events of a service: to fetch, to have sent again, to try out."""

    _name = "fusion.billing.api.events"
    _description = "API: Webhook Events"

    def _api_events(self, query):
        """One page of the events of this service, in the order they were written
        (``EventList``).

        :param dict query: values of the query parameters, see controllers/events.py
        """
        domain = Domain("service_id", "=", self.id)
        for name, field, operator in (
            ("type", "event_type", "="),
            ("state", "state", "="),
            ("created_from", "create_date", ">="),
            ("created_until", "create_date", "<"),
            ("cursor", "id", ">"),
        ):
            if name in query:
                domain &= Domain(field, operator, query[name])
        limit = query.get("limit", DEFAULT_LIMIT)
        Webhook = self.env["fusion.billing.webhook"].sudo()
        domain &= Domain("id", "<=", settled_id(self.env, Webhook._table))
        webhooks = Webhook.search(domain, order="id", limit=limit + 1)
        return answers.EventList(
            events=[
                answers.Event(
                    event_id=webhook.event_id,
                    event_type=webhook.event_type,
                    state=webhook.state,
                    attempts=webhook.attempts,
                    created_at=webhook.create_date.replace(microsecond=0),
                    payload=json.loads(webhook.payload),
                )
                for webhook in webhooks[:limit]
            ],
            **page_end("event", webhooks.ids, query),
        ).as_json()

    def _api_replay_event(self, event_id):
        """Have an event sent again, under the id it has (``EventState``).

        :raises NotFoundError: ``unknown_event``
        :raises BillingError: ``no_webhook_url``
        """
        webhook = self.env["fusion.billing.webhook"].sudo()
        if "\x00" not in event_id:  # PostgreSQL has no NUL
            webhook = webhook.search(
                [("service_id", "=", self.id), ("event_id", "=", event_id)]
            )
        if not webhook:
            raise NotFoundError("unknown_event", "unknown event")
        self._check_has_webhook_url()
        webhook.action_replay()
        return answers.EventState(webhook.event_id, webhook.state).as_json()

    def _api_test_webhook(self):
        """Send a ``webhook.test`` event (``EventState``).

        :raises BillingError: ``no_webhook_url``
        """
        self._check_has_webhook_url()
        webhook = self.env["fusion.billing.webhook"]._enqueue(
            self, TEST, TestData().as_json()
        )
        return answers.EventState(webhook.event_id, webhook.state).as_json()

    def _check_has_webhook_url(self):
        if not self.webhook_url:
            raise BillingError(
                "no_webhook_url", "the service has no webhook address to send to"
            )
