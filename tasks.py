"""What `inv` loads: the verbs, as verbs/assembly.py puts them together."""

import sys

from verbs import assembly

namespace = assembly.needed(sys.argv)
