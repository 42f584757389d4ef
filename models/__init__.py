# A model is registered after those that it lists as its bases.
# isort: off
from . import base
from . import overview
from . import queue
from . import subscription
from . import rating
from . import usage
from . import webhook
from . import api
from . import price
from . import service
from . import audit
from . import invoice
from . import portal
from . import accrual
from . import reconciliation
from . import control
from . import price_draft
from . import order
