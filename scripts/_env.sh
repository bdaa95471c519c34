# Sourced by the scripts beside it: a virtual environment with the pinned dependencies, made on first use.
#
#   prepare [EXTRA...]   makes or completes the environment: Headwater's own dependencies and those of the extras
#   $ROOT                the repository
#   $BIN                 the environment's programs
#
# HEADWATER_VENV puts the environment somewhere else; PYTHON names the interpreter it is made with.
# shellcheck shell=bash

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="${HEADWATER_VENV:-$ROOT/.venv}"
BIN="$VENV/bin"

say() { echo "headwater: $*" >&2; }

die() {
    say "$*"
    exit 1
}

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local candidate candidates=(python3 python3.13 python3.12 python3.11 python)
    if [[ -n "${PYTHON:-}" ]]; then
        candidates=("$PYTHON")
    fi
    for candidate in "${candidates[@]}"; do
        if command -v "$candidate" >/dev/null && is_recent "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    candidate="${candidates[0]}"
    die "Python 3.11 or newer is needed; $candidate is $("$candidate" -V 2>/dev/null || echo "not there")." \
        "Install one, or set PYTHON=/path/to/it."
}

# hnswlib is published as source only, and projector/kernel and ingest/parser are our own.
require_compiler() {
    if ! command -v "${CXX:-c++}" >/dev/null && ! command -v g++ >/dev/null && ! command -v clang++ >/dev/null; then
        die "a C++ compiler is needed to build hnswlib and the kernel (on Debian and Ubuntu: apt install g++; on macOS: xcode-select --install)."
    fi
    if ! "$BIN/python" -c 'import os, sysconfig as s; os.stat(s.get_path("include") + "/Python.h")' 2>/dev/null; then
        die "Python's header files are needed to build hnswlib and the kernel (on Debian and Ubuntu: apt install python3-dev)."
    fi
}

fingerprint() { cat "$ROOT"/{constraints.txt,pyproject.toml,setup.py} "$ROOT"/{projector/kernel,ingest/parser}/*.[ch]pp | "$BIN/python" -c \
    'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest(), sys.version_info[:2])'; }

# The direct requirements of Headwater, or of one of its extras, one a line; constraints.txt says which version.
requirements() {
    "$BIN/python" - "$ROOT/pyproject.toml" "$1" <<'PYTHON'
import sys, tomllib

with open(sys.argv[1], "rb") as file:
    project = tomllib.load(file)["project"]
extra = sys.argv[2]
print(*(project["optional-dependencies"][extra] if extra else project["dependencies"]), sep="\n")
PYTHON
}

pip_install() { "$BIN/python" -m pip install --quiet --disable-pip-version-check --no-input "$@"; }

create_environment() {
    local python
    python="$(find_python)"
    say "creating ${VENV} with $("$python" -V)"
    "$python" -m venv --clear "$VENV" ||
        die "could not create a virtual environment (on Debian and Ubuntu: apt install python3-venv)."
}

# Pinned and checked too: the pip that comes with Python may be too old to take hashes from a constraints file.
install_build_tools() {
    local pins
    pins="$(mktemp)"
    awk '/^[a-z]/ { keep = /^(numpy|pip|pybind11|setuptools)==/ } keep' "$ROOT/constraints.txt" >"$pins"
    pip_install --require-hashes -r "$pins"
    rm -f "$pins"
}

install_extra() {
    local lines requirement wanted=()
    lines="$(requirements "$1")"
    while IFS= read -r requirement; do
        wanted+=("$requirement")
    done <<<"$lines"
    pip_install --require-hashes --no-build-isolation -c "$ROOT/constraints.txt" "${wanted[@]}"
}

prepare_locked() {
    local want extra stamp
    if ! is_recent "$BIN/python"; then
        create_environment
    fi
    want="$(fingerprint)"
    for extra in "" "$@"; do
        stamp="$VENV/.installed${extra:+-$extra}"
        if [[ "$(cat "$stamp" 2>/dev/null)" == "$want" ]]; then
            continue
        fi
        if [[ -z "$extra" ]]; then
            require_compiler
            say "installing build tools"
            install_build_tools
            say "installing dependencies (some is compiled: this can take a minute)"
            install_extra ""
            say "compiling the kernel and the parser (this can take two minutes)"
            PYTHONWARNINGS=ignore pip_install --no-deps --no-build-isolation -e "$ROOT"
            # pip compiles what it copies, and this stays where it is. Where PYTHONDONTWRITEBYTECODE is set, each start
            # would compile all of it, for .3 s of the processor.
            "$BIN/python" -m compileall -q "$ROOT"/{schemas,ingest,projector,query_api,compose}
        else
            say "installing what '$extra' takes"
            install_extra "$extra"
        fi
        echo "$want" >"$stamp"
    done
}

# Two scripts started at once wait for each other, where the system has flock.
prepare() {
    if command -v flock >/dev/null; then
        exec 9>"$VENV.lock"
        flock 9
        prepare_locked "$@"
        exec 9>&-
    else
        prepare_locked "$@"
    fi
}
