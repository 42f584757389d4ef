import logging
import random
import ssl
import time
import uuid
from collections import defaultdict, namedtuple
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import backoff, egress, signing, transport
from ..engine.errors import BillingError
from . import server_options

_logger = logging.getLogger(__name__)

DEADLINE_S = 15.0
# Longer than any attempt can take, so that a lease ends only with its worker.
LEASE = timedelta(minutes=2)
# Services served at the same time; each is sent to by one thread.
THREADS = 16
# Events of one service in one round.
PER_SERVICE = 20
# How long events wait when the one before them got no answer.
PAUSE = timedelta(minutes=1)

Claim = namedtuple("Claim", "id token service url secret event_id event_type body")
Outcome = namedtuple("Outcome", "status error retry_after")
# Not sent: the receiver gave no answer to an earlier event of the same round.
SKIPPED = Outcome(None, None, None)


class FusionBillingWebhook(models.Model):
    """Delivery, at least once: claim with a lease, send, record.

    Claim and record are short transactions of their own, and none is open while
    a request is under way. A worker that dies in between leaves a lease that
    runs out; the event is then sent again under the same event id.
    """

    _inherit = "fusion.billing.webhook"

    @api.model
    def _cron_deliver(self):
        """Send what is due until nothing is, or the cron's time is up."""
        Cron = self.env["ir.cron"]
        while claims := self._claim():
            Cron._commit_progress()  # the leases must outlive a crash
            outcomes = self._send_all(claims)
            for claim, outcome in zip(claims, outcomes, strict=True):
                self._record(claim, outcome)
            if not Cron._commit_progress(len(claims), remaining=self._due_count()):
                break

    @api.model
    def _due_count(self):
        return self.search_count(self._due_domain(fields.Datetime.now()))

    @api.model
    def _due_domain(self, now):
        return [
            ("state", "=", "pending"),
            ("next_attempt_at", "<=", now),
            ("service_id.active", "=", True),
            ("service_id.webhook_url", "!=", False),
            "|",
            ("lease_expires_at", "=", False),
            ("lease_expires_at", "<=", now),
        ]

    @api.model
    def _claim(self):
        """Lease what is due, a bounded share for each service.

        :return: list of :class:`Claim`, holding all that sending needs
        """
        now = fields.Datetime.now()
        token = uuid.uuid4().hex
        self.flush_model()
        self.env.cr.execute(
            """
            WITH ranked AS (
                SELECT w.id, row_number() OVER (PARTITION BY w.service_id
                                                ORDER BY w.next_attempt_at, w.id) AS n
                  FROM fusion_billing_webhook w
                  JOIN fusion_billing_service s ON s.id = w.service_id
                 WHERE w.state = 'pending' AND w.next_attempt_at <= %(now)s
                   AND (w.lease_expires_at IS NULL OR w.lease_expires_at <= %(now)s)
                   AND s.active AND s.webhook_url IS NOT NULL
            ), due AS (
                SELECT id FROM fusion_billing_webhook
                 WHERE id IN (SELECT id FROM ranked WHERE n <= %(share)s)
                   FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE fusion_billing_webhook w
               SET lease_token = %(token)s, lease_expires_at = %(lease_end)s
              FROM due WHERE w.id = due.id
            RETURNING w.id
            """,
            {
                "now": now,
                "share": PER_SERVICE,
                "token": token,
                "lease_end": now + LEASE,
            },
        )
        webhooks = self.sudo().browse(sorted(row[0] for row in self.env.cr.fetchall()))
        webhooks.invalidate_recordset()
        secrets = {s: self._secret_of(s) for s in webhooks.service_id}
        return [
            Claim(
                id=webhook.id,
                token=token,
                service=webhook.service_id.id,
                url=webhook.service_id.webhook_url,
                secret=secrets[webhook.service_id],
                event_id=webhook.event_id,
                event_type=webhook.event_type,
                body=webhook.payload.encode(),
            )
            for webhook in webhooks
        ]

    @api.model
    def _secret_of(self, service):
        try:
            return service._webhook_secret() or None
        except UserError as exc:  # an unreadable secret stops its own service only
            _logger.error("Webhook secret of %s: %s", service.code, exc)
            return None

    @api.model
    def _send_all(self, claims):
        """Send with no transaction open; return outcomes in the order of the claims.

        One thread for each service: a receiver that is slow or dead holds up
        nobody but itself, and is asked once in a round, not twenty times.
        """
        allowed = self.env["fusion.billing.service"]._webhook_allow_list()
        context = ssl.create_default_context()
        if ca_file := server_options.get("webhook_ca_file"):
            context.load_verify_locations(ca_file)
        lanes = defaultdict(list)
        for claim in claims:
            lanes[claim.service].append(claim)
        outcomes = {}
        with ThreadPoolExecutor(max_workers=min(THREADS, len(lanes))) as pool:
            for sent in pool.map(
                lambda lane: _send_lane(lane, allowed, context), lanes.values()
            ):
                outcomes.update(sent)
        return [outcomes[claim.id] for claim in claims]

    def _record(self, claim, outcome):
        """Write what became of an attempt, if its lease is still ours.

        :param Claim claim: from :meth:`_claim`
        :param Outcome outcome: status is None where no answer came
        """
        webhook = self.sudo().browse(claim.id)
        if not webhook.exists() or webhook.lease_token != claim.token:
            return  # the lease ran out and another worker took over
        now = fields.Datetime.now()
        release = {"lease_token": False, "lease_expires_at": False}
        if outcome is SKIPPED:
            webhook.write(release | {"next_attempt_at": now + PAUSE})
            return
        attempts = webhook.attempts + 1
        first_attempt_at = webhook.first_attempt_at or now
        vals = release | {
            "attempts": attempts,
            "first_attempt_at": first_attempt_at,
            "last_status": outcome.status or 0,
            "last_error": outcome.error or False,
        }
        if outcome.status is not None and 200 <= outcome.status < 300:
            vals |= {"state": "sent", "sent_at": now, "last_error": False}
        elif backoff.give_up(attempts, first_attempt_at, now):
            vals |= {"state": "dead"}
        else:
            delay = backoff.next_delay(attempts, random.random(), outcome.retry_after)
            vals |= {"next_attempt_at": now + delay}
        webhook.write(vals)


