"""Entry of `./fcb`: works from any current directory."""

import sys
from pathlib import Path

# The script's own folder would let provisioning/*.py shadow other modules; the
# repository makes `provisioning`, `demo` and `benchmarks` importable instead.
_here = str(Path(__file__).resolve().parent)
sys.path[:] = [_here.rpartition("/")[0]] + [p for p in sys.path if p != _here]

from provisioning.cli import main  # noqa: E402  (needs the path above)

sys.exit(main(sys.argv[1:]))
