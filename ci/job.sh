#!/bin/sh
# A job in plain shell with secrets from a bundle: sh ci/job.sh PROGRAM ...
# It wants OPENCLAW_BUNDLE, and OPENCLAW_BUNDLE_KEY_FILE or OPENCLAW_BUNDLE_KEY.
set -u

for pause in 5 15 0; do
    # With --json the status is openclaw's own where it fails before the program starts, instead of
    # 125. 75 means "try again later", of openclaw as of many a program; nothing else is worth it.
    openclaw secrets run --json --no-input \
        --env TOKEN=deploy-token --env OPENAI_API_KEY=openai-api-key -- "$@"
    status=$?
    [ "$status" -eq 75 ] && [ "$pause" -gt 0 ] || exit "$status"
    sleep "$pause"
done
