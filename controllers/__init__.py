from . import customers
from . import events
from . import invoices
from . import meta
from . import subscriptions
from . import usage
