"""What `inv` loads: the verbs, as verbs/assembly.py puts them together."""

import sys

# Invoke lets Python keep what it compiled only with --write-pyc: every `inv` would compile all of
# ours again. Whoever forbids it by -B or PYTHONDONTWRITEBYTECODE is still heard.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)

from verbs import assembly, words  # noqa: E402 - once what it loads is kept

namespace = assembly.needed(sys.argv)
words.name_options(namespace)
words.end_with_the_pipe(sys.argv)
