"""Databases: a template with the standard modules, and quick copies of it."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import ProvisioningError
from .files import hard_link_tree, remove_tree
from .postgres import Connection
from .process import clean_env, run

TEMPLATE_PREFIX = "fcb_template_"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,50}")


class Databases:
    """Makes and drops databases together with their filestore."""

    def __init__(self, connection: Connection, data_dir: Path) -> None:
        self.connection = connection
        self.filestore = data_dir / "filestore"

    def sql(self, database: str, statement: str) -> str:
        """Run SQL; returns the rows, unaligned, without header.

        Raises ProvisioningError with the server's message.
        """
        return run(
            [
                *(
                    self.program("psql"),
                    "-X",
                    "-q",
                    "-A",
                    "-t",
                    "-v",
                    "ON_ERROR_STOP=1",
                ),
                *("-d", database, "-c", statement),
            ],
            what=f"SQL on database {database}",
            hint="Check PGHOST, PGPORT, PGUSER and PGPASSWORD; the user must be allowed"
            " to create databases.",
            env=clean_env(**self.connection.env()),
        ).strip()

    def program(self, name: str) -> str:
        """Path of a PostgreSQL client program."""
        beside = self.connection.bindir and self.connection.bindir / name
        found = str(beside) if beside and beside.exists() else shutil.which(name)
        if not found:
            raise ProvisioningError(
                f"The program {name} is missing.",
                "Install Debian's package postgresql-client.",
            )
        return found

    def exists(self, name: str) -> bool:
        check_name(name)
        query = f"SELECT 1 FROM pg_database WHERE datname = '{name}'"
        return self.sql("postgres", query) == "1"

    def drop(self, name: str) -> None:
        """Drop database and filestore, whether or not they exist."""
        check_name(name)
        self.sql("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        remove_tree(self.filestore / name)

    def copy(self, source: str, target: str) -> None:
        """Replace `target` by a copy of `source`, which nobody may be using."""
        self.drop(target)
        self.sql("postgres", f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
        if (self.filestore / source).is_dir():
            hard_link_tree(self.filestore / source, self.filestore / target)

    def template(self, key: str, build: Callable[[str], None]) -> str:
        """Name of the template for `key`, built by `build(name)` when missing.

        It gets its final name only when complete, so a killed run leaves nothing that
        would be taken for a template. Hold the lock.
        """
        name = TEMPLATE_PREFIX + key
        if self.exists(name):
            return name
        unfinished = f"{name}_new"
        self.drop(unfinished)
        build(unfinished)
        remove_tree(self.filestore / name)
        if (self.filestore / unfinished).exists():
            (self.filestore / unfinished).rename(self.filestore / name)
        self.sql("postgres", f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
        return name

    def templates(self) -> list[str]:
        """Names of our templates on this server."""
        query = "SELECT datname FROM pg_database ORDER BY 1"
        names = self.sql("postgres", query).splitlines()
        return [name for name in names if name.startswith(TEMPLATE_PREFIX)]


def check_name(name: str) -> str:
    """Refuse names that would need quoting in SQL, a shell or a path."""
    if not NAME.fullmatch(name):
        raise ProvisioningError(
            f"{name!r} is not a good database name.",
            "Use letters, digits, and the characters _ . -",
        )
    return name


def template_key(parts: Sequence[str]) -> str:
    """Key of a template: changes with anything that goes into it."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]
