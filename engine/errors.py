"""The exceptions the engine raises on bad input."""


class BillingError(ValueError):
    """Input that was refused; ``str()`` of it is the message.

    :param str code: stable, for programs; a key of :data:`.api_errors.ERRORS` where
        the API can answer it
    :param str message: for people; never contains the refused value
    :param field: key of the input it is about (str), or None
    """

    def __init__(self, code: str, message: str, field: str | None = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


class NotFoundError(BillingError):
    """What the path of a request names is not there, or not for this service."""


class TooManyValues(BillingError):
    """A body with more values than its request can need; none was decoded.

    :ivar objects: how many objects there are among them, or a few more (int)
    """

    def __init__(self, objects: int):
        super().__init__("too_many_values", "too many values in one request")
        self.objects = objects
