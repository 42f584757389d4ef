"""Changes of running subscriptions that set nothing else in motion.

Odoo's apps take a new line on a confirmed order, and a raised quantity, for something
more that was sold: they deliver it, buy it, make a task of it. They do so in their
overrides of ``create`` and ``write``. What joins a subscription from an upsell was
procured there already, what is credited or lowered is not to be procured at all, and
which apps are installed is not known here. So these changes are made below the
overrides of all apps, as Odoo makes those of computed fields.

Constraints, computed fields and access rights work as ever. The caller writes the MRR
log, whose own overrides are passed over, too. A locked order is changed all the same:
the lock is an override, and guards against people.
"""

from odoo.models import BaseModel


def create_quietly(lines, values_list):
    """Create order lines that nothing is procured for.

    :param lines: sale.order.line, of the environment to create in
    :param list[dict] values_list: complete values, as of `copy_data`
    :rtype: sale.order.line recordset
    """
    return BaseModel.create(lines, values_list)


def write_quietly(lines, values):
    """Change order lines without anything being procured, or taken back.

    :param lines: sale.order.line recordset
    :param dict values: as for `write`
    """
    BaseModel.write(lines, values)
