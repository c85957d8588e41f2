"""Assembles the verbs into `inv`: a file of verbs/ is a group, verbs/main.py the top level."""

from invoke.collection import Collection

from verbs import config, docs, main, mirror, sandbox, terraform

namespace = Collection.from_module(main)
for group in (config, docs, mirror, sandbox, terraform):
    namespace.add_collection(Collection.from_module(group))
