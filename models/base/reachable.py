"""Whether an address of this server itself answers."""

import contextlib
import ssl
import threading
import urllib.request
from http.client import HTTPException

PATIENCE = 5.0  # seconds
# As wkhtmltopdf, which is to reach the address: it takes any certificate, so that the
# server's own can be one that only its network knows.
_ANY_CERTIFICATE = ssl.create_default_context()
_ANY_CERTIFICATE.check_hostname = False
_ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE
_OPENER = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),
    urllib.request.HTTPSHandler(context=_ANY_CERTIFICATE),
)


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
