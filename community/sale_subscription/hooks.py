"""What happens when this module enters a database, and when it leaves."""

from pathlib import Path

from odoo.exceptions import UserError

import odoo.addons

MODULE = "sale_subscription"
OWN_FOLDER = Path(__file__).resolve().parent


def other_copies(addons_paths):
    """Return the folders in ``addons_paths`` that hold another `sale_subscription`.

    Symbolic links to this very folder are not another copy.

    :param addons_paths: iterable of str, the folders Odoo loads addons from
    :rtype: list[pathlib.Path]
    """
    manifests = (Path(path, MODULE, "__manifest__.py") for path in addons_paths)
    folders = {m.parent.resolve() for m in manifests if m.is_file()}
    return sorted(folders - {OWN_FOLDER})


def pre_init_hook(env):
    """Refuse to install where another `sale_subscription` can be found.

    Odoo takes the first module of a name on the addons path. A server whose path holds
    Odoo Enterprise would switch between two implementations, on one set of tables,
    with the order of that path.

    :raises UserError: another folder on the addons path holds the module
    """
    copies = other_copies(odoo.addons.__path__)
    if copies:
        raise UserError(
            env._(
                "Another module named sale_subscription is on the addons path: "
                "%(folders)s. This one replaces it on Odoo Community only. Remove "
                "the folder %(own)s from the addons path and install the other one.",
                folders=", ".join(map(str, copies)),
                own=OWN_FOLDER.parent,
            )
        )


def uninstall_hook(env):
    """Leave nothing behind that means something else without this module.

    A recurring price would be an ordinary one, for every sale of the product. What a
    subscription's terms were would be lost with their fields: a note keeps them.
    """
    prices = env["product.pricelist.item"].with_context(active_test=False)
    prices.search([("plan_id", "!=", False)]).unlink()
    _note_terms(env["sale.order"])
    # To-dos about what is gone, which would stay without a type.
    for name in ("payment", "run"):
        xmlid = f"{MODULE}.mail_activity_type_{name}_failed"
        activity_type = env.ref(xmlid, raise_if_not_found=False)
        env["mail.activity"].with_context(active_test=False).search(
            [("activity_type_id", "=", activity_type.id if activity_type else 0)]
        ).unlink()
    # Odoo deletes plans and reasons before these fields, and logs an error for every
    # one that is still in use.
    env.cr.execute(
        "UPDATE sale_order SET plan_id = NULL, close_reason_id = NULL"
        " WHERE plan_id IS NOT NULL OR close_reason_id IS NOT NULL"
    )
    env.invalidate_all()


def _note_terms(orders):
    """Write the terms of running and paused subscriptions into their chatter.

    :param orders: sale.order, any
    """
    running = orders.with_context(active_test=False).search(
        [("subscription_state", "in", ("3_progress", "4_paused"))]
    )
    states = dict(
        orders._fields["subscription_state"]._description_selection(orders.env)
    )
    running._message_log_batch(
        {
            order.id: orders.env._(
                "The module Subscriptions was uninstalled. Until then this was a "
                "subscription: %(plan)s, %(state)s, started on %(start)s, next "
                "invoice on %(next)s, monthly %(amount)s. From now on it is an "
                "ordinary order, and all invoices after the first one count as "
                "more than was ordered.",
                plan=order.plan_id.name,
                state=states[order.subscription_state],
                start=order.start_date,
                next=order.next_invoice_date,
                amount=order.currency_id.format(order.recurring_monthly),
            )
            for order in running
        }
    )