def _send_lane(claims, allowed, context):
    """Send the events of one service, in order, until one gets no answer at all.

    :return: {claim id: :class:`Outcome`}
    """
    outcomes = {}
    for claim in claims:
        outcome = _send(claim, allowed, context)
        outcomes[claim.id] = outcome
        if outcome.status is None:
            break
    return {claim.id: outcomes.get(claim.id, SKIPPED) for claim in claims}


def _send(claim, allowed, context):
    """One attempt, outside every transaction. Returns an :class:`Outcome`."""
    if not claim.secret:
        # Unsigned, it would teach receivers to accept what anyone can send.
        return Outcome(None, "no webhook secret", None)
    try:
        target = egress.check_url(claim.url, allowed)
        headers = signing.delivery_headers(
            claim.event_id,
            claim.event_type,
            claim.body,
            [claim.secret],
            int(time.time()),
        )
        response = transport.post(
            target,
            claim.body,
            headers,
            resolver=transport.system_resolver,
            allowed=allowed,
            deadline_s=DEADLINE_S,
            ssl_context=context,
        )
    except BillingError as exc:
        return Outcome(None, exc.message, None)
    except transport.TransportError as exc:
        return Outcome(None, f"{exc.error_class}: {exc}", None)
    retry_after = backoff.parse_retry_after(
        response.headers.get("retry-after"), time.time()
    )
    error = None if 200 <= response.status < 300 else f"HTTP {response.status}"
    return Outcome(response.status, error, retry_after)
