"""The transport against real sockets and real TLS, on loopback."""

import itertools
import os
import socket
import ssl
import threading
import time
import unittest
from unittest.mock import patch

from ..webhook.egress import Target
from ..webhook.transport import (
    MAX_RESPONSE,
    TransportError,
    post,
    system_resolver,
)
from .receiver import DATA, HOST, LOOPBACK, OK, Receiver

PUBLIC = "93.184.216.34"
BODY = '{"a":"é\r\n\\u0000"}'.encode()
SHORT = 0.15  # seconds, for what must run into its deadline


class TransportCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.context = ssl.create_default_context(cafile=str(DATA / "ca.pem"))

    def _post(self, port, addresses=(LOOPBACK,), *, host=HOST, **options):
        return post(
            Target(host, port, options.pop("path", "/hooks?a=b")),
            options.pop("body", BODY),
            options.pop("headers", {"webhook-id": "evt_1"}),
            **{
                "resolver": lambda _host, _port: list(addresses),
                "allowed": frozenset({(host, port)}),
                "deadline_s": 5,
                "ssl_context": self.context,
            }
            | options,
        )

    def _refusal(self, error_class, *args, **options):
        started = time.monotonic()
        with self.assertRaises(TransportError) as caught:
            self._post(*args, **options)
        self.assertEqual(caught.exception.error_class, error_class)
        self.assertTrue(str(caught.exception))
        return time.monotonic() - started


class TestRequest(TransportCase):
    def test_the_body_arrives_verbatim_and_the_headers_as_given(self):
        with Receiver() as receiver:
            response = self._post(receiver.port)
        self.assertEqual((response.status, response.head), (200, b"ok"))
        head, _end, body = receiver.request.partition(b"\r\n\r\n")
        self.assertEqual(body, BODY)
        self.assertEqual(
            head.decode().split("\r\n"),
            [
                "POST /hooks?a=b HTTP/1.1",
                f"Host: {HOST}:{receiver.port}",
                f"Content-Length: {len(BODY)}",
                "Accept-Encoding: identity",
                "Connection: close",
                "webhook-id: evt_1",
            ],
        )
        self.assertEqual(receiver.server_name, HOST)

    def test_a_large_body_arrives_whole(self):
        body = bytes(range(256)) * 4096  # 1 MiB
        with Receiver() as receiver:
            self._post(receiver.port, body=body)
        self.assertEqual(receiver.request.partition(b"\r\n\r\n")[2], body)

    def test_headers_cannot_carry_further_headers(self):
        for headers in ({"a": "b\r\nc: d"}, {"a\r\nb": "c"}, {"a:b": "c"}, {"a": "é"}):
            with self.subTest(headers=headers):
                self._refusal("protocol", 9, headers=headers)

    def test_proxies_of_the_environment_are_not_asked(self):
        names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY")
        with Receiver() as receiver, Receiver(certificate=None) as proxy:
            url = f"http://{LOOPBACK}:{proxy.port}"
            with patch.dict(os.environ, dict.fromkeys(names, url)):
                self._post(receiver.port)
            self.assertEqual((receiver.connections, proxy.connections), (1, 0))

    def test_a_redirect_is_an_answer_and_not_followed(self):
        with Receiver() as other:
            for status in (301, 302, 303, 307, 308):
                answer = (
                    f"HTTP/1.1 {status} Moved\r\nLocation: https://{HOST}:{other.port}/"
                    "\r\nContent-Length: 0\r\n\r\n"
                )
                with self.subTest(status=status):
                    with Receiver(answer.encode()) as receiver:
                        self.assertEqual(self._post(receiver.port).status, status)
            self.assertEqual(other.connections, 0)


