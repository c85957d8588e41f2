"""Assembles the verbs into `inv`: a file of verbs/ is a group, main and overview the top level."""

from invoke.collection import Collection

from verbs import config, docs, image, main, mirror, overview, release, sandbox, terraform

namespace = Collection.from_module(main)
namespace.add_task(overview.diff)
namespace.add_task(overview.history)
for group in (config, docs, image, mirror, release, sandbox, terraform):
    namespace.add_collection(Collection.from_module(group))
