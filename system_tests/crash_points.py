"""Where tests end a process: between what it writes, or sends."""

# point -> (model, method, before or after it, which call of it (1))
POINTS = {
    "usage stored, not answered": ("fusion.billing.usage", "_store", "after"),
    "queue read, not rated": ("fusion.billing.rating.queue", "_take", "after"),
    "rated, not on the lines": ("fusion.billing.order.lines", "_update", "before"),
    "rated, not invoiced": ("fusion.billing.window", "_settle", "before"),
    "invoiced, not settled": ("fusion.billing.documents", "_invoiced", "before"),
    "invoiced, not posted": ("account.move", "_post", "before"),
    "posted, not told": ("account.move", "_fc_emit_rating_closed", "before"),
    "posted, not committed": ("account.move", "_post", "after"),
    "released, not committed": ("fusion.billing.documents", "_release", "after"),
    "rows stored, not committed": (
        *("fusion.billing.usage.import", "_work_batch", "after"),
        2,
    ),
    "totals made, not committed": (
        *("fusion.billing.control.store", "_worst_states", "after"),
    ),
    "claimed, not committed": ("fusion.billing.webhook", "_claim", "after"),
    "leased, not sent": ("ir.cron", "_commit_progress", "after", 2),
    "sent, not recorded": ("fusion.billing.webhook", "_record", "before"),
    "recorded, not committed": ("fusion.billing.webhook", "_record_once", "after"),
}
