"""Assembles the verbs into `inv`: a file of verbs/ is a group, verbs/main.py the top level."""

from invoke.collection import Collection

from verbs import ci, config, docs, image, main, mirror, overview, release, sandbox, terraform

namespace = Collection.from_module(main)
namespace.add_task(overview.diff)
namespace.add_task(overview.history)
for group in (ci, config, docs, image, mirror, release, sandbox, terraform):
    namespace.add_collection(Collection.from_module(group))
