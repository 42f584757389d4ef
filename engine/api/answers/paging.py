"""What all lists have in common."""

from typing import Annotated

IN_ORDER = "In order of arrival, which does not change."
HasMore = Annotated[bool, "Whether another page follows."]
NextCursor = Annotated[
    str | None,
    "The position after this page: give it back as `cursor`. On an empty page the one"
    " that was given, null without one.",
]
