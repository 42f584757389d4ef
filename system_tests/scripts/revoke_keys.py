"""Revokes API keys. `args`: `keys` (ids)."""


def main(env, args):
    env["fusion.billing.api.key"].browse(args["keys"]).action_revoke()
    env.cr.commit()


main(env, args)  # noqa: F821 (both are given by the shell)
