#!/usr/bin/env bash
# Makes the pinned lists from pyproject.toml. Needs uv. No list names an index: pip uses the one that it is configured for.
# The lists are complete, so they are installed with --no-deps: pip would ask for what [tool.uv] in pyproject.toml leaves out.
set -euo pipefail
cd "$(dirname "$0")/.."
lock() { # NAME EXTRA...
  local name=$1; shift
  local extras=(); for e in "$@"; do extras+=(--extra "$e"); done
  uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --generate-hashes --no-annotate \
    --custom-compile-command requirements/compile.sh "${constraint[@]}" "${extras[@]}" pyproject.toml -o "requirements/$name.txt"
}
constraint=()
lock all gateway embedding index cli serving local training dev
constraint=(-c requirements/all.txt)
lock demo gateway embedding index cli serving local
lock gateway gateway
lock embedding embedding
lock index index
lock importer cli
# The two servers, and what stands in for them where their images cannot be pulled (tests/compose).
lock serving serving
lock local local
# For INDEX_ENGINE=milvus: services/index/milvus/Dockerfile.
lock milvus index milvus
# For traces, with any of the others: docs/traces.md.
lock tracing tracing
