#!/usr/bin/env bash
# Installs, by apt, the programs that are missing: `system-packages.sh base` what `make` itself
# needs, `system-packages.sh tests` what the tests run. Does nothing when all are there.
set -euo pipefail

# One line each: when | how to tell that it is there | package | why.
programs() {
    cat <<'TABLE'
base  | command -v git                  | git            | the tests of a clone
base  | command -v make                 | make           | the targets
base  | python3 -c 'import ensurepip'   | python3-venv   | the virtual environment
tests | command -v chromium             | chromium       | the status page, looked at
tests | command -v cron                 | cron           | a schedule under real cron
tests | command -v dbus-run-session     | dbus           | a session bus of its own for the keyring
tests | command -v faketime             | faketime       | a clock that jumps
tests | command -v fish                 | fish           | completion in fish
tests | command -v gnome-keyring-daemon | gnome-keyring  | a real keyring
tests | grep -qs memory /sys/fs/cgroup/cgroup.controllers || command -v linux.uml | user-mode-linux | a kernel with every controller of control groups
tests | command -v man                  | man-db         | the manual pages, rendered
tests | command -v mariadbd             | mariadb-server | a rotation target
tests | command -v mkfs.ext4            | e2fsprogs      | a disk of its own to pull the plug of
tests | command -v newuidmap            | uidmap         | a user id for each agent, without root
tests | command -v npm                  | npm            | the OpenClaw gateway, which is written for Node
tests | command -v promtool             | prometheus     | the metrics and alert rules, checked
tests | command -v rabbitmq-server      | rabbitmq-server | agents on several nodes
tests | command -v redis-server         | redis-server   | agents on several nodes
tests | command -v secret-tool          | libsecret-tools | the keyring as another program sees it
tests | command -v strace               | strace         | kill or fail at each system call
tests | command -v systemd-analyze      | systemd        | units and timers, verified
tests | command -v tmux                 | tmux           | a real terminal
tests | ls /usr/lib/postgresql/*/bin/postgres | postgresql | a rotation target
tests | command -v valgrind             | valgrind       | instruction counts
tests | command -v zsh                  | zsh            | completion in zsh
TABLE
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

missing=()
while IFS='|' read -r when present package _; do
    [ "${when// /}" = "${1:?base or tests}" ] || continue
    bash -c "$present" </dev/null >/dev/null 2>&1 || missing+=("${package// /}")
done < <(programs)

[ "${#missing[@]}" -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null || ! as_root true 2>/dev/null; then
    echo "missing on this machine, and not ours to install (apt, as root or by sudo without a password):" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
fi

echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
    as_root apt-get -q update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install --yes --no-install-recommends "${missing[@]}"
} </dev/null >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
