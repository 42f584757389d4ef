"""Finding every method that RPC can reach, and calling it without letting it write."""

import inspect
from dataclasses import dataclass
from unittest.mock import patch

from psycopg2.errors import ReadOnlySqlTransaction

from odoo.exceptions import AccessError
from odoo.modules.module import Manifest
from odoo.service.model import call_kw, get_public_method
from odoo.tools import mute_logger

ADDON = "fusion_centralized_billing"
DROP_IN = "sale_subscription"
OWN_LICENSE = "LGPL-3"
# They tell of calls that were refused, or make no sense.
LOUD = ("odoo.sql_db", "odoo.addons.mail.models.mail_thread", "py.warnings")


def _is_ours(module_name):
    """Whether code of this Python module is the addon's or the drop-in's.

    On Enterprise ``sale_subscription`` is Odoo's.
    """
    parts = module_name.split(".")
    if parts[:2] != ["odoo", "addons"] or len(parts) < 3:
        return False
    if parts[2] == DROP_IN:
        return Manifest.for_addon(DROP_IN)["license"] == OWN_LICENSE
    return parts[2] == ADDON


def methods_of_ours(cls):
    """Names of the methods of a model that code of ours defines, or overrides."""
    names = set()
    for base in cls.mro():
        for name, value in vars(base).items():
            function = getattr(value, "__func__", value)
            if not name.startswith("_") and inspect.isfunction(function):
                # A method put on the model from elsewhere is where it was written.
                if _is_ours(function.__module__ or ""):
                    names.add(name)
    return names


def public_methods(env, models=None):
    """All (model name, method name) of ours that a client may call."""
    found = []
    for model_name in models or env.registry:
        for name in methods_of_ours(env.registry[model_name]):
            try:
                get_public_method(env[model_name], name)
            except (AccessError, AttributeError):
                continue  # private
            found.append((model_name, name))
    return sorted(found)


def inherited_methods(env, model_name):
    """Names of all public methods of a model, Odoo's own as well."""
    names = []
    for name in dir(env.registry[model_name]):
        try:
            get_public_method(env[model_name], name)
        except (AccessError, AttributeError):
            continue
        names.append(name)
    return names


def own_models(env):
    """Names of the models that code of ours made, with a table and without."""
    return sorted(
        name
        for name, cls in env.registry.items()
        if cls._original_module == ADDON
        or (cls._original_module == DROP_IN and _is_ours(f"odoo.addons.{DROP_IN}"))
    )


def required_parameters(env, model_name, method):
    """Names of what a method has to be given, besides the records."""
    signature = inspect.signature(get_public_method(env[model_name], method))
    return [
        parameter.name
        for parameter in list(signature.parameters.values())[1:]
        if parameter.default is parameter.empty
        and parameter.kind
        in (parameter.POSITIONAL_OR_KEYWORD, parameter.POSITIONAL_ONLY)
    ]


@dataclass
class Outcome:
    """What came of a call.

    :ivar wrote: the statement it tried to write with (str), or None
    :ivar text: everything the caller was told, the error included
    :ivar error: the exception, or None
    """

    wrote: str | None
    text: str
    error: Exception | None


def call(env, user, model_name, method, args, context=None):
    """Call a method as RPC does, in a transaction that cannot be written to.

    PostgreSQL itself refuses: also what comes as plain SQL, takes a lock or draws a
    number. So nothing is missed, not even where the method swallows the error.

    :param args: positional arguments; the ids first, but for a method of the model
    """
    refused = []
    cr = env.cr
    execute = cr.execute

    def watched(query, params=None, log_exceptions=True):
        try:
            return execute(query, params, log_exceptions=log_exceptions)
        except ReadOnlySqlTransaction:
            refused.append(" ".join(str(query).split())[:160])
            raise

    env.flush_all()
    env.invalidate_all()
    caller = env(user=user.id, su=False, context=dict(context or {}))
    savepoint = cr.savepoint()
    cr.execute("SET LOCAL transaction_read_only = on")
    result = error = None
    try:
        with patch.object(cr, "execute", watched), mute_logger(*LOUD):
            result = call_kw(caller[model_name], method, args, {})
            caller.flush_all()
    except Exception as exc:
        error = exc
    finally:
        savepoint.close(rollback=True)
    if isinstance(error, ReadOnlySqlTransaction) and not refused:
        refused.append(str(error))
    text = f"{result!r} {error}"
    return Outcome(refused[0] if refused else None, text, error)
