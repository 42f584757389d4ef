"""Reading the body of a request, but not for as long as its sender likes."""

import contextlib
import selectors
import socket
import threading
import time

# After GRACE seconds a body must have come at LEAST_RATE bytes a second on average, and
# after LAST seconds it must be complete.
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
    connection.settimeout(0)  # reads never wait: select does, with a time limit
    try:
        # a connection that broke counts as the end of the body
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
    """Shut the reading side: whoever reads on from the connection finds its end."""
    with contextlib.suppress(OSError):  # closed by now
        connection.shutdown(socket.SHUT_RD)


def leave_unread(connection, length):
    """Limit how long an unwanted body is read after the answer.

    Werkzeug reads it to its end, since a client that is still sending would else not
    see the answer. A small body has arrived anyhow. Of large ones, a few at a time are
    read for as long as a body has to get going; the others are cut off at once.

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
