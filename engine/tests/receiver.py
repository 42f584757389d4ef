import contextlib
import socket
import ssl
import threading
from pathlib import Path

DATA = Path(__file__).parent / "data"
HOST = "hooks.sample-app.com"
LOOPBACK = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Receiver:
    """An HTTPS server for one connection, that answers as the test says.

    :param answer: bytes, or a function of the connection, called once the request
        is read
    :param certificate: file in ``data``; None: no TLS at all
    """

    def __init__(self, answer=OK, certificate="valid.pem"):
        self.request = b""
        self.connections = 0
        self._answer = answer
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(DATA / certificate)
            self._context.sni_callback = self._note_name
        self.server_name = None
        self._done = threading.Event()
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exc):
        self._done.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _note_name(self, _connection, name, _context):
        self.server_name = name

    def _serve(self):
        with contextlib.suppress(OSError):  # the client may hang up at any time
            connection, _address = self._listener.accept()
            self.connections += 1
            connection.settimeout(5)
            with contextlib.ExitStack() as opened:
                opened.enter_context(connection)
                if self._context:
                    connection = opened.enter_context(
                        self._context.wrap_socket(connection, server_side=True)
                    )
                    self._read_request(connection)
                if callable(self._answer):
                    self._answer(connection)
                else:
                    connection.sendall(self._answer)

    def _read_request(self, connection):
        while b"\r\n\r\n" not in self.request:
            self.request += connection.recv(65536)
        head, _end, body = self.request.partition(b"\r\n\r\n")
        [length] = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        while len(body) < length:
            piece = connection.recv(65536)
            self.request += piece
            body += piece

    def wait(self, _connection):
        """An answer that never comes."""
        self._done.wait(5)

    def drip(self, pieces):
        """An answer in pieces, one every 20 ms, until the client hangs up."""

        def answer(connection):
            for piece in pieces:
                if self._done.wait(0.02):
                    return
                connection.sendall(piece)

        return answer
