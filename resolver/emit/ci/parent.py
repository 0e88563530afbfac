"""A complete pipeline for GitLab: a job that plans and writes the environments, and one that runs what it planned."""

from __future__ import annotations

from collections.abc import Iterator

from resolver.emit.ci.gitlab import PARENT, PLAN
from resolver.emit.ci.shell import comment, scalar
from resolver.emit.ci.texts import PYTHON, Plan
from resolver.emit.environment import Artifact


def emit_parent(plan: Plan) -> Artifact:
    """The pipeline that runs the child pipeline of ``gitlab.emit_gitlab``."""
    return Artifact(".gitlab-ci.yml", "".join(f"{line}\n" for line in _lines(plan)).encode())


def _lines(plan: Plan) -> Iterator[str]:
    yield f"# Made by: {comment(plan.made_by)}"
    yield "# Run that again after a change of its options; the matrix itself is made anew in each pipeline, by the job plan."
    yield from (
        "stages: [plan, install]",
        "",
        "variables:",
        "  # What pip is to install of spack-resolver.",
        f"  RESOLVER: {scalar(plan.resolver)}",
        *(("  SPACK_RESOLVER_CATALOG: .spack-resolver/catalog.sqlite",) if plan.sync else ()),
        "",
        "# Decides what each job installs and writes its environment, so that the others need neither spack-resolver nor a catalog.",
        f"{PLAN}:",
        "  stage: plan",
        f"  image: python:{PYTHON}",
        "  interruptible: true",
        *_cache(plan),
        "  script:",
        '  - python3 -m pip install "$RESOLVER"',
        *(("  - spack-resolver sync",) if plan.sync else ()),
        f"  - mkdir -p {plan.folder}",
        "  # It ends with 4 when no stack has a binary for any of the machines; the pipeline then has one job, which says so.",
        "  - |",
        f"    {plan.command} > pipeline.yml || [ $? = 4 ]",
        "  artifacts:",
        "    expire_in: 1 week",
        f"    paths: [pipeline.yml, {plan.folder}/]",
        "",
        "install:",
        "  stage: install",
        f"  needs: [{PLAN}]",
        "  variables:",
        "    # The jobs take their environments from the artifacts of this pipeline.",
        f"    {PARENT}: $CI_PIPELINE_ID",
        "  trigger:",
        "    include:",
        "    - artifact: pipeline.yml",
        f"      job: {PLAN}",
        "    strategy: depend",
    )


def _cache(plan: Plan) -> Iterator[str]:
    if plan.sync:
        yield "  cache:"
        yield "    # What was read of the sources before; a sync reads only what is new."
        yield "    key: spack-resolver"
        yield "    paths: [.spack-resolver/]"
