"""Assembles the verbs into `inv`: a file of verbs/ is a group, verbs/main.py the top level."""

from invoke.collection import Collection

from verbs import config, docs, image, main, mirror, sandbox, terraform

namespace = Collection.from_module(main)
for group in (config, docs, image, mirror, sandbox, terraform):
    namespace.add_collection(Collection.from_module(group))
