"""Subscriptions that renew each other, one after the other, and their windows."""

from ...engine.billing import windows


def root_of(order):
    """The first order of the chain of renewals that this one is of."""
    order = order.sudo()
    seen = order
    while parent := order.subscription_id:
        if parent in seen or not parent.is_subscription:
            break
        seen |= parent
        order = parent
    return order


def of_different_chains(orders):
    """Groups of orders, in their order, none with two of one chain of renewals.

    What is written of one changes what the others of its chain read.
    """
    groups = []
    for order in orders:
        root = root_of(order)
        free = (group for group in groups if root not in group)
        group = next(free, None)
        if group is None:
            groups.append(group := {})
        group[root] = order
    return [orders.browse(o.id for o in group.values()) for group in groups]


def chains_of(orders):
    """The windows of orders, and those of what they renew and were renewed by.

    The others are not an order's own to change: they stand as if they were settled.

    :return: {order: (its own, the others)}, engine ``Span``s in order of time
    """
    roots = {order: root_of(order) for order in orders}
    found = (
        orders.env["fusion.billing.window"]
        .sudo()
        .search(
            [
                "|",
                ("subscription_id", "in", orders.ids),
                ("root_id", "in", [root.id for root in roots.values()]),
            ],
            order="start",
        )
    )
    own, of_root = found.grouped("subscription_id"), found.grouped("root_id")
    return {
        order: (
            tuple(window._span() for window in own.get(order, ())),
            tuple(
                windows.replace(window._span(), is_fixed=True)
                for window in of_root.get(root, ())
                if window.subscription_id != order
            ),
        )
        for order, root in roots.items()
    }


def joined(own, others):
    """The windows of an order among those of its chain, in order of time."""
    if not others:
        return tuple(own)
    return tuple(sorted([*own, *others], key=lambda span: span.start))
