"""A complete workflow for GitHub Actions: one job plans and writes the environments, others install them.

Whatever comes from stacks, machines or the command line reaches a script by an environment variable or quoted (``shell``), and never as
an expression. Actions are pinned to commits.
"""

from __future__ import annotations

from collections.abc import Iterator

from resolver.emit.ci.shell import comment, scalar
from resolver.emit.ci.texts import INSTALL, PYTHON, SET_UP, TRUST, USE, Plan
from resolver.emit.environment import Artifact

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
SETUP_PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0"
CACHE = "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5"
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1"
ENVIRONMENT = "$ENVIRONMENT"


def emit_workflow(plan: Plan, matrices: int) -> Artifact:
    """The workflow, with a job for each of the matrices that the jobs need, one at least."""
    lines = [*_head(plan), *_plan(plan, max(matrices, 1))]
    for number in range(1, max(matrices, 1) + 1):
        lines += ["", *_install(plan, number, max(matrices, 1))]
    return Artifact("spack.yml", "".join(f"{line}\n" for line in lines).encode())


def _head(plan: Plan) -> Iterator[str]:
    yield f"# Made by: {comment(plan.made_by)}"
    yield "# Run that again after a change of its options; the matrix itself is made anew in each run, by the job plan."
    yield from (
        "name: spack-binaries",
        "",
        "on:",
        "  push:",
        "    branches: [main]",
        "  pull_request:",
        "  workflow_dispatch:",
        "",
        "# Nothing here writes to the repository.",
        "permissions:",
        "  contents: read",
        "",
        "# A newer run of a branch takes the place of one that has not ended.",
        "concurrency:",
        "  group: ${{ github.workflow }}-${{ github.ref }}",
        "  cancel-in-progress: true",
        "",
        "defaults:",
        "  run:",
        "    shell: bash",
        "",
        "env:",
        "  # What is installed with: a tag or branch of Spack, and what pip is to install of spack-resolver.",
        f"  SPACK_REF: {scalar(plan.spack)}",
        f"  RESOLVER: {scalar(plan.resolver)}",
        "  # No configuration of a user, so that a job does the same on every runner.",
        '  SPACK_DISABLE_LOCAL_CONFIG: "1"',
        "",
        "jobs:",
    )


def _plan(plan: Plan, matrices: int) -> Iterator[str]:
    yield from (
        "  # Decides what each job installs and writes its environment, so that the others need neither spack-resolver nor a catalog.",
        "  plan:",
        "    runs-on: ubuntu-24.04",
        "    timeout-minutes: 30",
        "    outputs:",
        *(f"      matrix{number}: ${{{{ steps.matrix.outputs.matrix{number} }}}}" for number in range(1, matrices + 1)),
        "    steps:",
        *_checkout(),
        f"    - uses: {SETUP_PYTHON}",
        "      with:",
        f'        python-version: "{PYTHON}"',
        "",
        "    - name: Install spack-resolver",
        '      run: python -m pip install "$RESOLVER"',
    )
    yield from _sync() if plan.sync else ()
    yield from _matrix(plan, matrices)


def _checkout() -> Iterator[str]:
    yield f"    - uses: {CHECKOUT}"
    yield "      with:"
    yield "        persist-credentials: false"
    yield ""


def _sync() -> Iterator[str]:
    yield from (
        "",
        "    # What was read of the sources before; a sync reads only what is new. Each run saves its own.",
        f"    - uses: {CACHE}",
        "      with:",
        "        path: .spack-resolver",
        "        key: spack-resolver-${{ github.run_id }}-${{ github.run_attempt }}",
        "        restore-keys: spack-resolver-",
        "",
        "    - name: Read the sources that spack-resolver.yaml names",
        "      run: spack-resolver sync",
        "      env:",
        "        SPACK_RESOLVER_CATALOG: .spack-resolver/catalog.sqlite",
    )


def _matrix(plan: Plan, matrices: int) -> Iterator[str]:
    yield from (
        "",
        "    - name: Make the matrix and an environment for each of its jobs",
        "      id: matrix",
        *(("      env:", "        SPACK_RESOLVER_CATALOG: .spack-resolver/catalog.sqlite") if plan.sync else ()),
        "      run: |",
        f"        mkdir -p {plan.folder}",
        "        # It ends with 4 when no stack has a binary for any of the machines; then no job is run.",
        f"        {plan.command} > matrices || [ $? = 4 ]",
        "        number=0",
        "        while IFS= read -r matrix; do",
        '          if [ "$matrix" = \'{"include":[]}\' ]; then continue; fi',
        "          number=$((number + 1))",
        '          printf "matrix%s=%s\\n" "$number" "$matrix" >> "$GITHUB_OUTPUT"',
        "        done < matrices",
        f'        if [ "$number" -gt {matrices} ]; then',
        '          echo "::error::There are $number matrices of 256 jobs; make this workflow anew with the command in its first line."',
        "          exit 1",
        "        fi",
        "",
        f"    - uses: {UPLOAD}",
        "      with:",
        "        name: environments",
        f"        path: {plan.folder}",
        "        if-no-files-found: ignore",
    )


def _install(plan: Plan, number: int, matrices: int) -> Iterator[str]:
    name = "install" if matrices == 1 else f"install-{number}"
    yield from (
        f"  {name}:",
        "    needs: plan",
        f"    if: needs.plan.outputs.matrix{number} != ''",
        "    name: ${{ matrix.id }}",
        "    runs-on: ${{ matrix.runner }}",
        "    # A container where the configuration names an image for the machine; else none.",
        "    container: ${{ matrix.image }}",
        "    timeout-minutes: 120",
        "    strategy:",
        "      # What fails on one machine may do on another.",
        "      fail-fast: false",
        f"      matrix: ${{{{ fromJSON(needs.plan.outputs.matrix{number}) }}}}",
        "    env:",
        "      # Scripts see values of the matrix as variables only, so that no name of a stack is ever run.",
        "      ENVIRONMENT: ${{ matrix.environment }}",
        "    steps:",
        *_checkout(),
        "    # What the configuration sets up on the machine first.",
        "    - name: Set up the machine",
        "      if: matrix.setup",
        '      run: bash -euo pipefail -c "$SETUP"',
        "      env:",
        "        SETUP: ${{ matrix.setup }}",
        "",
        f"    - uses: {DOWNLOAD}",
        "      with:",
        "        name: environments",
        f"        path: {plan.folder}",
        "",
    )
    yield from _spack()


def _spack() -> Iterator[str]:
    yield from (
        "    # The fingerprint changes exactly when the binaries do.",
        f"    - uses: {CACHE}",
        "      with:",
        "        path: .spack-store",
        "        key: ${{ matrix.fingerprint }}",
        "",
        "    - name: Set up Spack",
        "      run: |",
        *(f"        {line}" for line in SET_UP),
        '        echo "$PWD/.spack/bin" >> "$GITHUB_PATH"',
        "",
        "    # The keys of the mirrors that the environment names. To trust none but those that you know, put their files into the",
        "    # repository and run `spack gpg trust FILE` in place of this.",
        "    - name: Trust the keys of the mirrors",
        "      if: matrix.signed",
        f"      run: {TRUST.format(environment=ENVIRONMENT)}",
        "",
        "    - name: Install, from binaries alone",
        f"      run: {INSTALL.format(environment=ENVIRONMENT)}",
        "",
        "    # Put your own build and tests in the place of this. `spack env activate` needs a line before it:",
        "    # . .spack/share/spack/setup-env.sh",
        "    - name: Use what was installed",
        f"      run: {USE.format(environment=ENVIRONMENT)}",
    )
