"""Checks made before this module enters a database."""

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
                "Another module named sale_subscription is on the addons path:"
                " %(folders)s. This one stands in for it on Odoo Community only."
                " Remove the folder %(own)s from the addons path and install the"
                " other one.",
                folders=", ".join(map(str, copies)),
                own=OWN_FOLDER.parent,
            )
        )
