"""What `./fcb audit` makes of what the audit says."""

import json
import unittest

from .. import audit
from ..errors import ProvisioningError


def outcome(**values):
    return {
        "state": "clean",
        "violations": 0,
        "waiting": 0,
        "results": [
            {
                "name": "1. Each event is stored once",
                "checked": 12000,
                "subject": "events",
                "violations": 0,
                "error": None,
            }
        ],
        "findings": [],
        **values,
    }


class TestAudit(unittest.TestCase):
    def test_the_outcome_is_found_in_the_output(self):
        said = outcome()
        text = f"a warning\nFCB_AUDIT {json.dumps(said)}\n"
        self.assertEqual(audit.read(text), said)

    def test_no_outcome(self):
        with self.assertRaisesRegex(ProvisioningError, "no result"):
            audit.read("Traceback\n")

    def test_clean(self):
        text = audit.render(outcome())
        self.assertIn("1. Each event is stored once       12,000           0", text)
        self.assertTrue(text.endswith("agree."), text)

    def test_what_was_not_looked_at_is_no_agreement(self):
        for state, waiting, said in (
            ("nothing", 0, "Nothing was checked"),
            ("partial", 2, "not all was."),
        ):
            text = audit.render(outcome(state=state, waiting=waiting))
            self.assertIn(said, text.splitlines()[-1])
            self.assertNotIn("Clean", text)

    def test_findings(self):
        text = audit.render(
            outcome(
                state="violations",
                violations=3,
                waiting=2,
                findings=[{"invariant": "I1", "message": "The usage is not right."}],
            )
        )
        self.assertIn("I1   The usage is not right.", text)
        self.assertIn("and 2 more", text)
        self.assertIn("2 subscriptions have usage", text)
        self.assertTrue(text.endswith("3 violations."), text)
