#!/usr/bin/env bash
# The one entry to building, trying, testing and checking pyloader; `./build.sh help` lists it all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

PYTHON=${PYTHON:-python3}
ENVIRONMENT=.cache/venv/bin
export PYTHONDONTWRITEBYTECODE=1

usage() {
  cat <<'TEXT'
./build.sh                    build dist/: a static folder that any web server can host
./build.sh demo [--port N]    build, then serve the demo pages on this machine (default port 8000)
./build.sh demo --orthanc     the same, with a DICOMweb server behind it: Orthanc, if it is installed
./build.sh test [ARGS]        build, then run the tests; ARGS go to pytest; with --long, all of OHIF's too
./build.sh bench [ARGS]       build, then race it in Chromium; --help lists ARGS
./build.sh docs               build the documentation site in dist/docs/; a link that leads nowhere ends it
./build.sh pack               build, then make the packages of npm and of Python, in .cache/packages/
./build.sh release X.Y.Z      set a version, check, build and pack it; print how to publish it
./build.sh check [NAMES]      format, lint and types of Python and JavaScript, spelling; NAMES choose among them
./build.sh format             format the sources of Python, JavaScript, types and style sheets
./build.sh help               this text

PYTHON           the Python to use (3.11 or newer; default python3)
PYLOADER_CACHE   where downloads are kept (default: ~/.cache/pyloader)
PYLOADER_MIRROR  a folder or an address that has them at <sha256>/<file>; asked first
CHROMIUM         the Chromium that tests drive (default: found, or installed)
TEXT
}

fail() {
  echo "build: $*" >&2
  exit 1
}

# Leaves in PYTHON the interpreter itself: version managers put slow scripts in front of it.
require_python() {
  local wanted="Python 3.11 or newer is needed" chosen=$PYTHON
  command -v "$chosen" >/dev/null || fail "$wanted and '$chosen' was not found: install it, or set PYTHON"
  PYTHON=$("$chosen" -S -c 'import sys; sys.exit(1) if sys.version_info < (3, 11) else print(sys.executable)') ||
    fail "$wanted, '$chosen' is $("$chosen" --version 2>&1): set PYTHON to a newer one"
}

require_node() {
  local wanted="Node.js 20 or newer is needed" version
  version=$(node --version 2>/dev/null) || fail "$wanted and 'node' was not found: install it"
  version=${version#v}
  ((${version%%.*} >= 20)) || fail "$wanted, 'node' is $version: install a newer one"
  command -v npm >/dev/null || fail "npm was not found: install it, it comes with Node.js"
}

build() { "$PYTHON" -m web.build.dist "$@"; }

prepare_tests() { "$PYTHON" -m web.build.environments; }

find_chromium() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return
  done
  return 1
}

# Playwright's own download, when there is one, is found by its client.
playwright_chromium() {
  "$ENVIRONMENT/playwright" install chromium >&2 || return 1
  "$ENVIRONMENT/python" -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)'
}

# Installs Debian packages, none of whose services are to be started.
apt_install() (
  policy=/usr/sbin/policy-rc.d
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
  if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@"
) >/dev/null 2>&1

install_chromium() {
  echo "build: installing Chromium for the tests" >&2
  apt_install chromium && find_chromium && return
  playwright_chromium
}

require_chromium() {
  CHROMIUM=${CHROMIUM:-$(find_chromium || install_chromium)} ||
    fail "no Chromium was found or could be installed: install one, or set CHROMIUM to its program"
  command -v "$CHROMIUM" >/dev/null || fail "CHROMIUM is '$CHROMIUM', which is no program"
  export CHROMIUM
}

# Chromium without the parts around its pages, which starts these in half the time. Whoever names a
# Chromium wants that one.
offer_headless_shell() {
  [[ -n ${CHROMIUM:-} ]] && return
  HEADLESS_SHELL=${HEADLESS_SHELL:-$(command -v chromium-headless-shell)} || {
    echo "build: installing Chromium's headless shell for the tests" >&2
    apt_install chromium-headless-shell ||
      echo "build: it could not be installed: tests run in Chromium itself, and take longer" >&2
    HEADLESS_SHELL=$(command -v chromium-headless-shell) || HEADLESS_SHELL=
  }
  export HEADLESS_SHELL
}

