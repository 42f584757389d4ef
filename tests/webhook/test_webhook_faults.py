import contextlib
import itertools
import socket
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from ...engine.tests.receiver import DATA, HOST, LOOPBACK, OK, Receiver
from ...engine.webhook import signing, transport
from ...models.base import server_options
from ...models.webhook import sender as webhook_sender
from .webhook_case import SECRET, WebhookCase

PUBLIC = "93.184.216.34"
PRIVATE = "10.0.0.1"
NOON = datetime(2026, 1, 10, 12)


def answer(status, headers=""):
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: 0\r\n\r\n".encode()


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def flood(piece):
    def answer(connection):
        while True:
            connection.sendall(piece)

    return answer


class FaultCase(WebhookCase):
    """Receivers over real sockets and TLS, by the whole road from outbox to attempt."""

    def setUp(self):
        super().setUp()
        self.service.webhook_url = False
        self.opened = self.enterContext(contextlib.ExitStack())
        self.resolved = {HOST: [LOOPBACK]}
        self.allowed = []
        self.numbers = itertools.count(1)
        self.enterContext(patch.object(server_options, "get", self._option))
        self.enterContext(patch.object(transport, "system_resolver", self._resolve))

    def _option(self, name, default=""):
        options = {
            "webhook_allow": ",".join(self.allowed),
            "webhook_ca_file": str(DATA / "ca.pem"),
        }
        return options.get(name, default)

    def _resolve(self, host, _port):
        addresses = self.resolved[host]
        if not addresses:
            raise OSError("unknown name")
        # a list of lists: another answer each time
        return addresses.pop(0) if isinstance(addresses[0], list) else addresses

    def _event(self, url):
        """An event that goes to an address."""
        service = self._create_service(
            code=f"fault-{next(self.numbers)}", webhook_url=url, webhook_secret=SECRET
        )
        return self.env["fusion.billing.webhook"]._enqueue(service, "webhook.test", {})

    def _allow(self, port):
        self.allowed.append(f"{HOST}:{port}")
        return f"https://{HOST}:{port}/hooks"

    def _event_to(self, *args, **options):
        """An event, and the ``Receiver`` it goes to."""
        receiver = self.opened.enter_context(Receiver(*args, **options))
        return self._event(self._allow(receiver.port))

    def _send(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                "fusion_centralized_billing.cron_deliver_webhooks"
            ).method_direct_trigger()

    def _assert_failed(self, event, error, status=0):
        self.assertEqual((event.state, event.last_status), ("pending", status))
        self.assertRegex(event.last_error, error)
        self.assertEqual(event.attempt_ids.error, event.last_error)
        self.assertEqual(
            event.attempt_ids.result, "refused" if status else "unreachable"
        )


