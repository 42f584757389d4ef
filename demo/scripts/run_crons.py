"""Runs scheduled actions now, in the order given, as the "Run Manually" button does.

`args`: `crons`, a list of xml ids.
"""


def main(env, args):
    for xmlid in args["crons"]:
        env.ref(xmlid).method_direct_trigger()
        env.cr.commit()


main(env, args)  # noqa: F821 (both are given by the shell)
