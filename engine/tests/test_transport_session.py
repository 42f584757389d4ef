"""Connections that are kept, against real sockets and real TLS, on loopback."""

import contextlib
import socket
import ssl
import threading
import unittest

from ..webhook.egress import Target
from ..webhook.transport import MAX_AGE_S, Session, TransportError
from .receiver import DATA, HOST, LOOPBACK
from .test_transport import BODY, PUBLIC

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Receiver:
    """An HTTPS server for any number of connections, one after the other.

    :param script: one list for each connection: what it answers to each request on
        it, before it hangs up. Bytes, or None for no answer at all
    """

    def __init__(self, *script):
        self.requests = []  # (number of the connection, request)
        self._script = script
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(DATA / "valid.pem")
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exc):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self):
        for number, answers in enumerate(self._script):
            with contextlib.suppress(OSError):
                plain, _address = self._listener.accept()
                plain.settimeout(5)
                with self._context.wrap_socket(plain, server_side=True) as tls:
                    for answer in answers:
                        request = b""
                        while not request.endswith(BODY):
                            piece = tls.recv(65536)
                            if not piece:  # on to the next connection
                                raise ConnectionError
                            request += piece
                        self.requests.append((number, request))
                        if answer is not None:
                            tls.sendall(answer)

    @property
    def connections(self):
        return [number for number, _request in self.requests]


class TestSession(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.context = ssl.create_default_context(cafile=str(DATA / "ca.pem"))

    def setUp(self):
        super().setUp()
        self.addresses, self.now, self.resolved = [LOOPBACK], 0.0, 0

    def _resolve(self, _host, _port):
        self.resolved += 1
        return self.addresses

    def _session(self, receiver, allowed=True):
        session = Session(
            Target(HOST, receiver.port, "/hooks"),
            resolver=self._resolve,
            allowed=frozenset({(HOST, receiver.port)} if allowed else ()),
            ssl_context=self.context,
            clock=lambda: self.now,
        )
        self.addCleanup(session.close)
        return session

    def _statuses(self, session, count):
        return [session.post(BODY, {}, 5).status for _ in range(count)]

    def test_one_connection_for_many(self):
        with Receiver([OK] * 5) as receiver:
            session = self._session(receiver)
            self.assertEqual(self._statuses(session, 5), [200] * 5)
        self.assertEqual(receiver.connections, [0] * 5)
        self.assertEqual(self.resolved, 1)
        self.assertNotIn(b"Connection: close", receiver.requests[0][1])

    def test_answers_after_which_a_new_connection_is_made(self):
        for answer in (
            b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nConnection: keep-alive, Close\r\nContent-Length: 2"
            b"\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5"
            b"\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99999,
            b"HTTP/1.1 200 OK\r\n\r\n",
        ):
            with self.subTest(answer[:90]), Receiver([answer, OK], [OK]) as receiver:
                session = self._session(receiver)
                self.assertEqual(self._statuses(session, 2), [200, 200])
                self.assertEqual(receiver.connections, [0, 1])

    def test_an_answer_in_chunks_keeps_the_connection(self):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body in (b"0\r\n\r\n", b"2\r\nok\r\n0\r\nX-Trailer: a\r\n\r\n"):
            with self.subTest(body), Receiver([head + body] * 2) as receiver:
                statuses = self._statuses(self._session(receiver), 2)
                self.assertEqual(statuses, [200, 200])
                self.assertEqual(receiver.connections, [0, 0])

    def test_an_answer_without_a_body_keeps_the_connection(self):
        with Receiver([b"HTTP/1.1 204 No Content\r\n\r\n"] * 2) as receiver:
            self.assertEqual(self._statuses(self._session(receiver), 2), [204, 204])
        self.assertEqual(receiver.connections, [0, 0])

    def test_a_connection_that_was_closed_meanwhile_is_no_failure(self):
        """The receiver hangs up after each answer, without having said so."""
        with Receiver([OK], [OK], [OK]) as receiver:
            self.assertEqual(self._statuses(self._session(receiver), 3), [200] * 3)
        self.assertEqual(receiver.connections, [0, 1, 2])

    def test_closed_when_the_next_request_is_there(self):
        """It reads the request and hangs up: on a kept connection, asked once more."""
        with Receiver([OK, None], [OK]) as receiver:
            self.assertEqual(self._statuses(self._session(receiver), 2), [200, 200])
        self.assertEqual(receiver.connections, [0, 0, 1])

    def test_closed_on_a_new_connection_is_a_failure(self):
        with Receiver([None], [OK]) as receiver:
            session = self._session(receiver)
            with self.assertRaises(TransportError) as caught:
                session.post(BODY, {}, 5)
            self.assertEqual(caught.exception.error_class, "protocol")
            self.assertEqual(receiver.connections, [0])
            self.assertEqual(self._statuses(session, 1), [200])

    def test_half_an_answer_on_a_kept_connection_is_a_failure(self):
        """The receiver may have done its work: not sent again at once."""
        with Receiver([OK, b"HTTP/1.1 2"], [OK]) as receiver:
            session = self._session(receiver)
            self.assertEqual(self._statuses(session, 1), [200])
            with self.assertRaises(TransportError):
                session.post(BODY, {}, 5)
            self.assertEqual(receiver.connections, [0, 0])

    def test_an_answer_in_advance_is_not_taken_for_one(self):
        """What came before the request was sent cannot be its answer."""
        with Receiver([OK + OK], [OK]) as receiver:
            self.assertEqual(self._statuses(self._session(receiver), 2), [200, 200])
        self.assertEqual(receiver.connections, [0, 1])

    def test_the_address_is_looked_up_again_after_a_while(self):
        with Receiver([OK, OK], [OK]) as receiver:
            session = self._session(receiver)
            self._statuses(session, 1)
            self.now = MAX_AGE_S - 1
            self._statuses(session, 1)
            self.now = MAX_AGE_S
            self._statuses(session, 1)
        self.assertEqual(receiver.connections, [0, 0, 1])
        self.assertEqual(self.resolved, 2)

    def test_an_address_that_has_become_private_is_refused(self):
        with Receiver([OK]) as receiver:
            session = self._session(receiver, allowed=False)
            for addresses in ([LOOPBACK], [PUBLIC, LOOPBACK]):
                self.addresses = addresses
                with self.assertRaises(TransportError) as caught:
                    session.post(BODY, {}, 5)
                self.assertEqual(caught.exception.error_class, "refused_address")
        self.assertEqual(receiver.connections, [])