@tagged("post_install", "-at_install")
class TestWebhookFaults(FaultCase):
    def test_no_answer_that_counts(self):
        with socket.create_server((LOOPBACK, 0)) as listener:
            closed = listener.getsockname()[1]
        faults = {
            "refused": (self._event(self._allow(closed)), "connect: "),
            "reset": (self._event_to(reset), "(reset|protocol): "),
            "silence": (self._event_to(b""), "(reset|protocol): "),
            "no HTTP": (self._event_to(b"SSH-2.0\r\n\r\n"), "protocol: "),
            "another protocol": (self._event_to(answer(101)), "protocol: "),
            "flood of 100": (
                self._event_to(flood(b"HTTP/1.1 100 Continue\r\n\r\n")),
                "protocol: ",
            ),
            "flood of headers": (
                self._event_to(flood(b"HTTP/1.1 200 OK\r\nX: y\r\n")),
                "protocol: ",
            ),
            "expired": (self._event_to(certificate="expired.pem"), "tls: .*expired"),
            "other name": (self._event_to(certificate="wrong_name.pem"), "tls: "),
            "self-signed": (self._event_to(certificate="unknown_ca.pem"), "tls: "),
            "no TLS": (self._event_to(OK, certificate=None), "tls: "),
        }
        self._send()
        for name, (event, error) in faults.items():
            with self.subTest(name):
                self._assert_failed(event, error)

    def test_no_answer_in_time(self):
        drips = [
            (b"%c" % byte for byte in itertools.cycle(b"HTTP/1.1 200 OK")),
            itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"X: y\r\n")),
        ]
        events = []
        for pieces in drips:
            receiver = Receiver()
            receiver._answer = receiver.drip(pieces)
            self.opened.enter_context(receiver)
            events.append(self._event(self._allow(receiver.port)))
        for options in ({}, {"certificate": None}):  # mute; in the handshake, too
            receiver = Receiver(**options)
            receiver._answer = receiver.wait
            self.opened.enter_context(receiver)
            events.append(self._event(self._allow(receiver.port)))
        with patch.object(webhook_sender, "DEADLINE_S", 0.5):
            self._send()
        for number, event in enumerate(events):
            with self.subTest(number):
                self._assert_failed(event, "timeout: ")

    def test_answers_that_are_bounded_or_broken(self):
        bomb = b"\x1f\x8b" + b"\0" * 100_000
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
        events = [
            self._event_to(flood(head + b"\r\n" + b"x" * 65536)),
            self._event_to(head + b"Content-Length: 100002\r\n\r\n" + bomb),
            self._event_to(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort"),
        ]
        self._send()
        for event in events:
            self.assertEqual((event.state, event.last_status), ("sent", 200))
            self.assertLessEqual(len(event.attempt_ids.response_head), 1024)
        self.assertEqual(events[2].attempt_ids.response_head, "short")

    def test_every_family_of_answers(self):
        sent = {200, 201, 204, 226, 299}
        failed = {300, 301, 302, 304, 307, 400, 401, 403, 404, 408, 413, 429, 451}
        failed |= {500, 502, 503, 504, 599}
        elsewhere = self._event_to(OK)  # where redirects lead
        url = elsewhere.service_id.webhook_url
        elsewhere.state = "sent"
        events = {
            status: self._event_to(answer(status, f"Location: {url}\r\n"))
            for status in sent | failed | {410}
        }
        self._send()
        for status in sent:
            self.assertEqual(events[status].state, "sent", status)
        for status in failed | {410}:
            with self.subTest(status):
                self._assert_failed(events[status], f"HTTP {status}", status)
        self.assertEqual(events[410].service_id.webhook_health, "disabled")
        self.assertFalse(elsewhere.attempt_ids)

    def test_when_it_is_sent_again(self):
        now = datetime.now(timezone.utc)
        in_an_hour, an_hour_ago = (
            format_datetime(now + timedelta(hours=hours), usegmt=True)
            for hours in (1, -1)
        )
        minutes = {
            None: 2,
            "600": 10,
            in_an_hour: 60,
            an_hour_ago: 2,
            "0": 2,
            "-5": 2,
            "soon": 2,
            "1e99": 2,
            "99999999999": 1024,
        }
        events = {
            value: self._event_to(
                answer(503, f"Retry-After: {value}\r\n" if value else "")
            )
            for value in minutes
        }
        self._send()
        begin = now.replace(tzinfo=None)
        for value, number in minutes.items():
            with self.subTest(value):
                delay = events[value].next_attempt_at - begin
                # begun up to a second later or noted up to a minute later
                self.assertGreaterEqual(delay, timedelta(minutes=number, seconds=-1))
                self.assertLessEqual(delay, timedelta(minutes=number * 1.1 + 1))


@tagged("post_install", "-at_install")
class TestWebhookNames(FaultCase):
    """What the name of a receiver resolves to, at each connection."""

    def _due(self, event):
        event.next_attempt_at = datetime(2026, 1, 1)

    def test_addresses_that_are_not_public(self):
        for addresses in ([PRIVATE], [PUBLIC, PRIVATE], ["::1"], ["169.254.169.254"]):
            with self.subTest(addresses):
                self.resolved["app.sample-app.com"] = addresses
                event = self._event("https://app.sample-app.com/hooks")
                with patch.object(transport, "_connect") as connect:
                    self._send()
                connect.assert_not_called()
                self._assert_failed(event, "refused_address: ")
                event.service_id.active = False

    def test_it_changes_between_the_check_and_the_connection(self):
        """The name server says a public address first and a private one then: it is
        asked once, and what it said is connected to."""
        self.resolved["app.sample-app.com"] = [[PUBLIC], [PRIVATE]]
        event = self._event("https://app.sample-app.com/hooks")
        asked = []

        def connect(addresses, _port, _deadline):
            asked.append(addresses)
            raise transport.TransportError("connect", "not from a test")

        with patch.object(transport, "_connect", connect):
            self._send()
            self.assertEqual(asked, [[PUBLIC]])
            self._due(event)
            self._send()
        self.assertEqual(asked, [[PUBLIC]])
        self.assertIn("refused_address", event.last_error)

    def test_a_name_that_is_known_again(self):
        self.resolved[HOST] = []
        event = self._event_to(OK)
        self._send()
        self._assert_failed(event, "resolve: ")
        self.resolved[HOST] = [LOOPBACK]
        self._due(event)
        self._send()
        self.assertEqual(event.state, "sent")


@tagged("post_install", "-at_install")
class TestWebhookChanges(FaultCase):
    """The clock or the service changes while events wait."""

    def test_the_clock_jumps_ahead_and_back(self):
        with freeze_time(NOON):
            event = self._event_to(answer(503))
        with freeze_time(NOON + timedelta(days=2), tick=True):
            self._send()
        self.assertEqual((event.state, event.attempts), ("pending", 1))
        self.assertFalse(event.lease_token)
        # Back again: two days are longer than any wait, so it is due.
        event.service_id.webhook_url = self._allow(
            self.opened.enter_context(Receiver()).port
        )
        with freeze_time(NOON, tick=True):
            self._send()
        self.assertEqual((event.state, event.attempts), ("sent", 2))

    def test_a_wait_of_a_right_clock_is_waited_for(self):
        with freeze_time(NOON, tick=True):
            event = self._event_to(answer(503, "Retry-After: 99999999\r\n"))
            self._send()
            due = event.next_attempt_at
            self.assertGreaterEqual(due, NOON + timedelta(minutes=1024))
            self._send()
        self.assertEqual((event.attempts, event.next_attempt_at), (1, due))

    def test_a_pause_of_a_clock_that_was_ahead(self):
        with freeze_time(NOON, tick=True):
            event = self._event_to(OK)
            event.service_id.webhook_failures = 5
            event.service_id.webhook_paused_until = NOON + timedelta(days=365)
            self._send()
        self.assertEqual(event.state, "sent")
        self.assertFalse(event.service_id.webhook_paused_until)

    def test_a_lease_of_a_worker_that_died_when_the_clock_was_ahead(self):
        Webhook = self.env["fusion.billing.webhook"]
        with freeze_time(NOON):
            event = self._event_to(OK)
        with freeze_time(NOON + timedelta(days=365)):
            self.assertEqual(len(Webhook._claim(Webhook._receivers_now())), 1)
        with freeze_time(NOON, tick=True):
            self._send()
        self.assertEqual((event.state, event.attempts), ("sent", 1))

    def test_a_lease_of_a_clock_that_was_ahead(self):
        Webhook = self.env["fusion.billing.webhook"]
        with freeze_time(NOON):
            event = self._event_to(OK)
        with freeze_time(NOON + timedelta(minutes=30)):
            [claim] = Webhook._claim(Webhook._receivers_now())
            done = webhook_sender.Outcome(200, None)
        with freeze_time(NOON):
            Webhook._record_once([(claim, done)])
        self.assertEqual((event.state, event.sent_at), ("sent", NOON))

    def test_address_and_secret_are_those_of_the_moment(self):
        event = self._event_to(answer(503))
        self._send()
        receiver = self.opened.enter_context(Receiver())
        event.service_id.webhook_url = self._allow(receiver.port)
        new = event.service_id._replace_webhook_secret(0)
        event.next_attempt_at = datetime(2026, 1, 1)
        self._send()
        self.assertEqual(event.state, "sent")
        body = event.payload.encode()
        signature = signing.fusion_signature(new, body)
        self.assertIn(signature.encode(), receiver.request)

    def test_archived_on_the_way(self):
        """What is under way is noted; the rest waits until the service is active."""
        service = self._event_to(OK).service_id
        waiting = self.env["fusion.billing.webhook"]._enqueue_all(
            [(service, "webhook.test", {})] * 20
        )
        events = service.webhook_ids
        self.assertEqual(len(events), 21)

        Webhook = type(waiting)
        record = Webhook._record

        def record_and_archive(model, done):
            stopped = record(model, done)
            service.with_env(model.env).active = False
            return stopped

        with patch.object(Webhook, "_record", record_and_archive):
            self._run_cron(lambda *_args: self._answer(200))
        self.env.invalidate_all()
        sent = events.filtered(lambda event: event.state == "sent")
        self.assertGreater(len(sent), 0)
        self.assertLess(len(sent), len(events))
        self.assertFalse(any(events.mapped("lease_token")))
        self.assertFalse(any((events - sent).mapped("attempts")))
        service.active = True
        self._run_cron(lambda *_args: self._answer(200))
        self.assertEqual({*waiting.mapped("state")}, {"sent"})
