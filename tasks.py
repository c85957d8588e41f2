"""Assembles the verbs into `inv`: a file of verbs/ is a group; main, overview, review on top."""

from invoke.collection import Collection

from verbs import (
    ci,
    config,
    docs,
    image,
    main,
    mirror,
    oidc,
    overview,
    release,
    review,
    sandbox,
    terraform,
)

namespace = Collection.from_module(main)
for verb in (overview.diff, overview.history, review.plan):
    namespace.add_task(verb)
for group in (ci, config, docs, image, mirror, oidc, release, sandbox, terraform):
    namespace.add_collection(Collection.from_module(group))
