# The bases of a finding are registered before it.
# isort: off
from . import finding_life

# isort: on
from . import (
    audit,
    check,
    documents,
    events,
    faults,
    finding,
    items,
    ledger,
    links,
    outbox,
    prices,
    result,
    seal,
    usage,
    windows,
)
