"""Makes the file of an invoice that is sent, as "Print & Send" does.

`args`: `invoice`, an id.
"""


def main(env, args):
    move = env["account.move"].browse(args["invoice"])
    env["account.move.send"]._generate_and_send_invoices(
        move, sending_methods=["manual"]
    )
    env.cr.commit()


main(env, args)  # noqa: F821 (both are given by the shell)
