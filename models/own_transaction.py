import contextlib


@contextlib.contextmanager
def own_transaction(env):
    """A cursor that commits on its own, whatever becomes of the request's transaction.

    One that only reads is ended first, so that no snapshot is held meanwhile.
    """
    if env.cr.readonly:
        env.cr.rollback()
    with env.registry.cursor() as cr:
        yield cr
