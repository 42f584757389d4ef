"""What comes before a request of the API takes a worker's connection to the database.

Odoo takes one as soon as a request has come in, and has as many as ``db_maxconn``. An
app that sends slowly, or a hundred requests at once, would hold them all. So the body
is read first, while there is a limit to how long that takes, and then apps take turns.
Odoo has no hook there; see docs/decisions/0040.
"""

import contextlib
import io
import psycopg2
from psycopg2.pool import PoolError

from odoo import SUPERUSER_ID, api, http
from odoo.modules.registry import Registry
from odoo.tools import config

from ..engine.keys import hash_api_key, parse_bearer
from ..engine.turns import Crowded, Share, Turns
from . import slow_body
from .envelope import MAX_BODY, Refused, is_ours

# Of one app, in this process: requests that are under way, and bytes of their bodies.
MAX_REQUESTS = 128
MAX_BYTES = 8 * MAX_BODY
# How many of them are worked on at once, and for how long the others wait, in seconds.
AT_ONCE = 2
PATIENCE = 10.0

_STRANGER = None  # everybody without a good key

_requests = Share(MAX_REQUESTS)
_bytes = Share(MAX_BYTES)
# Some requests take a second connection for a moment; the backend needs some, too.
_turns = Turns(max(config["db_maxconn"] // 4, 1), AT_ONCE)
# The keys that were good when they were last used: (database, digest) -> service id.
# It decides about nothing but whose turn it is.
_known = {}


class Request(http.Request):
    """A request that, below the API's prefix, has its body before it is served."""

    def _serve_db(self):
        if not is_ours(self.httprequest.path):
            return super()._serve_db()
        try:
            party = _party(self)
            with _requests.hold(party), _read_ahead(self, party):
                with _turns.turn(party, PATIENCE):
                    return super()._serve_db()
        except (Crowded, PoolError):
            # said by an exception of Werkzeug's: others are written to the log
            raise Refused("busy") from None

    def _serve_nodb(self):
        if is_ours(self.httprequest.path):
            _leave_unread(self)
        return super()._serve_nodb()


http.Request = Request


def _party(request):
    """Whose request it is: what tells apps apart, or all those without a good key."""
    raw_key = parse_bearer(request.httprequest.headers.get("Authorization"))
    if not raw_key:
        return _STRANGER
    if (request.db, hash_api_key(raw_key)) not in _known:
        with _turns.turn(_STRANGER, PATIENCE):
            _look_up(request.db, raw_key)
    service = _known.get((request.db, hash_api_key(raw_key)))
    return (request.db, service) if service else _STRANGER


def _look_up(database, raw_key):
    """See whether a key is good that is new here; the connection is given back."""
    # where Odoo cannot reach the database, it says so later
    with contextlib.suppress(psycopg2.OperationalError, psycopg2.ProgrammingError):
        registry = Registry(database)
        if "fusion.billing.api.key" in registry:
            with registry.cursor(readonly=True) as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                key = env["fusion.billing.api.key"]._authenticate(raw_key)
                note_key(database, raw_key, key)


def note_key(database, raw_key, key):
    """Remember what became of a key, for its next request.

    :param str database: where it was tried
    :param str raw_key: the key as sent
    :param key: the ``fusion.billing.api.key`` that this is, or an empty set
    """
    if key:
        _known[database, hash_api_key(raw_key)] = key.service_id.id
    else:
        _known.pop((database, hash_api_key(raw_key)), None)


@contextlib.contextmanager
def _read_ahead(request, party):
    """Hold the body of a request, where somebody known sends one that can be good.

    :raises Refused: ``body_too_slow``
    :raises Crowded: the app has too much under way
    """
    environ = _environ(request)
    connection = environ.get("werkzeug.socket")  # of Odoo's own server
    length = request.httprequest.content_length
    if party is _STRANGER or length is None or length > MAX_BODY:
        _leave_unread(request)
        yield
    elif connection is None or not length:
        yield
    else:
        with _bytes.hold(party, length):
            try:
                body = slow_body.read_in_time(
                    environ["wsgi.input"], connection, length
                )
            except slow_body.TooSlow:
                raise Refused("body_too_slow") from None
            environ["wsgi.input"] = io.BytesIO(body)
            yield


def _leave_unread(request):
    """See to it that a body which nobody wants is not sent for ever."""
    connection = _environ(request).get("werkzeug.socket")
    if connection and request.httprequest.content_length != 0:
        slow_body.stop_reading_later(connection)


def _environ(request):
    # what Odoo hides of the environment; its websockets take it from there, too
    return request.httprequest._HTTPRequest__environ
