# The model is registered after its bases.
# isort: off
from . import ours
from . import views
from . import reconciliation