has_orthanc() {
  "$ENVIRONMENT/python" -c 'import sys; from tests.support.orthanc import is_installed; sys.exit(not is_installed())'
}

# The tests with a real DICOMweb server are skipped without it.
offer_orthanc() {
  has_orthanc && return
  echo "build: installing Orthanc and nginx for the tests" >&2
  { apt_install orthanc orthanc-dicomweb nginx-light && has_orthanc; } ||
    echo "build: they could not be installed: the tests with Orthanc will be skipped" >&2
}

has_other_browsers() {
  command -v WebKitWebDriver && command -v Xvfb && { command -v firefox-esr || command -v firefox; }
} >/dev/null

offer_other_browsers() {
  has_other_browsers && return
  echo "build: installing Firefox and WebKit for the tests" >&2
  { apt_install firefox-esr webkit2gtk-driver xvfb && has_other_browsers; } ||
    echo "build: they could not be installed: tests in other browsers than Chromium will be skipped" >&2
}

offer_dcmtk() {
  command -v dcm2pnm >/dev/null && return
  echo "build: installing DCMTK for the tests" >&2
  apt_install dcmtk ||
    echo "build: it could not be installed: comparisons with DCMTK's renderings will be skipped" >&2
}

run_tests() {
  local failed=0
  prepare_tests
  build --for-trial
  offer_headless_shell
  require_chromium
  offer_orthanc
  offer_dcmtk
  offer_other_browsers
  node --import ./tests/support/web/setup.js --test --test-reporter=spec tests/web/{,*/}*.test.js || failed=1
  # Files of tests side by side; most of the time goes by while Python starts in a page.
  "$ENVIRONMENT/python" -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder "$@" || failed=1
  return "$failed"
}

run_bench() {
  prepare_tests
  build
  require_chromium
  "$ENVIRONMENT/python" -m tests.bench "$@"
}

# Biome has its configuration in web/; the tests that it reads too are beside that folder.
biome() (cd web && node_modules/.bin/biome "$@" . ../tests)

check_types_of_scripts() {
  local project failed=0
  for project in web/jsconfig*.json; do web/node_modules/.bin/tsc --project "$project" || failed=1; done
  return "$failed"
}

run_check() {
  case $1 in
    format) "$ENVIRONMENT/ruff" format --quiet --check . ;;
    lint) "$ENVIRONMENT/ruff" check --quiet . ;;
    types) "$ENVIRONMENT/mypy" --no-error-summary ;;
    scripts) biome check --error-on-warnings ;;
    script-types) check_types_of_scripts ;;
    spelling) "$ENVIRONMENT/codespell" ;;
    *) fail "there is no check '$1': format, lint, types, scripts, script-types, spelling" ;;
  esac
}

# Goes on after a check that fails, so that one run shows them all.
run_checks() {
  local name failed=
  (($#)) || set -- format lint types scripts script-types spelling
  prepare_tests
  for name; do run_check "$name" || failed+=" $name"; done
  [[ -z $failed ]] || fail "these checks failed:$failed"
  echo "build: all checks passed"
}

main() {
  local command=${1:-dist}
  shift || true
  case $command in
    help | -h | --help) usage; return ;;
    dist | demo | test | bench | docs | pack | release | check | format) require_python && require_node ;;
    *) usage >&2; fail "there is no command '$command'" ;;
  esac
  case $command in
    dist) build ;;
    demo) build --for-trial && exec "$PYTHON" -m web.build.serve dist "$@" ;;
    test) run_tests "$@" ;;
    docs) "$PYTHON" -m web.build.docs ;;
    pack) prepare_tests && build --for-trial && "$ENVIRONMENT/python" -m web.build.pack ;;
    release) prepare_tests && "$ENVIRONMENT/python" -m web.build.release "$@" ;;
    bench) run_bench "$@" ;;
    check) run_checks "$@" ;;
    format) prepare_tests && "$ENVIRONMENT/ruff" format . && biome format --write ;;
  esac
}

main "$@"
