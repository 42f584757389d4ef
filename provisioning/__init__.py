"""Gets Odoo 19 and PostgreSQL onto a bare machine and runs things there.

Standard library only: this package runs before any virtual environment exists.
`workspace.Workspace` is the entry for other code (the demo, the benchmarks);
`cli.main` is the entry of the `./fcb` command.
"""
