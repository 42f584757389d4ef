import logging
import math
import random
import time
import uuid
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from operator import attrgetter

from psycopg2.extensions import TransactionRollbackError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...engine.webhook import backoff
from ...engine.webhook.dispatcher import PER_LANE, Dispatcher
from ..base.own_transaction import begin_read_committed
from .receiver import MAX_PAUSE
from .sender import DEADLINE_S, UNSENT, Claim, Outcome, Receiver, Sender

_logger = logging.getLogger(__name__)

# How long a claimed event is ours. An attempt is not begun any more when it could end
# after that; the event is given back instead.
LEASE = timedelta(minutes=2)
# How often results are recorded and more is claimed.
ROUND_S = 0.25
RECORD_TRIES = 5


class FusionBillingWebhookDelivery(models.AbstractModel):
    """Delivery, at least once: claim with a lease, send, record.

    Claim and record are short transactions of their own, and none is open while
    a request is under way. A worker that dies in between leaves a lease that
    runs out; the event is then sent again under the same event id.
    """

    _name = "fusion.billing.webhook.delivery"
    _description = "Delivery of Webhooks"

    @api.model
    def _cron_deliver(self):
        """Send what is due until nothing is, or the cron's time is up."""
        Cron = self.env["ir.cron"]
        begin_read_committed(self.env.cr)  # what others lease meanwhile is passed over
        self._forget_wrong_clock()
        sender = Sender(
            self.env["fusion.billing.webhook.endpoint"]._webhook_allow_list()
        )
        time_left = Cron._commit_progress(remaining=self._due_count())
        with (
            sender,
            Dispatcher(sender.send, is_good=attrgetter("is_delivered")) as dispatcher,
        ):
            receivers, end = {}, math.inf
            # When its time is up the job still waits for the requests to slow receivers
            # that are under way, and goes on serving the others meanwhile.
            while time_left or (dispatcher.is_held_up and time.monotonic() < end):
                known, receivers = receivers, self._receivers_now()
                for service in known:
                    if known[service] != receivers.get(service):
                        # Its address or secret is another one, or it was archived:
                        # events that wait here are given back, to be claimed anew.
                        self._release(dispatcher.withdraw(service))
                room = dispatcher.room(beside_slow=not time_left)
                claims = self._claim(receivers, room)
                time_left = Cron._commit_progress()  # the leases must outlive a crash
                if not time_left:
                    end = min(end, time.monotonic() + DEADLINE_S)
                dispatcher.offer((claim.service, claim) for claim in claims)
                if not dispatcher.is_busy:
                    break
                done = dispatcher.results(ROUND_S)
                for service in self._record(done):
                    self._release(dispatcher.withdraw(service))
            self._release(dispatcher.close())
            self._record(dispatcher.results(0))
        Cron._commit_progress(remaining=self._due_count())

    @api.model
    def _forget_wrong_clock(self):
        """Make due at once what is planned further ahead than any schedule goes.

        It was planned while the server's clock was wrong.
        """
        now = fields.Datetime.now()
        Endpoint = self.env["fusion.billing.webhook.endpoint"].sudo()
        Endpoint.search(
            [("webhook_paused_until", ">", now + MAX_PAUSE)]
        ).webhook_paused_until = now
        services = self._receivers()
        self.flush_model()
        self.env.cr.execute(
            """
            UPDATE fusion_billing_webhook
               SET next_attempt_at = LEAST(next_attempt_at, %(now)s),
                   lease_token = NULL, lease_expires_at = NULL
             WHERE id IN (
                   SELECT id FROM fusion_billing_webhook
                    WHERE service_id = ANY(%(services)s) AND state = 'pending'
                      AND (next_attempt_at > %(latest)s
                           OR (next_attempt_at <= %(now)s
                               -- another worker may have leased one this moment
                               AND lease_expires_at > %(now)s + 2 * %(lease)s))
                      FOR NO KEY UPDATE SKIP LOCKED)
            """,
            {
                "now": now,
                "services": services.ids,
                "latest": now + backoff.LONGEST_DELAY,
                "lease": LEASE,
            },
        )
        self.invalidate_model()

    @api.model
    def _due_count(self):
        return self.search_count(
            [
                ("state", "=", "pending"),
                ("next_attempt_at", "<=", fields.Datetime.now()),
                ("service_id", "in", self._receivers().ids),
                "|",
                ("lease_expires_at", "=", False),
                ("lease_expires_at", "<=", fields.Datetime.now()),
            ]
        )

    @api.model
    def _receivers(self):
        """The services that are sent to now."""
        return (
            self.env["fusion.billing.service"]
            .sudo()
            .search(
                [
                    ("active", "=", True),
                    ("webhook_url", "!=", False),
                    ("webhook_disabled_at", "=", False),
                    "|",
                    ("webhook_paused_until", "=", False),
                    ("webhook_paused_until", "<=", fields.Datetime.now()),
                ]
            )
        )

    @api.model
    def _receivers_now(self):
        """Where the events of each service go at this moment.

        :return: dict, service id -> :class:`Receiver`
        """
        services = self._receivers()
        services.fetch(["webhook_url", "webhook_paused_until"])
        receivers = {}
        for service in services:
            secrets, problem = (), "no webhook secret"
            try:
                secrets = tuple(service._webhook_secrets())
            except UserError as exc:  # an unreadable secret stops its own service only
                problem = str(exc)
            receivers[service.id] = Receiver(
                service.webhook_url,
                secrets,
                problem,
                on_trial=bool(service.webhook_paused_until),
            )
        return receivers

    @api.model
    def _claim(self, receivers, room=None):
        """Lease what is due, of each service as much as there is room for.

        :param dict receivers: as :meth:`_receivers_now` has them
        :param dict room: service id -> how many events; ``PER_LANE`` where it has none
        :return: list of :class:`Claim`, holding all that sending needs
        """
        room = room or {}
        now = fields.Datetime.now()
        begin_until = time.monotonic() + LEASE.total_seconds() - DEADLINE_S
        share = {}
        for service, receiver in receivers.items():
            number = room.get(service, PER_LANE)
            if receiver.on_trial:  # a single event tries whether it is back
                number = 1 if number >= PER_LANE else 0
            if number:
                share[service] = number
        if not share:
            return []
        self.flush_model()
        token = uuid.uuid4().hex
        rows = self.env.execute_query(
            SQL(
                """
                -- A CTE is evaluated once. In the FROM of the UPDATE it could be, in
                -- some plans, for each row again, and each time find other rows.
                WITH due AS MATERIALIZED (
                    SELECT w.id
                      FROM unnest(%(services)s, %(shares)s) AS room(service, share)
                     CROSS JOIN LATERAL (
                           SELECT id FROM fusion_billing_webhook
                            WHERE service_id = room.service AND state = 'pending'
                              AND next_attempt_at <= %(now)s
                              AND (lease_expires_at IS NULL
                                   OR lease_expires_at <= %(now)s)
                            ORDER BY next_attempt_at, id LIMIT room.share
                              FOR NO KEY UPDATE SKIP LOCKED) w)
                UPDATE fusion_billing_webhook w
                   SET lease_token = %(token)s, lease_expires_at = %(lease_end)s
                  FROM due
                 WHERE w.id = due.id
                RETURNING w.service_id, w.next_attempt_at, w.id, w.event_id,
                          w.event_type, w.payload, w.attempts, w.first_attempt_at
                """,
                now=now,
                services=[*share],
                shares=[*share.values()],
                token=token,
                lease_end=now + LEASE,
            )
        )
        self.invalidate_model(["lease_token", "lease_expires_at"])
        return self._claims(receivers, token, begin_until, rows)

    @api.model
    def _claims(self, receivers, token, begin_until, rows):
        """What was leased, as :class:`Claim`, the oldest of each service first."""
        return [
            Claim(
                webhook_id,
                token,
                service,
                receivers[service],
                event_id,
                event_type,
                payload.encode(),
                attempts,
                first_attempt_at,
                begin_until,
            )
            for (
                service,
                _due,
                webhook_id,
                event_id,
                event_type,
                payload,
                attempts,
                first_attempt_at,
            ) in sorted(rows)
        ]

    @api.model
    def _release(self, claims):
        """Give back leases of what was not sent: it is due as before."""
        if claims:
            self.env.cr.execute(
                """
                UPDATE fusion_billing_webhook
                   SET lease_token = NULL, lease_expires_at = NULL
                 WHERE id = ANY(%s) AND lease_token = ANY(%s)
                """,
                [[c.id for c in claims], [*{c.token for c in claims}]],
            )

    @api.model
    def _record(self, done):
        """Write what became of attempts whose lease is still ours, and commit.

        :param done: list of (:class:`Claim`, :class:`Outcome` or exception)
        :return: ids of the services that are to be sent nothing more for now
        """
        outcomes = []
        for claim, outcome in done:
            if isinstance(outcome, Exception):  # our own code failed, not the receiver
                _logger.error("Webhook %s", claim.event_id, exc_info=outcome)
                outcome = Outcome(None, f"internal: {type(outcome).__name__}")
            outcomes.append((claim, outcome))
        if not outcomes:
            return []
        for attempt in range(RECORD_TRIES):
            with suppress(TransactionRollbackError):
                stopped = self._record_once(outcomes)
                self.env["ir.cron"]._commit_progress(len(outcomes))
                return stopped
            # Somebody replayed one of them, or edits the service. Lost for good, they
            # would be sent again when their leases end.
            self.env.cr.rollback()
            time.sleep(random.random() * 0.1 * 2**attempt)
        _logger.warning("%s webhook attempts are not recorded: busy", len(outcomes))
        return []

    @api.model
    def _record_once(self, outcomes):
        now = fields.Datetime.now()
        self._release([claim for claim, outcome in outcomes if outcome is UNSENT])
        # By token, too: after a jump of the clock we may have leased one twice.
        sent = {(c.id, c.token): (c, o) for c, o in outcomes if o is not UNSENT}
        if not sent:
            return []
        rows = [self._recorded(claim, outcome, now) for claim, outcome in sent.values()]
        self.flush_model()
        ours = self.env.cr.execute_values(
            """
            UPDATE fusion_billing_webhook w
               SET state = v.state, attempts = v.attempts,
                   first_attempt_at = v.first_attempt_at::timestamp,
                   next_attempt_at = v.next_attempt_at::timestamp,
                   sent_at = v.sent_at::timestamp, last_status = v.last_status,
                   last_error = v.last_error, lease_token = NULL,
                   lease_expires_at = NULL, write_date = now() AT TIME ZONE 'UTC'
              FROM (VALUES %s) AS v(id, token, state, attempts, first_attempt_at,
                                    next_attempt_at, sent_at, last_status, last_error)
             WHERE w.id = v.id AND w.lease_token = v.token
            RETURNING v.id, v.token
            """,
            rows,
            page_size=1000,
            fetch=True,
        )
        self.invalidate_model()
        ours = [sent[key] for key in ours]
        self.env["fusion.billing.webhook.attempt"]._add(ours)
        stopped = []
        outcomes_of = defaultdict(list)
        for claim, outcome in ours:
            outcomes_of[claim.service].append((claim, outcome))
        for service_id, found in outcomes_of.items():
            service = self.env["fusion.billing.service"].sudo().browse(service_id)
            # An answer from the address of before says nothing of the present one.
            heard = [o for c, o in found if c.receiver.url == service.webhook_url]
            if heard and service._webhook_heard(heard):
                stopped.append(service_id)
        return stopped

    @api.model
    def _recorded(self, claim, outcome, now):
        """The new values of a row, in the order of the statement above."""
        attempts = claim.attempts + 1
        first_attempt_at = claim.first_attempt_at or now
        state, next_attempt_at, sent_at = "pending", now, None
        if outcome.is_delivered:
            state, sent_at = "sent", now
        elif backoff.give_up(attempts, first_attempt_at, now):
            state = "dead"
        else:
            next_attempt_at += backoff.next_delay(
                attempts, random.random(), outcome.retry_after
            )
        return (
            claim.id,
            claim.token,
            state,
            attempts,
            first_attempt_at,
            next_attempt_at,
            sent_at,
            outcome.status or 0,
            outcome.error,
        )
