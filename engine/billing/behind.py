"""Which revisions of a window's rating charge an event."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Counted:
    """What one revision of a window has counted.

    :param key: id of the rating
    :param number: of the revision
    :param is_open: not on an invoice yet: it counts whatever is there
    :param is_released: its invoice was credited or taken back; a later one bills again
    :param until: id of the last event there was when it went on its invoice; None
        where it is open
    :param counted: numbers of the revisions whose amounts it takes as charged
    """

    key: int
    number: int
    is_open: bool
    is_released: bool
    until: int | None
    counted: tuple[int, ...]


def behind(
    event: int, revisions: Sequence[Counted], voided_after: int | None = None
) -> list[Counted]:
    """The revisions that have charged an event, and those that gave it back.

    Usage that comes late is not in the revisions before it. A revision that takes
    another's amount as charged does not charge the same events again. Of a revision
    that was released the next one that bills is in, too.

    :param event: its id
    :param revisions: of its window and metric
    :param voided_after: number of the last revision that was on an invoice when it was
        voided; None: it was not voided
    """
    ordered = sorted(revisions, key=lambda revision: revision.number)
    if voided_after is not None:
        later = [r for r in ordered if r.number > voided_after and not r.is_released]
        ordered = [r for r in ordered if r.number <= voided_after]
    found: list[Counted] = []
    for revision in ordered:
        if not revision.is_open and revision.until is not None:
            if revision.until < event:
                continue
        if any(one.number in revision.counted for one in found):
            continue
        found.append(revision)
        if not revision.is_released:
            break
    if voided_after is not None and found and not found[-1].is_released:
        found += later[:1]
    return found


def shares(revisions: Sequence[Counted]) -> list[tuple[int, int | None]]:
    """How the ids of events fall apart by what has counted them.

    :return: (above this id, up to this one; None: without an end)
    """
    ends = sorted({r.until for r in revisions if not r.is_open and r.until is not None})
    return list(zip([0, *ends], [*ends, None], strict=True))
