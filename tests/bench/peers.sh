#!/usr/bin/env bash
# Installs the other tools that `python -m tests.bench --peers` measures beside ours: system
# packages by apt, the rest under .build/peers. What cannot be had here is left out and named.
set -uo pipefail
cd "$(dirname "$0")/../.."

place=$PWD/.build/peers
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }
try() { "$@" >>"$place/log" 2>&1 || echo "not installed: $*; see .build/peers/log" >&2; }

mkdir -p "$place"
: >"$place/log"
try as_root apt-get -q update
for package in age gnupg pass libsecret-tools gnome-keyring dbus keepassxc openssl; do
    try as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install --yes --no-install-recommends "$package"
done

[ -x "$place/venv/bin/pip" ] || try python3 -m venv "$place/venv"
try "$place/venv/bin/pip" install --quiet --upgrade pip # its scripts start faster
try "$place/venv/bin/pip" install --quiet keyring secretstorage 'python-dotenv[cli]'

if command -v npm >/dev/null; then
    try npm install --prefix "$place/node" --no-audit --no-fund @dotenvx/dotenvx
fi
