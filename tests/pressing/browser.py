"""One browser for many presses, each undone before the next."""

import json
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urljoin

from odoo.tests import HttpCase
from odoo.tests.common import (
    HOST,
    TEST_CURSOR_COOKIE_NAME,
    ChromeBrowser,
    release_test_lock,
)
from odoo.tools import mute_logger

SCRIPT = Path(__file__).with_name("press.js").read_text(encoding="utf-8")
READY = "odoo.isReady === true"


class PressingCase(HttpCase):
    """Odoo's ``browser_js`` starts a browser for each script, which cannot go back."""

    def setUp(self):
        super().setUp()
        self.browser = ChromeBrowser(self)
        self.addCleanup(self.browser.stop)
        self.console = []
        # It is told of each error of the console, and none ends the session.
        self.browser.error_checker = self.console.append
        self.startPatcher(patch.object(self, "http_request_key", "pressing"))
        self.browser.set_cookie(TEST_CURSOR_COOKIE_NAME, "pressing", "/", HOST)

    def sign_in(self, login, url="/odoo", ready=READY):
        """Open a page as a user."""
        self.authenticate(login, login, browser=self.browser)
        self.cr.flush()
        self.cr.clear()
        self.load(url, ready)

    def load(self, url="/odoo", ready=READY):
        with release_test_lock():
            self.browser.navigate_to(urljoin(self.base_url(), url), wait_stop=not ready)
            self.assertTrue(self.browser._wait_ready(ready), url)
            if ready == READY:
                self.evaluate(SCRIPT)

    def quiet(self):
        """No log of errors that are planted."""
        return mute_logger("odoo.http", f"{self._logger.name}.browser")

    def evaluate(self, expression):
        """The value of a script, of a promise what it is kept with."""
        answer = self.browser._websocket_request(
            "Runtime.evaluate",
            params={
                "expression": expression,
                "awaitPromise": True,
                "returnByValue": True,
            },
            timeout=60,
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            thrown = details.get("exception", {}).get("description")
            raise AssertionError(thrown or details["text"])
        return answer["result"].get("value")

    def press(self, target):
        """Open a page, press a button and answer what it asks, and undo it all.

        :param target: see ``pressed`` in press.js
        :return: what came of it: whether the button was ``found``, the ``calls`` and
            ``errors`` of the server, a ``dialog`` of an error, the urls ``opened`` and
            what the ``console`` says (dict)
        """
        self.env.flush_all()
        self.env.transaction.clear()
        self.console.clear()
        savepoint = self.env.cr.savepoint()
        try:
            with release_test_lock():
                result = json.loads(self.evaluate(f"pressed({json.dumps(target)})"))
        except AssertionError as error:
            # Also an answer that leaves the page: nothing of ours does.
            result = {"found": False, "calls": [], "opened": [], "dialog": None}
            result["errors"] = [["", str(error)]]
            self.load()
        finally:
            savepoint.close(rollback=True)
            self.env.transaction.clear()
        # An error of the server is in ``errors``, with its name.
        result["console"] = [] if result["errors"] else [*self.console]
        return result
