# A model is registered after those that it lists as its bases.
# isort: off
from . import base
from . import plan
from . import dates
from . import pricing
from . import invoicing
from . import notice
from . import payment
from . import life_cycle
from . import portal
from . import order
from . import sale_order
