"""Takes the pictures of the documentation: of the demo's month, in Chromium."""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict
from datetime import time
from http.cookies import SimpleCookie
from pathlib import Path

from provisioning import chromium
from provisioning.errors import ProvisioningError
from provisioning.process import clean_env
from provisioning.workspace import DEMO_DATABASE

from ..month import Month
from ..run import Demo, alone, today
from .album import ALBUM, Picture

HERE = Path(__file__).parent
FOLDER = Path("docs", "images")
LOGIN = "accountant@example.com"
SECONDS = 40  # that a page may take; the first one compiles the web assets


def main(workspace, argv: list[str]) -> int:
    """`./fcb pictures`; returns 0 when every picture was taken."""
    options = parse(argv)
    workspace.ensure()
    with alone(workspace):
        if not workspace.database_exists(DEMO_DATABASE):
            raise ProvisioningError(
                f"There is no database {DEMO_DATABASE} yet.", "Make it with ./fcb demo"
            )
        chosen = [p for p in ALBUM if p.name in options.name or not options.name]
        folder = workspace.repo / FOLDER
        wrong = take(workspace, DEMO_DATABASE, options.month, chosen, folder)
    for name, problem in wrong.items():
        print(f"{name}: {problem}")
    print(f"{len(chosen) - len(wrong)} pictures taken, {len(wrong)} not: {folder}")
    return bool(wrong)


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./fcb pictures", description=__doc__, epilog="The demo must have run."
    )
    names = [picture.name for picture in ALBUM]
    parser.add_argument(
        "name", nargs="*", choices=[*names, []], metavar="NAME", help=", ".join(names)
    )
    parser.add_argument(
        "--month",
        type=Month.parse,
        default=Month.before(today()),
        metavar="YYYY-MM",
        help="the month that the demo was run for, where one was given",
    )
    return parser.parse_args(argv)


def take(
    workspace, database: str, month: Month, pictures: Sequence[Picture], folder: Path
) -> dict[str, str]:
    """Take pictures of a copy of the demo's database.

    :param month: the one that the demo has billed
    :param folder: where the files go
    :return: picture -> what is wrong with it, of those that could not be taken
    """
    browser = chromium.get(workspace.progress, workspace.logs / "chromium.log")
    if not browser:
        raise ProvisioningError(
            "There is no Chromium to take pictures with.",
            "Install it, or set FCB_CHROMIUM to a Chrome.",
        )
    copy = f"{database}_pictures"
    password = secrets.token_urlsafe(16)
    output = workspace.run_dir / f"{copy}.json"
    clock = Demo.clock(month.end, time(9))
    try:
        with workspace.phase("Pictures: a copy of the demo is prepared"):
            workspace.databases.copy(database, copy)
            workspace.run_script(
                copy,
                HERE / "prepare.py",
                {
                    "start": str(month.start),
                    "end": str(month.end),
                    "login": LOGIN,
                    "password": password,
                    "output": str(output),
                },
                at=clock,
                name=copy,
            )
        found = json.loads(output.read_text(encoding="utf-8"))
        with workspace.phase("Pictures: Odoo starts"):
            server = workspace.start_server(copy, at=clock, name=f"{copy}-server")
        with server, workspace.phase(f"Pictures: {len(pictures)} are taken"):
            order = {
                "browser": str(browser),
                "url": server.url,
                "session": log_in(server.url, copy, password),
                "folder": str(folder),
                "seconds": SECONDS,
                "pictures": [
                    asdict(picture) | {"path": picture.path.format(**found)}
                    for picture in pictures
                ],
            }
            return shoot(workspace, order)
    finally:
        output.unlink(missing_ok=True)
        workspace.drop_database(copy)


def log_in(url: str, database: str, password: str) -> str:
    """The session of the user whose eyes we have."""
    params = {"db": database, "login": LOGIN, "password": password}
    request = urllib.request.Request(
        f"{url}/web/session/authenticate",
        json.dumps({"jsonrpc": "2.0", "params": params}).encode(),
        {"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=SECONDS) as answer:
        return SimpleCookie(answer.headers["Set-Cookie"])["session_id"].value


def shoot(workspace, order: dict) -> dict[str, str]:
    """Have the camera take what is ordered; see camera.py."""
    done = subprocess.run(
        [workspace.python, HERE / "camera.py"],
        input=json.dumps(order),
        capture_output=True,
        env=clean_env(),
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProvisioningError(
            f"The pictures could not be taken: {done.stderr.strip()[-2000:]}",
            "Another run may go well; else look at the browser's version.",
        )
    return {name: text for name, text in json.loads(done.stdout).items() if text}
