"""Uninstalls a module as its button does. `args`: `module`."""


def main(env, args):
    module = env["ir.module.module"].search([("name", "=", args["module"])])
    module.button_immediate_uninstall()


main(env, args)  # noqa: F821 (both are given by the shell)
