"""GitLab's child pipelines: one job for each of a matrix, and what all of them do in one hidden job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resolver.emit.ci.jobs import Job
from resolver.emit.ci.shell import comment, scalar, sequence
from resolver.emit.ci.texts import INSTALL, SET_UP, TRUST, USE, Plan
from resolver.emit.environment import Artifact

MOST_NEEDS = 50
"""Jobs that one job may need."""
PLAN = "plan"
"""The parent pipeline's job that writes the environments."""
PARENT = "PARENT_PIPELINE_ID"
"""The variable by which the parent pipeline says which one it is."""


def emit_gitlab(jobs: Sequence[Job], plan: Plan) -> Artifact:
    """A child pipeline. Without any job it has one that says so, since GitLab refuses an empty pipeline."""
    written = any(job.environment for job in jobs)
    lines = [*_head(plan), *(_template(plan, written=written) if jobs else _nothing())]
    for job in jobs:
        lines += ["", *_job(job)]
    return Artifact("pipeline.yml", "".join(f"{line}\n" for line in lines).encode())


def _head(plan: Plan) -> Iterator[str]:
    yield f"# Made by: {comment(plan.made_by)}"
    yield "stages: [install]"
    yield ""


def _nothing() -> Iterator[str]:
    yield "nothing-to-do:"
    yield "  stage: install"
    yield "  script:"
    yield "  - echo 'no stack has a binary for any of the machines'"


def _template(plan: Plan, *, written: bool) -> Iterator[str]:
    environment = "$RESOLVER_ENVIRONMENT" if written else "env"
    yield from _variables_of_all(plan, written=written)
    yield from (
        "",
        "# What all jobs do; what each installs, and where, is in its variables.",
        ".install:",
        "  stage: install",
        "  interruptible: true",
        "  cache:",
        "    # The fingerprint changes exactly when the binaries do.",
        "    key: $RESOLVER_FINGERPRINT",
        "    paths: [.spack-store/]",
        "  before_script:",
        "  # What the configuration sets up on the machine first.",
        '  - if [ -n "$RESOLVER_SETUP" ]; then eval "$RESOLVER_SETUP"; fi',
        "  - |",
        *(f"    {line}" for line in SET_UP),
        '    export PATH="$PWD/.spack/bin:$PATH"',
        "  script:",
        *(() if written else _made_in_the_job(plan)),
        "  # The keys of the mirrors that the environment names; `spack gpg trust FILE` trusts none but those that you know.",
        f'  - if [ -n "$RESOLVER_SIGNED" ]; then {TRUST.format(environment=environment)}; fi',
        f"  - {INSTALL.format(environment=environment)}",
        "  # Put your own build and tests in the place of this.",
        f"  - {USE.format(environment=environment)}",
        "  artifacts:",
        "    expire_in: 1 week",
        f"    paths: [{environment}/]",
    )


def _variables_of_all(plan: Plan, *, written: bool) -> Iterator[str]:
    yield "variables:"
    yield f"  SPACK_REF: {scalar(plan.spack)}"
    if not written:
        yield f"  RESOLVER: {scalar(plan.resolver)}"
    yield '  SPACK_DISABLE_LOCAL_CONFIG: "1"'


def _made_in_the_job(plan: Plan) -> Iterator[str]:
    """Lines that make the environment ``env`` in the job itself, which needs Python for it."""
    yield '  - python3 -m pip install "$RESOLVER"'
    yield from ["  - spack-resolver sync"] if plan.sync else []
    yield '  - eval "$RESOLVER_COMMAND"'


def _job(job: Job) -> Iterator[str]:
    yield f"{scalar(job.id)}:"
    yield "  extends: .install"
    yield f"  tags: {sequence(job.tags)}"
    if job.image:
        yield f"  image: {scalar(job.image)}"
    if needs := list(_needs(job)):
        yield "  needs:"
        yield from (f"  - {need}" for need in needs[:MOST_NEEDS])
    yield "  variables:"
    for key, value in _variables(job).items():
        yield f"    RESOLVER_{key.upper()}: {_value(value)}"


def _needs(job: Job) -> Iterator[str]:
    if job.environment:
        yield f"{{pipeline: ${PARENT}, job: {PLAN}}}"
    yield from map(scalar, job.needs)


def _variables(job: Job) -> dict[str, str]:
    more = {"setup": job.setup or "", "signed": "1" if job.signed else "", "command": "" if job.environment else job.command}
    return {**job.words(), **{key: value for key, value in more.items() if value}}


def _value(text: str) -> str:
    """The value of a variable, in which GitLab is to expand nothing."""
    return f"{{value: {scalar(text)}, expand: false}}" if "$" in text else scalar(text)
