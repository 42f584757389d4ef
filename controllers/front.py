"""What comes before a request of the API takes a worker's connection to the database.

Odoo takes one as soon as a request has come in, and has as many as ``db_maxconn``. An
app that sends slowly, or a hundred requests at once, would hold them all. So the body
is read first, while there is a limit to how long that takes, and then apps take turns.
Odoo has no hook there; see docs/decisions/0036.
"""

import contextlib
import io

import psycopg2
from psycopg2.pool import PoolError

from odoo import SUPERUSER_ID, api, http
from odoo.modules.registry import Registry
from odoo.tools import config

from ..engine.api.keys import hash_api_key, parse_bearer
from ..engine.api.turns import Crowded, Share, Turns
from . import slow_body
from .envelope import MAX_BODY, Refused, is_ours
from .raw_path import raw_path

# How many requests one app can have under way in this process, and how many bytes
# of bodies. A process has some 130 threads, by Odoo's limit for memory.
MAX_REQUESTS = 32
MAX_BYTES = 8 * MAX_BODY
# Of these, one is worked on at a time. Python does one thing at a time: with two, an
# app would leave another app a third of it. The others wait for up to PATIENCE seconds.
AT_ONCE = 1
PATIENCE = 10.0

_STRANGER = None  # everybody without a good key

_requests = Share(MAX_REQUESTS)
_bytes = Share(MAX_BYTES)
# Some requests take a second connection for a moment; the backend needs some, too.
_turns = Turns(max(config["db_maxconn"] // 4, 1), AT_ONCE)
# The keys that were good when they were last used, by their hash: (database, service
# id). It decides about nothing but whose turn it is.
_known = {}


class Request(http.Request):
    """A request that, below the API's prefix, has its body before it is served."""

    def _post_init(self):
        """Find out the database; where none is named, by asking PostgreSQL."""
        if not is_ours(self.httprequest.path):
            return super()._post_init()
        with _or_busy(self), _turns.turn(_party(self), PATIENCE):
            return super()._post_init()

    def _serve_db(self):
        if not is_ours(self.httprequest.path):
            return super()._serve_db()
        with _or_busy(self):
            _look_up_key(self)
            party = _party(self)
            with _requests.hold(party), _read_ahead(self, party):
                # a PDF file takes seconds, in which the app's usage goes on
                is_pdf = raw_path(self.httprequest).endswith("/pdf")
                with _turns.turn((party, is_pdf), PATIENCE):
                    return super()._serve_db()

    def _serve_nodb(self):
        if is_ours(self.httprequest.path):
            _leave_unread(self)
        return super()._serve_nodb()


http.Request = Request


@contextlib.contextmanager
def _or_busy(request):
    """Answer 503 where there is no place, or no connection to be had."""
    try:
        yield
    except (Crowded, PoolError):
        _leave_unread(request)
        # an exception of Werkzeug's: others are written to the log
        raise Refused("busy") from None


def _raw_key(request):
    return parse_bearer(request.httprequest.headers.get("Authorization"))


def _party(request):
    """Whose request it is: what tells apps apart, or all those without a good key."""
    raw_key = _raw_key(request)
    return _known.get(hash_api_key(raw_key), _STRANGER) if raw_key else _STRANGER


def _look_up_key(request):
    """Look up a key that this process does not know yet, and free the connection."""
    raw_key = _raw_key(request)
    if not raw_key or hash_api_key(raw_key) in _known:
        return
    # where Odoo cannot reach the database, it says so later
    unreachable = (psycopg2.OperationalError, psycopg2.ProgrammingError)
    with _turns.turn(_STRANGER, PATIENCE), contextlib.suppress(*unreachable):
        registry = Registry(request.db)
        if "fusion.billing.api.key" in registry:
            with registry.cursor(readonly=True) as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                key = env["fusion.billing.api.key"]._authenticate(raw_key)
                note_key(request.db, raw_key, key)


def note_key(database, raw_key, key):
    """Remember what became of a key, for its next request.

    :param str database: where it was tried
    :param str raw_key: the key as sent
    :param key: the ``fusion.billing.api.key`` that this is, or an empty set
    """
    if key:
        _known[hash_api_key(raw_key)] = database, key.service_id.id
    else:
        _known.pop(hash_api_key(raw_key), None)


@contextlib.contextmanager
def _read_ahead(request, party):
    """Hold the body of a request, where somebody known sends one that can be good.

    :raises Refused: ``body_too_slow``
    :raises Crowded: the app has too much under way
    """
    environ = _environ(request)
    connection = environ.get("werkzeug.socket")  # of Odoo's own server
    length = _length(request)
    if party is _STRANGER or length is None or length > MAX_BODY:
        _leave_unread(request)
        yield
    elif connection is None or not length:
        yield
    else:
        with _bytes.hold(party, length):
            try:
                body = slow_body.read_in_time(environ["wsgi.input"], connection, length)
            except slow_body.TooSlow:
                raise Refused("body_too_slow") from None
            environ["wsgi.input"] = io.BytesIO(body)
            yield


def _leave_unread(request):
    """See to it that a body which nobody wants is not sent for ever."""
    environ = _environ(request)
    connection, length = environ.get("werkzeug.socket"), _length(request)
    if connection and length != 0 and not isinstance(environ["wsgi.input"], io.BytesIO):
        slow_body.leave_unread(connection, length)


def _length(request):
    return request.httprequest.content_length


def _environ(request):
    # Odoo leaves the socket and the body out of its public copy of the environment. Its
    # own websockets take them from here, too.
    return request.httprequest._HTTPRequest__environ
