#!/usr/bin/env bash
# Shows what openclaw does, in a home of its own that is removed afterwards: `make demo`.
#
# It is also a test: each step checks what it shows, and the first that is not as it should be ends
# the demo with status 1. Nothing of yours is read or written.
set -euo pipefail

umask 077
real_home=${HOME:-}
place=$(mktemp -d)
cleanup() {
    cd /
    rm -rf "$place"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'printf "\nthe demo stopped at line %s: not as it should be\n" "$LINENO" >&2' ERR

# Where you have no ~/.openclaw, there must be none afterwards. One that is there may be in use.
theirs=$([ -e "$real_home/.openclaw" ] && echo there || echo none)

for name in ${!OPENCLAW_@}; do unset "$name"; done
export HOME=$place OPENCLAW_STATE_DIR=$place/state
cd "$place"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
number=0
step() { number=$((number + 1)); printf '\n%s%d. %s%s\n' "$bold" "$number" "$1" "$plain"; }
say() { # a command as it would be typed
    local word line='$'
    for word; do
        case $word in
        in_copy) line=' (in the copy) $' ;;
        *[[:space:]]*) line="$line '$word'" ;;
        *) line="$line $word" ;;
        esac
    done
    printf '%s\n' "$line"
}
show() { say "$@" && "$@"; }
fail() { printf '\nthe demo failed: %s\n' "$1" >&2; exit 1; }
expect() { # STATUS COMMAND ...: the command ends with that status, and says why
    local wanted=$1 status=0
    shift
    say "$@"
    "$@" 2>&1 || status=$?
    [ "$status" = "$wanted" ] || fail "status $status instead of $wanted: $*"
    printf '[%s]\n' "$status"
}
holds() { # FILE TEXT: the text is there, read whole (a pipe to grep -q may end its writer early)
    case $(cat "$1") in *"$2"*) ;; *) fail "$2 is missing" ;; esac
}

step "Keep a key: the first one makes the store"
key=sk-proj-$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
printf '$ printf %%s "$key" | openclaw secrets create openai-api-key --provider openai\n'
printf %s "$key" | openclaw secrets create openai-api-key --provider openai

step "Keep a private key (PEM), generated so that nobody has seen it"
show openclaw secrets create signing-key --generate=ed25519
openclaw secrets get signing-key >signing-key.pem
[ "$(head -n 1 signing-key.pem)" = "-----BEGIN PRIVATE KEY-----" ] || fail "not a PEM"
show openclaw secrets create signing-key-copy --value-file signing-key.pem

step "Keep 4,096 random bytes: NUL, newlines and all"
head -c 4096 /dev/urandom >random.bin
show openclaw secrets create random-bytes --value-file random.bin

step "Read all of them back, and compare every byte"
[ "$(openclaw secrets get openai-api-key)" = "$key" ] || fail "the text came back changed"
openclaw secrets get signing-key-copy | cmp - signing-key.pem
openclaw secrets get random-bytes | cmp - random.bin
echo "text, PEM and binary: identical"

step "Look for a value in the files of the store and the trail"
if grep -rqF -e "$key" -e "$(sed -n 2p signing-key.pem)" "$OPENCLAW_STATE_DIR"; then
    fail "a value is on the disk in the clear"
fi
echo "none found; the files are:"
(cd "$OPENCLAW_STATE_DIR" && stat -c '  %A %6s bytes  %n' ./*/*)
[ -z "$(find "$OPENCLAW_STATE_DIR" -perm /077)" ] || fail "somebody else may open a file"

step "Run a program with the key in its environment; what it prints is masked"
show openclaw secrets run --env OPENAI_API_KEY=openai-api-key -- \
    sh -c 'echo "it has ${#OPENAI_API_KEY} characters and is $OPENAI_API_KEY"' | tee output
holds output "it has ${#key} characters and is [openclaw:openai-api-key]"

step "Rotate it by hand: a new version, the one before stays"
new=sk-proj-$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
printf '$ printf %%s "$new" | openclaw secrets set openai-api-key\n'
printf %s "$new" | openclaw secrets set openai-api-key
[ "$(openclaw secrets get openai-api-key)" = "$new" ] || fail "the new value is not there"
[ "$(openclaw secrets get 'openai-api-key?version=1')" = "$key" ] || fail "the old one is gone"

step "What is there"
show openclaw secrets list
show openclaw secrets status openai-api-key
show openclaw secrets history openai-api-key

step "Who did what"
show openclaw secrets audit --name openai-api-key

step "Is every byte what was written?"
show openclaw store check
show openclaw secrets audit verify

step "Tamper with copies, and see whether it is noticed"
copied() { rm -rf copy && cp -a "$OPENCLAW_STATE_DIR" copy; }
in_copy() { OPENCLAW_STATE_DIR=$place/copy "$@"; }
copied
echo "one bit of the store:"
last=$(tail -c 1 copy/secrets/store.oc | od -An -tu1 | tr -d ' ')
printf "\\x$(printf %02x $((last ^ 1)))" |
    dd of=copy/secrets/store.oc bs=1 seek=$(($(stat -c %s copy/secrets/store.oc) - 1)) conv=notrunc status=none
expect 4 in_copy openclaw store check
copied
echo "one name in the trail:"
sed -i 's/"name":"random-bytes"/"name":"nothing-much"/' copy/audit/trail.jsonl
expect 4 in_copy openclaw secrets audit verify
copied
echo "an older store put back, with the revoked key in it:"
cp "$OPENCLAW_STATE_DIR/secrets/store.oc" older
printf %s newest | openclaw secrets set openai-api-key --quiet
copied
cp older copy/secrets/store.oc
expect 4 in_copy openclaw secrets get openai-api-key

step "Leave nothing behind"
cleanup
[ ! -e "$place" ] || fail "$place is still there"
[ "$theirs" = there ] || [ ! -e "$real_home/.openclaw" ] || fail "the demo made $real_home/.openclaw"
echo "$place is gone, and nothing else was touched"
