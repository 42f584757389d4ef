"""The path of a request as it was sent.

WSGI hands over a path that is decoded already: there ``/subscriptions/team%2Fusage``, a
subscription that is called ``team/usage``, and ``/subscriptions/team/usage``, the usage
of ``team``, are the same.
"""

from urllib.parse import quote, unquote


def raw_path(httprequest):
    """The path with each segment percent-encoded in one way.

    :param httprequest: Odoo's; below servers that do not tell what was sent, a ``/``
        of its decoded path counts as one between segments
    :return: str; a segment that is not UTF-8 is ``%00``, which is no name of anything
    """
    sent = httprequest.environ.get("RAW_URI", "").partition("?")[0]
    if sent.partition("://")[0] in ("http", "https"):  # as a proxy may be sent it
        sent = "/" + sent.partition("://")[2].partition("/")[2]
    decoded = httprequest.path
    if unquote(sent).lstrip("/") != decoded.lstrip("/"):
        sent = quote(decoded)  # something between has rewritten it
    return "/".join(map(_segment, sent.split("/")))


def _segment(sent):
    try:
        return quote(unquote(sent, errors="strict"), safe="")
    except UnicodeDecodeError:
        return "%00"


def text_of(encoded):
    """What a part of :func:`raw_path` says; slashes that were not encoded stay."""
    return unquote(encoded)
