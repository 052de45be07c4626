#!/usr/bin/env bash
# Makes a bundle known to the steps that follow, and sets the variables that were asked for.
# It ends as openclaw does: 5 for a wrong key, 3 for a name that is not in the bundle, ...
set -euo pipefail
umask 077

export PATH="$RUNNER_TEMP/openclaw/bin:$PATH" # GITHUB_PATH is for the steps that follow
: "${BUNDLE:?the input bundle is empty}" "${BUNDLE_KEY:?the input key is empty}"
: "${EXPORT:=}" "${RECORDS:=}"

case $BUNDLE$RECORDS in
    *$'\n'*) # it would set a variable of its own in GITHUB_ENV
        echo "a path with a line break in it is refused" >&2
        exit 2
        ;;
esac
absolute() {
    case $1 in
        /*) printf '%s' "$1" ;;
        *) printf '%s/%s' "$PWD" "$1" ;;
    esac
}
bundle=$(absolute "$BUNDLE") # a later step may be in another folder
records=$(absolute "${RECORDS:-$RUNNER_TEMP/openclaw-records}")
key=$RUNNER_TEMP/openclaw-key

# The key lies in a file that only this user can read: what a later step starts does not inherit it.
rm -f -- "$key"
printf '%s\n' "$BUNDLE_KEY" > "$key"
unset BUNDLE_KEY
export OPENCLAW_BUNDLE=$bundle OPENCLAW_BUNDLE_KEY_FILE=$key OPENCLAW_BUNDLE_OUTPUT=$records

openclaw secrets list > /dev/null # a wrong key, or an expired bundle, is told here

{
    echo "OPENCLAW_BUNDLE=$bundle"
    echo "OPENCLAW_BUNDLE_KEY_FILE=$key"
    echo "OPENCLAW_BUNDLE_OUTPUT=$records"
} >> "$GITHUB_ENV"
echo "records=$records" >> "$GITHUB_OUTPUT"

names=()
while read -r name; do
    [ -z "$name" ] || names+=("$name")
done <<< "$EXPORT"
if [ "${#names[@]}" -gt 0 ]; then
    openclaw secrets export --format github -- "${names[@]}"
fi
