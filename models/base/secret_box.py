"""Encryption of secrets at rest.

The key lies outside the database, so that a dump, a replica or a copied
database gives no secret away: ``secret_key`` in odoo.conf, else the environment
variable ``FUSION_BILLING_SECRET_KEY``, else a file made on first use in Odoo's
data folder. A list of keys, separated by commas, decrypts with any of them and
encrypts with the first: that is how the key itself is replaced.
"""

import contextlib
import logging
import os
import stat
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo.exceptions import UserError
from odoo.tools import config

from . import server_options

_logger = logging.getLogger(__name__)

KEY_FILE = "fusion_billing_secret.key"


def key_file():
    """Where the key is kept (``Path``) that is given neither in odoo.conf nor in the
    environment."""
    return Path(config["data_dir"]) / KEY_FILE


def _key_file_text():
    path = key_file()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and linked: of two workers that start at once, one
        # link() succeeds and both then read the same, complete key.
        draft = path.with_name(f"{KEY_FILE}.{os.getpid()}.{os.urandom(4).hex()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(Fernet.generate_key())
                handle.flush()
                os.fsync(handle.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    with path.open(encoding="ascii") as handle:
        check_private(handle)
        return handle.read()


class Exposed(Exception):
    """Other users of the machine can read, or replace, what was to be a secret."""


def check_private(handle):
    """Refuse a file of a secret that is not its owner's alone.

    :param handle: the open file, so that what is checked is what is read
    :raises Exposed: it has rights for a group or for all, or belongs to somebody else
    """
    if os.name != "posix":
        return
    found = os.fstat(handle.fileno())
    is_ours = found.st_uid in (os.geteuid(), 0)
    if not is_ours or stat.S_IMODE(found.st_mode) & 0o077:
        raise Exposed(f"{found.st_mode & 0o777:03o}")


def check_at_start():
    """Say in the log when the key is not kept from other users of the machine."""
    if _given_key():
        return
    path = key_file()
    if not path.exists():
        return  # it is made when it is needed
    try:
        with path.open(encoding="ascii") as handle:
            check_private(handle)
    except Exposed:
        _logger.error(
            "Webhook secrets stay locked: the key file %s must belong to Odoo's user"
            " and be readable by nobody else. Make a new key if others may have read"
            " it, see docs/operations.md; else: chmod 600 %s",
            path,
            path,
        )
    except OSError as error:
        _logger.error("The key file %s cannot be read: %s", path, error.strerror)


def _given_key():
    """The key as odoo.conf or the environment has it (str), or none."""
    return server_options.get("secret_key") or os.environ.get(
        "FUSION_BILLING_SECRET_KEY"
    )


def _boxes(env):
    """A ``Fernet`` for each key, in order."""
    try:
        text = _given_key() or _key_file_text()
        return [Fernet(key.strip()) for key in text.split(",")]
    except ValueError as exc:
        raise UserError(
            env._(
                "The secret key of Fusion Billing is not 32 bytes in URL-safe "
                "base64. Correct secret_key in odoo.conf, section "
                "[fusion_centralized_billing], or the key file in Odoo's data "
                "folder."
            )
        ) from exc
    except Exposed as exc:
        raise UserError(
            env._(
                "The key file of Fusion Billing, %(name)s in Odoo's data folder, "
                "is not used: other users of the machine can read it (its mode is "
                "%(mode)s). It must belong to Odoo's user and have mode 600.",
                name=KEY_FILE,
                mode=str(exc),
            )
        ) from exc
    except OSError as exc:
        raise UserError(
            env._(
                "The key file of Fusion Billing, %(name)s in Odoo's data folder, "
                "cannot be read or written: %(problem)s.",
                name=KEY_FILE,
                problem=exc.strerror,
            )
        ) from exc


def encrypt(env, text):
    """Encrypt ``text`` (str); an empty text stays empty."""
    return _boxes(env)[0].encrypt(text.encode()).decode() if text else False


def decrypt(env, token):
    """Decrypt what :func:`encrypt` made.

    :raises UserError: the key that encrypted it is not configured
    """
    if not token:
        return False
    try:
        return MultiFernet(_boxes(env)).decrypt(token.encode()).decode()
    except InvalidToken as exc:
        raise UserError(
            env._(
                "A webhook secret cannot be decrypted: its key is missing. Restore "
                "the key (secret_key in odoo.conf, or the key file in Odoo's data "
                "folder), or enter the secret again."
            )
        ) from exc


def renew(env, token):
    """What :func:`encrypt` would make of the same text now; the token, if it did.

    :raises UserError: the key that encrypted it is not configured
    """
    with contextlib.suppress(InvalidToken):
        if not token or _boxes(env)[0].decrypt(token.encode()):
            return token
    return encrypt(env, decrypt(env, token))
