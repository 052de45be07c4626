#!/usr/bin/env bash
# Installs the OpenClaw gateway (Node) for the tests into .build/gateway/VERSION, once: about half a
# minute and 0.8 GB. Versions and integrity are locked in tests/gateway/VERSION; npm knows from where.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:-2026.9.6}
locked=tests/gateway/$version
target=.build/gateway/$version

if cmp -s "$locked/package-lock.json" "$target/package-lock.json"; then exit 0; fi

mkdir -p .build/gateway
exec 9>.build/gateway/lock
flock 9
if cmp -s "$locked/package-lock.json" "$target/package-lock.json"; then exit 0; fi

echo "installing: OpenClaw gateway $version"
aside=$target.new
rm -rf "$aside" "$target"
mkdir -p "$aside"
cp -R "$locked/." "$aside"
mv "$aside/package-lock.json" "$aside/npm-shrinkwrap.json" # what npm reads first; the other name says "done"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
npm ci --prefix "$aside" --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; exit 1; }
mv "$aside" "$target"
cp "$locked/package-lock.json" "$target/package-lock.json"
