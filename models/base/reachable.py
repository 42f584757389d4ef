"""Whether an address of this server itself answers."""

import contextlib
import threading
import urllib.request
from http.client import HTTPException

PATIENCE = 5.0  # seconds
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers_in_time(url):
    """Whether a GET of this address is answered with 200.

    In a thread of its own: looking up a name has no time limit, nor has an answer that
    comes byte by byte.

    :param str url: of an administrator's making; nothing is sent there
    """
    is_good = []

    def ask():
        # other statuses are an OSError, no address at all is a ValueError
        with (
            contextlib.suppress(OSError, ValueError, HTTPException),
            _OPENER.open(url, timeout=PATIENCE) as answer,
        ):
            is_good.append(answer.status == 200)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return any(is_good)
