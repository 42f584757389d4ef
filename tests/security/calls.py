"""Finding every method that RPC can reach, and calling it without letting it write."""

import inspect
from dataclasses import dataclass
from unittest.mock import patch

from psycopg2.errors import ReadOnlySqlTransaction

from odoo.exceptions import AccessError
from odoo.service.model import call_kw, get_public_method
from odoo.tools import mute_logger

from ..sweep import own_modules

# They tell of calls that were refused, or make no sense.
LOUD = ("odoo.sql_db", "odoo.addons.mail.models.mail_thread", "py.warnings")


def methods_of_ours(env, cls):
    """Names of the methods of a model that code of ours defines, or overrides."""
    ours = {f"odoo.addons.{module}" for module in own_modules(env)}
    names = set()
    for base in cls.mro():
        for name, value in vars(base).items():
            function = getattr(value, "__func__", value)
            if not name.startswith("_") and inspect.isfunction(function):
                # A method put on the model from elsewhere is where it was written.
                module = (function.__module__ or "").split(".")
                if ".".join(module[:3]) in ours:
                    names.add(name)
    return names


def public_methods(env, models=None):
    """All (model name, method name) of ours that a client may call."""
    found = []
    for model_name in models or env.registry:
        for name in methods_of_ours(env, env.registry[model_name]):
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
    ours = own_modules(env)
    return sorted(
        name for name, cls in env.registry.items() if cls._original_module in ours
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
