"""Reading the body of a request, but not for as long as its sender likes."""

import contextlib
import selectors
import socket
import threading
import time

# A body has this long to get going, then it must have come at the least rate; and all
# of it must be there in the end. In seconds, and bytes a second.
GRACE = 5.0
LEAST_RATE = 64 * 1024
LAST = 60.0

_CHUNK = 256 * 1024
_SMALL = 64 * 1024
_lingering = threading.BoundedSemaphore(16)


class TooSlow(Exception):
    """The body did not come in time."""


def read_in_time(stream, connection, length, clock=time.monotonic):
    """Read a body that comes in time.

    :param stream: the ``io.BufferedReader`` of the connection, which may hold a part
    :param connection: the ``socket.socket``
    :param int length: how many bytes the body has
    :param clock: gives seconds that only go up
    :return: bytes; fewer where the client has ended it
    :raises TooSlow: nothing more can be read from the connection then
    """
    parts, received, began = [], 0, clock()
    timeout = connection.gettimeout()
    connection.settimeout(0)  # what is there is taken; waiting is done by select
    try:
        # a client that is gone has come to an end, too
        with (
            contextlib.suppress(ConnectionError),
            selectors.DefaultSelector() as selector,
        ):
            selector.register(connection, selectors.EVENT_READ)
            while received < length:
                chunk = stream.read1(min(_CHUNK, length - received))
                if not chunk:
                    left = began + min(GRACE + received / LEAST_RATE, LAST) - clock()
                    if left <= 0 or not selector.select(left):
                        stop_reading(connection)
                        raise TooSlow
                    chunk = stream.read1(min(_CHUNK, length - received))
                    if not chunk:
                        break  # the client says that there is no more
                parts.append(chunk)
                received += len(chunk)
    finally:
        connection.settimeout(timeout)
    return b"".join(parts)


def stop_reading(connection):
    """Have whoever still reads from a connection find its end."""
    with contextlib.suppress(OSError):  # closed by now
        connection.shutdown(socket.SHUT_RD)


def leave_unread(connection, length):
    """Do not let a body that nobody wants be sent on and on.

    Werkzeug reads it to its end after the answer: a client that has not sent all of it
    would else not see that. A small one is on its way as a whole; a few large ones at a
    time have as long as any body has to get going.

    :param length: how many bytes (int) it has, or None
    """
    if length is not None and length <= _SMALL or not _lingering.acquire(False):
        stop_reading(connection)
        return
    timer = threading.Timer(GRACE, _end, [connection])
    timer.daemon = True
    timer.start()


def _end(connection):
    _lingering.release()
    stop_reading(connection)
