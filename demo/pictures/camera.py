"""Takes pictures of pages with a Chromium that it starts (a program).

Run by the Python that has Odoo's packages, for websocket-client and Pillow. Reads JSON
on its input: `browser` (program), `url` (of Odoo), `session` (its cookie), `folder`,
`seconds` (to wait for a page) and `pictures`, the fields of album.Picture, with paths
filled in. Writes JSON: picture -> what is wrong with it, empty where nothing is.
"""

import base64
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import websocket
from PIL import Image

# What is to be seen, and where the picture ends; None while the page is not there yet.
LOOK = """
(({until, words}) => {
    const broken = document.querySelector(
        ".o_error_dialog, .o_error_detail, .o_notification_manager .bg-danger"
    );
    const page = performance.getEntriesByType("navigation")[0];
    const inputs = [...document.querySelectorAll("input, textarea")];
    const text = [document.body.innerText, ...inputs.map((x) => x.value)].join("\\n");
    const ends = [...document.querySelectorAll(until)]
        .map((x) => x.getBoundingClientRect().bottom + window.scrollY);
    const charts = [...document.querySelectorAll("canvas")];
    return JSON.stringify({
        error: broken ? broken.innerText || "an error dialog" : "",
        status: page.responseStatus,
        missing: words.filter((word) => !text.includes(word)),
        end: ends.length ? Math.max(...ends) : 0,
        busy: document.querySelectorAll(".o_blockUI, .o_loading").length
            || document.readyState !== "complete"
            || [...document.images].some((image) => !image.complete),
        text: text.slice(0, 2000),
    });
})(%s)
"""
NOTHING = {"error": "", "status": 0, "missing": [], "end": 0, "busy": 1, "text": ""}
PRESS = """
(() => {
    const found = [...document.querySelectorAll(%s)];
    found.forEach((x) => x.click());
    return found.length > 0;
})()
"""


class Tab:
    """One page of the browser, told what to do by the DevTools protocol."""

    def __init__(self, address):
        # the browser answers only who claims to be no page of the Internet
        self.socket = websocket.create_connection(
            address, timeout=60, suppress_origin=True
        )
        self.number = 0

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def run(self, script):
        return self.call("Runtime.evaluate", expression=script)["result"].get("value")

    def size(self, width, height):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def take(self, picture, args):
        """Open a page and take its picture; return what is wrong, or nothing."""
        if picture["path"].startswith("/odoo/"):
            cookie = {"name": "session_id", "value": args["session"]}
            self.call("Network.setCookie", url=args["url"], **cookie)
        else:
            self.call("Network.clearBrowserCookies")  # customers have no login
        self.size(picture["width"], picture["height"])
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=args["url"] + picture["path"])
        seen = self.wait(picture, args["seconds"])
        if seen["error"] or seen["status"] != 200 or seen["missing"] or not seen["end"]:
            return json.dumps(seen)
        height = min(round(seen["end"]) + 12, picture["height"])
        shot = self.call(
            "Page.captureScreenshot",
            clip={
                **{"x": 0, "y": 0, "scale": 1},
                **{"width": picture["width"], "height": height},
            },
        )
        image = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
        image = image.quantize(128, dither=Image.Dither.NONE)
        image.save(Path(args["folder"], f"{picture['name']}.png"), optimize=True)
        return ""

    def wait(self, picture, seconds):
        """What is seen when the page has settled, or time is up."""
        deadline = time.monotonic() + seconds
        to_press = picture["click"]
        before, calm = None, 0
        while True:
            time.sleep(0.25)
            about = json.dumps({k: picture[k] for k in ("until", "words")})
            # nothing, while the browser goes from one page to the next
            seen = json.loads(self.run(LOOK % about) or "null") or NOTHING
            if seen["end"] and to_press and self.run(PRESS % json.dumps(to_press)):
                to_press = ""
                continue
            there = seen["end"] and not (to_press or seen["busy"])
            calm = calm + 1 if there and seen == before else 0
            before = seen
            # the same again: charts and sums have come; words may take longer
            if seen["error"] or calm >= (20 if seen["missing"] else 2):
                return seen
            if time.monotonic() > deadline:
                return seen | {"missing": [*seen["missing"], to_press or "a calm page"]}


def start(browser, profile):
    """Start Chromium; return the process and the address of its page."""
    process = subprocess.Popen(
        [
            *(browser, "--headless=new", "--no-sandbox", "--disable-gpu"),
            *("--hide-scrollbars", "--force-device-scale-factor=1", "--lang=en-US"),
            *("--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if "DevTools listening on " in line:
            return process, line.rpartition(" ")[2].strip()
    raise RuntimeError(f"{browser} does not start")


def open_tab(address):
    """A new page of the browser whose own address this is."""
    browser = Tab(address)
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    tab = Tab(f"{address.partition('/devtools/')[0]}/devtools/page/{target}")
    for domain in ("Page", "Network", "Runtime"):
        tab.call(f"{domain}.enable")
    return tab


def main():
    args = json.load(sys.stdin)
    wrong = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process, address = start(args["browser"], profile)
        try:
            tab = open_tab(address)
            for picture in args["pictures"]:
                wrong[picture["name"]] = tab.take(picture, args)
        finally:
            process.kill()
            process.wait()
    json.dump(wrong, sys.stdout)


if __name__ == "__main__":
    main()
