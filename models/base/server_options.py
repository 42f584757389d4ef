"""Options that belong to the server, not to the database: odoo.conf, environment.

They stand in a section of their own, since Odoo warns about names it does not
know in ``[options]``::

    [fusion_centralized_billing]
    webhook_allow = localhost:8443
    webhook_ca_file = /etc/fusion/receiver-ca.pem
    secret_key = <32 bytes, base64, URL-safe alphabet>
"""

import configparser
import functools
import os
from pathlib import Path

from odoo.tools import config

SECTION = "fusion_centralized_billing"


@functools.lru_cache(maxsize=4)
def _read(path, _mtime):
    parser = configparser.RawConfigParser(strict=False)
    parser.read([path], encoding="utf-8")
    return dict(parser.items(SECTION)) if parser.has_section(SECTION) else {}


def get(name, default=""):
    """Return a server option as text.

    :param str name: an option of the section ``[fusion_centralized_billing]``
    :param str default: returned when odoo.conf does not have it
    """
    path = config["config"]
    if not path or not Path(path).is_file():
        return default
    return _read(path, os.stat(path).st_mtime_ns).get(name, default)
