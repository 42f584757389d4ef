# A model is registered after its bases.
# isort: off
from . import figures
from . import chain_usage
from . import chain_documents
from . import chain
from . import lists
from . import store
from . import export
from . import line
from . import total
from . import change
from . import control