class TestAddresses(TransportCase):
    def test_one_address_that_is_not_public_is_enough(self):
        for addresses in (
            [LOOPBACK],
            [PUBLIC, LOOPBACK],
            [LOOPBACK, PUBLIC],
            [PUBLIC] * 50 + ["10.0.0.1"],
            [PUBLIC, "::1"],
            [PUBLIC, "::ffff:127.0.0.1"],
            [PUBLIC, "fe80::1%lo"],
            [PUBLIC, "not an address"],
        ):
            with self.subTest(addresses=addresses), Receiver() as receiver:
                self._refusal(
                    "refused_address", receiver.port, addresses, allowed=frozenset()
                )
                self.assertEqual(receiver.connections, 0)

    def test_only_the_very_host_and_port_are_allowed(self):
        for allowed in (
            {("other.sample-app.com", 8443)},
            {(HOST, 443)},
            {(LOOPBACK, 8443)},
        ):
            with self.subTest(allowed=allowed):
                self._refusal("refused_address", 8443, allowed=frozenset(allowed))

    def test_a_literal_address_is_checked_and_not_resolved(self):
        for host in (LOOPBACK, "169.254.169.254", "::1"):
            with self.subTest(host=host):
                self._refusal(
                    "refused_address",
                    443,
                    host=host,
                    allowed=frozenset(),
                    resolver=lambda *_args: self.fail("resolved"),
                )

    def test_the_name_is_resolved_once(self):
        """Rebinding: a second answer would be connected to unchecked."""
        asked = []

        def resolver(host, port):
            asked.append((host, port))
            return [LOOPBACK] if len(asked) == 1 else ["10.0.0.1"]

        with Receiver() as receiver:
            self._post(receiver.port, resolver=resolver)
            self.assertEqual(asked, [(HOST, receiver.port)])
            self.assertEqual(receiver.connections, 1)

    def test_the_next_address_is_tried(self):
        with Receiver() as receiver:
            # nothing listens on 127.0.0.2 at this port
            response = self._post(receiver.port, ["127.0.0.2", LOOPBACK])
        self.assertEqual(response.status, 200)

    def test_a_name_without_addresses(self):
        def unknown(_host, _port):
            raise socket.gaierror(-2, "Name or service not known")

        def idna(_host, _port):
            raise UnicodeError("label too long")

        for resolver in (unknown, idna, lambda _host, _port: []):
            with self.subTest(resolver=resolver):
                self._refusal("resolve", 443, resolver=resolver)

    def test_a_name_server_that_does_not_answer(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def resolver(_host, _port):
            release.wait(5)
            return []

        took = self._refusal("timeout", 443, resolver=resolver, deadline_s=SHORT)
        self.assertLess(took, 1)

    def test_nobody_listens(self):
        with Receiver() as receiver:
            port = receiver.port
        self._refusal("connect", port)

    def test_the_system_resolver_gives_each_address_once(self):
        addresses = system_resolver("localhost", 443)
        self.assertIn(addresses[0], (LOOPBACK, "::1"))
        self.assertEqual(len(addresses), len(set(addresses)))


class TestTls(TransportCase):
    def test_certificates_that_are_refused(self):
        for certificate in ("expired.pem", "wrong_name.pem", "unknown_ca.pem"):
            with self.subTest(certificate=certificate):
                with Receiver(certificate=certificate) as receiver:
                    self._refusal("tls", receiver.port)
                    self.assertEqual(receiver.request, b"")

    def test_the_certificate_is_for_the_name_and_not_the_address(self):
        with Receiver() as receiver:
            self._refusal("tls", receiver.port, host=LOOPBACK)

    def test_a_context_that_does_not_verify_is_a_mistake_of_ours(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        for mode in (ssl.CERT_REQUIRED, ssl.CERT_NONE):
            context.verify_mode = mode
            with self.subTest(mode=mode), self.assertRaises(ValueError):
                self._post(443, ssl_context=context)

    def test_no_tls_at_all(self):
        with Receiver(OK, certificate=None) as receiver:
            self._refusal("tls", receiver.port)

    def test_the_handshake_breaks_off(self):
        with Receiver(b"", certificate=None) as receiver:
            with self.assertRaises(TransportError) as caught:
                self._post(receiver.port)
        self.assertIn(caught.exception.error_class, ("tls", "reset"))

    def test_the_handshake_stalls(self):
        receiver = Receiver(certificate=None)
        receiver._answer = receiver.wait
        with receiver:
            took = self._refusal("timeout", receiver.port, deadline_s=SHORT)
        self.assertLess(took, 1)


class TestAnswers(TransportCase):
    def test_dripped_headers_meet_the_one_deadline(self):
        for pieces in (
            (b"%c" % byte for byte in itertools.cycle(b"HTTP/1.1 200 OK")),
            itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"X: y\r\n")),
            itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
        ):
            receiver = Receiver()
            receiver._answer = receiver.drip(pieces)
            with self.subTest(pieces=pieces), receiver:
                took = self._refusal("timeout", receiver.port, deadline_s=SHORT)
                self.assertLess(took, 1)

    def test_no_answer_at_all(self):
        receiver = Receiver()
        receiver._answer = receiver.wait
        with receiver:
            took = self._refusal("timeout", receiver.port, deadline_s=SHORT)
        self.assertLess(took, 1)

    def test_a_dripped_body_is_a_success_within_the_deadline(self):
        receiver = Receiver()
        receiver._answer = receiver.drip(
            itertools.chain([b"HTTP/1.1 200 OK\r\n\r\n"], itertools.repeat(b"x"))
        )
        started = time.monotonic()
        with receiver:
            response = self._post(receiver.port, deadline_s=0.3)
        self.assertEqual(response.status, 200)
        self.assertLess(time.monotonic() - started, 1)

    def test_an_endless_body_is_cut(self):
        def endless(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65536)

        with Receiver(endless) as receiver:
            response = self._post(receiver.port)
        self.assertEqual(len(response.head), MAX_RESPONSE)

    def test_floods_are_refused(self):
        for flood in (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: y\r\n"):

            def answer(connection, flood=flood):
                connection.sendall(flood)
                while True:
                    connection.sendall(flood[-26:] * 1000)

            with self.subTest(flood=flood), Receiver(answer) as receiver:
                self._refusal("protocol", receiver.port)

    def test_a_success_with_a_broken_body_is_a_success(self):
        for answer in (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
            b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx",
            b"HTTP/1.1 204 No Content\r\nContent-Length: 10\r\n\r\n",
        ):
            with self.subTest(answer=answer), Receiver(answer) as receiver:
                self.assertIn(self._post(receiver.port).status, (200, 202, 204))

    def test_the_receiver_hangs_up_without_an_answer(self):
        with Receiver(b"") as receiver:
            self._refusal("protocol", receiver.port)

    def test_the_receiver_resets(self):
        def reset(connection):
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
            )

        with Receiver(reset) as receiver:
            with self.assertRaises(TransportError) as caught:
                self._post(receiver.port)
        self.assertIn(caught.exception.error_class, ("reset", "protocol"))

    def test_an_answer_given_before_the_body_was_read_counts(self):
        answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"

        def drain(connection):
            while connection.recv(65536):
                pass

        receiver = Receiver(drain)
        receiver._read_request = lambda connection: connection.sendall(answer)
        with receiver:
            response = self._post(receiver.port, body=b"x" * 2**20)
        self.assertEqual(response.status, 413)

    def test_a_receiver_that_does_not_read(self):
        receiver = Receiver()
        receiver._read_request = receiver.wait
        with receiver:
            took = self._refusal(
                "timeout", receiver.port, body=b"x" * 2**24, deadline_s=SHORT
            )
        self.assertLess(took, 1)

    def test_retry_after_is_passed_on(self):
        answer = b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"
        with Receiver(answer) as receiver:
            response = self._post(receiver.port)
        self.assertEqual(response.headers["retry-after"], "120")
