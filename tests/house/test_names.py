from pathlib import Path

from odoo.tests import BaseCase, tagged
from odoo.tools import file_path

import odoo.addons

from ..names import Member, members


def clashes(ours, theirs):
    """What has the name of something else on the same model, and takes its place."""
    known = {}
    for member in theirs:
        known.setdefault((member.model, member.name), set()).add(member.place)
    return {
        f"{member.model}.{member.name} of {member.place}:"
        f" {', '.join(sorted(known[member.model, member.name]))}"
        for member in ours
        if (member.model, member.name) in known and not member.calls_super
    }


@tagged("post_install", "-at_install")
class TestNames(BaseCase):
    """With Timesheets installed no subscription was invoiced: a helper of ours had the
    name of one of theirs, and other parameters.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        root = Path(file_path("fusion_centralized_billing/__manifest__.py")).parent
        beside = [path.parent for path in root.glob("community/*/__manifest__.py")]
        cls.own = {"fusion_centralized_billing", *(folder.name for folder in beside)}
        cls.ours = members(root).union(*map(members, beside))

    def test_nothing_takes_the_place_of_something_of_odoo(self):
        """In any of its modules, installed or not."""
        models = {member.model for member in self.ours}
        theirs, count = set(), 0
        for folder in map(Path, odoo.addons.__path__):
            for manifest in sorted(folder.glob("*/__manifest__.py")):
                if manifest.parent.name not in self.own:
                    theirs |= members(manifest.parent, models)
                    count += 1
        self.assertGreater(count, 300)
        self.assertEqual(clashes(self.ours, theirs), set())

    def test_a_clash_is_found(self):
        theirs = {Member("sale.order.line", "_helper", False, "other/line.py")}
        planted = Member("sale.order.line", "_helper", False, "ours/line.py")
        self.assertTrue(clashes({planted}, theirs))
        self.assertFalse(clashes({planted._replace(calls_super=True)}, theirs))
        self.assertFalse(clashes({planted._replace(model="sale.order")}, theirs))

    def test_what_is_compared(self):
        """Fields, methods, and what mixins add to the models that have them."""
        names = {(member.model, member.name) for member in self.ours}
        for model, name in (
            ("sale.order", "fc_service_id"),
            ("sale.order.line", "_prepare_invoice_line"),
            ("sale.order", "_fc_check_own_links"),  # of a mixin
            ("account.move", "button_draft"),
        ):
            self.assertIn((model, name), names)
