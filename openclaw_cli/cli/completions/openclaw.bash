# bash completion of openclaw; scripts/generate.py writes it.
# eval "$(openclaw completion bash)"

_openclaw_words() {
    case "$1" in
    "") REPLY="secrets store agents gateway status config interop doctor completion --json --quiet --no-input --yes --environment --key-fd --version --help" ;;
    "secrets") REPLY="create set get edit list status history rollback delete restore describe expect refresh rotate schedule run inject grant revoke grants import export copy scan migrate resolve audit --json --quiet --no-input --yes --help" ;;
    "secrets create") REPLY="--value --value-file --generate --verbatim --provider --backend --label --force --json --quiet --no-input --yes --name --help" ;;
    "secrets set") REPLY="--value --value-file --generate --verbatim --provider --backend --json --quiet --no-input --yes --name --help" ;;
    "secrets get") REPLY="--backend --fallback --clip --no-cache --max-age --offline --json --quiet --no-input --yes --name --help" ;;
    "secrets edit") REPLY="--json --quiet --no-input --yes --name --help" ;;
    "secrets list") REPLY="--filter --sort --columns --deleted --backend --missing --json --quiet --no-input --yes --help" ;;
    "secrets status") REPLY="--json --quiet --no-input --yes --name --help" ;;
    "secrets history") REPLY="--json --quiet --no-input --yes --name --help" ;;
    "secrets rollback") REPLY="--to --json --quiet --no-input --yes --name --help" ;;
    "secrets delete") REPLY="--backend --purge --json --quiet --no-input --yes --name --help" ;;
    "secrets restore") REPLY="--json --quiet --no-input --yes --name --help" ;;
    "secrets describe") REPLY="--provider --label --json --quiet --no-input --yes --name --help" ;;
    "secrets expect") REPLY="--from --reader --hours --scope --enforce --clear --json --quiet --no-input --yes --name --help" ;;
    "secrets refresh") REPLY="--backend --json --quiet --no-input --yes --name --help" ;;
    "secrets rotate") REPLY="--due --schedule --tz --grace --until --with --setting --tell --compromised --limit --all --notify --dry-run --json --quiet --no-input --yes --name --help" ;;
    "secrets schedule") REPLY="install uninstall status --json --quiet --no-input --yes --help" ;;
    "secrets schedule install") REPLY="--cron --systemd --notify --dry-run --json --quiet --no-input --yes --help" ;;
    "secrets schedule uninstall") REPLY="--dry-run --json --quiet --no-input --yes --help" ;;
    "secrets schedule status") REPLY="--json --quiet --no-input --yes --help" ;;
    "secrets run") REPLY="--env --env-file --secret --allow-missing --no-mask --fallback --no-cache --max-age --offline --json --quiet --no-input --yes --help" ;;
    "secrets inject") REPLY="--out -o --force --fallback --no-cache --max-age --offline --json --quiet --no-input --yes --help" ;;
    "secrets grant") REPLY="--expires --uses --json --quiet --no-input --yes --help" ;;
    "secrets revoke") REPLY="--all --json --quiet --no-input --yes --help" ;;
    "secrets grants") REPLY="--unused --json --quiet --no-input --yes --help" ;;
    "secrets import") REPLY="--format --prefix --overwrite --dry-run --json --quiet --no-input --yes --help" ;;
    "secrets export") REPLY="--format --all --out --output -o --force --sealed --for-ci --expires --key-file --json --quiet --no-input --yes --help" ;;
    "secrets copy") REPLY="--to --from --environment --all --overwrite --dry-run --json --quiet --no-input --yes --name --help" ;;
    "secrets scan") REPLY="--staged --no-history --baseline --update-baseline --sarif --json --quiet --no-input --yes --help" ;;
    "secrets migrate") REPLY="--gateway --provider --shred --undo --plan --dry-run --json --quiet --no-input --yes --help" ;;
    "secrets resolve") REPLY="--allow --previous --json --quiet --no-input --yes --help" ;;
    "secrets audit") REPLY="verify export report import prune --period --name --actor --action --follow --limit --json --quiet --no-input --yes --help" ;;
    "secrets audit verify") REPLY="--json --quiet --no-input --yes --help" ;;
    "secrets audit export") REPLY="--format --period -o --output --force --json --quiet --no-input --yes --help" ;;
    "secrets audit report") REPLY="--period --format -o --output --force --json --quiet --no-input --yes --help" ;;
    "secrets audit import") REPLY="--json --quiet --no-input --yes --help" ;;
    "secrets audit prune") REPLY="--before --json --quiet --no-input --yes --help" ;;
    "store") REPLY="init check rekey backup restore slots unlock lock accept-rollback --json --quiet --no-input --yes --help" ;;
    "store init") REPLY="--key --no-key-file --no-recovery --passphrase-file --recovery-file --key-id --json --quiet --no-input --yes --help" ;;
    "store check") REPLY="--json --quiet --no-input --yes --help" ;;
    "store rekey") REPLY="--drop --passphrase-file --recovery-file --json --quiet --no-input --yes --help" ;;
    "store backup") REPLY="--force --json --quiet --no-input --yes --help" ;;
    "store restore") REPLY="--replace --drill --recovery --recovery-file --passphrase-file --json --quiet --no-input --yes --help" ;;
    "store slots") REPLY="add remove --json --quiet --no-input --yes --help" ;;
    "store slots add") REPLY="--passphrase-file --recovery-file --key-id --json --quiet --no-input --yes --help" ;;
    "store slots remove") REPLY="--json --quiet --no-input --yes --help" ;;
    "store unlock") REPLY="--for --recovery --recovery-file --passphrase-file --json --quiet --no-input --yes --help" ;;
    "store lock") REPLY="--json --quiet --no-input --yes --help" ;;
    "store accept-rollback") REPLY="--json --quiet --no-input --yes --help" ;;
    "agents") REPLY="list status run node spawn close restart stop logs top cleanup --json --quiet --no-input --yes --help" ;;
    "agents list") REPLY="--json --quiet --no-input --yes --help" ;;
    "agents status") REPLY="--verbose --json --quiet --no-input --yes --name --help" ;;
    "agents run") REPLY="--input --text --thread --no-gateway --json --quiet --no-input --yes --name --help" ;;
    "agents node") REPLY="--name --json --quiet --no-input --yes --help" ;;
    "agents spawn") REPLY="--thread --json --quiet --no-input --yes --name --help" ;;
    "agents close") REPLY="--thread --json --quiet --no-input --yes --name --help" ;;
    "agents restart") REPLY="--now --json --quiet --no-input --yes --name --help" ;;
    "agents stop") REPLY="--thread --json --quiet --no-input --yes --name --help" ;;
    "agents logs") REPLY="--agent --thread --request --follow --lines --json --quiet --no-input --yes --help" ;;
    "agents top") REPLY="--every --json --quiet --no-input --yes --help" ;;
    "agents cleanup") REPLY="--idle --json --quiet --no-input --yes --name --help" ;;
    "gateway") REPLY="run start stop restart reload status install uninstall alert-rules link --json --quiet --no-input --yes --help" ;;
    "gateway run") REPLY="--port --json --quiet --no-input --yes --help" ;;
    "gateway start") REPLY="--port --json --quiet --no-input --yes --help" ;;
    "gateway stop") REPLY="--wait --json --quiet --no-input --yes --help" ;;
    "gateway restart") REPLY="--wait --force --json --quiet --no-input --yes --help" ;;
    "gateway reload") REPLY="--json --quiet --no-input --yes --help" ;;
    "gateway status") REPLY="--json --quiet --no-input --yes --help" ;;
    "gateway install") REPLY="--print --json --quiet --no-input --yes --help" ;;
    "gateway uninstall") REPLY="--json --quiet --no-input --yes --help" ;;
    "gateway alert-rules") REPLY="--scrape --dashboard --json --quiet --no-input --yes --help" ;;
    "gateway link") REPLY="--expires --json --quiet --no-input --yes --help" ;;
    "status") REPLY="--secrets --agents --verbose --version --watch --check --json --quiet --no-input --yes --help" ;;
    "config") REPLY="show check set path trust upgrade convert --json --quiet --no-input --yes --help" ;;
    "config show") REPLY="--origin --json --quiet --no-input --yes --help" ;;
    "config check") REPLY="--explain --practices --json --quiet --no-input --yes --help" ;;
    "config set") REPLY="--json --quiet --no-input --yes --help" ;;
    "config path") REPLY="--json --quiet --no-input --yes --help" ;;
    "config trust") REPLY="--forget --json --quiet --no-input --yes --help" ;;
    "config upgrade") REPLY="--dry-run --json --quiet --no-input --yes --help" ;;
    "config convert") REPLY="--to --output -o --force --json --quiet --no-input --yes --help" ;;
    "interop") REPLY="setup reload --json --quiet --no-input --yes --help" ;;
    "interop setup") REPLY="--name --state-dir --gateway --allow --dry-run --json --quiet --no-input --yes --help" ;;
    "interop reload") REPLY="--json --quiet --no-input --yes --help" ;;
    "doctor") REPLY="--checklist --fix --json --quiet --no-input --yes --help" ;;
    "completion") REPLY="--json --quiet --no-input --yes --help" ;;
    *) REPLY="" ;;
    esac
}

_openclaw_kind() {
    case "$1" in
    ":--environment" | "secrets create:--name" | "secrets set:--name" | "secrets get:--name" | "secrets get:1" | "secrets edit:--name" | "secrets edit:1" | "secrets status:--name" | "secrets status:1" | "secrets history:--name" | "secrets history:1" | "secrets rollback:--name" | "secrets rollback:1" | "secrets delete:--name" | "secrets delete:1" | "secrets restore:--name" | "secrets describe:--name" | "secrets describe:1" | "secrets expect:--name" | "secrets expect:1" | "secrets refresh:--name" | "secrets refresh:1" | "secrets rotate:--name" | "secrets rotate:1" | "secrets run:--secret" | "secrets grant:*" | "secrets revoke:*" | "secrets export:*" | "secrets copy:--environment" | "secrets copy:--name" | "secrets copy:1" | "secrets resolve:--allow" | "secrets audit:--name" | "agents status:--name" | "agents status:1" | "agents run:--name" | "agents run:1" | "agents node:--name" | "agents spawn:--name" | "agents spawn:1" | "agents close:--name" | "agents close:1" | "agents restart:--name" | "agents restart:1" | "agents stop:--name" | "agents stop:1" | "agents logs:--agent" | "agents cleanup:--name" | "agents cleanup:1" | "interop setup:--name" | "interop setup:--allow" | "interop reload:*") REPLY="secret" ;;
    ":--key-fd" | "secrets create:--value" | "secrets create:--backend" | "secrets create:--label" | "secrets set:--value" | "secrets set:--backend" | "secrets get:--backend" | "secrets get:--fallback" | "secrets get:--max-age" | "secrets list:--filter" | "secrets list:--sort" | "secrets list:--columns" | "secrets list:--backend" | "secrets rollback:--to" | "secrets delete:--backend" | "secrets restore:1" | "secrets describe:--label" | "secrets expect:--from" | "secrets expect:--reader" | "secrets expect:--hours" | "secrets expect:--scope" | "secrets refresh:--backend" | "secrets rotate:--schedule" | "secrets rotate:--tz" | "secrets rotate:--grace" | "secrets rotate:--until" | "secrets rotate:--with" | "secrets rotate:--setting" | "secrets rotate:--tell" | "secrets rotate:--limit" | "secrets rotate:--notify" | "secrets schedule install:--notify" | "secrets run:--fallback" | "secrets run:--max-age" | "secrets inject:--fallback" | "secrets inject:--max-age" | "secrets grant:--expires" | "secrets grant:--uses" | "secrets grant:1" | "secrets revoke:1" | "secrets grants:--unused" | "secrets grants:1" | "secrets import:--prefix" | "secrets export:--expires" | "secrets copy:--to" | "secrets copy:--from" | "secrets copy:2" | "secrets scan:*" | "secrets migrate:1" | "secrets audit:--period" | "secrets audit:--actor" | "secrets audit:--action" | "secrets audit:--limit" | "secrets audit export:--period" | "secrets audit report:--period" | "secrets audit import:1" | "secrets audit prune:--before" | "store init:--key-id" | "store slots add:--key-id" | "store unlock:--for" | "agents run:--thread" | "agents spawn:--thread" | "agents close:--thread" | "agents stop:--thread" | "agents logs:--thread" | "agents logs:--request" | "agents logs:--lines" | "agents top:--every" | "agents cleanup:--idle" | "gateway run:--port" | "gateway start:--port" | "gateway stop:--wait" | "gateway restart:--wait" | "gateway link:--expires" | "config set:2" | "config trust:1" | "config convert:--to" | "interop setup:--state-dir") REPLY="none" ;;
    "secrets create:--value-file" | "secrets set:--value-file" | "secrets list:--missing" | "secrets run:--env-file" | "secrets inject:--out" | "secrets inject:-o" | "secrets inject:1" | "secrets import:1" | "secrets export:--out" | "secrets export:--output" | "secrets export:-o" | "secrets export:--key-file" | "secrets scan:--baseline" | "secrets migrate:--plan" | "secrets audit export:-o" | "secrets audit export:--output" | "secrets audit report:-o" | "secrets audit report:--output" | "store init:--passphrase-file" | "store init:--recovery-file" | "store rekey:--passphrase-file" | "store rekey:--recovery-file" | "store backup:1" | "store restore:--recovery-file" | "store restore:--passphrase-file" | "store restore:1" | "store slots add:--passphrase-file" | "store slots add:--recovery-file" | "store unlock:--recovery-file" | "store unlock:--passphrase-file" | "agents run:--input" | "config check:1" | "config upgrade:1" | "config convert:--output" | "config convert:-o" | "config convert:1") REPLY="file" ;;
    "secrets create:--generate" | "secrets set:--generate") REPLY="optional ed25519 passphrase password rsa ssh token uuid" ;;
    "secrets create:--provider" | "secrets set:--provider" | "secrets describe:--provider" | "secrets migrate:--provider") REPLY="anthropic aws azure-openai brave cohere deepseek discord elevenlabs gemini generic github google groq huggingface mistral mysql notion openai openrouter postgres replicate sendgrid slack stripe tavily telegram twilio xai" ;;
    "secrets create:1" | "secrets set:1") REPLY="wanted" ;;
    "secrets run:--env") REPLY="pair" ;;
    "secrets run:*" | "secrets migrate:--gateway" | "interop setup:--gateway") REPLY="program" ;;
    "secrets import:--format" | "secrets export:--format" | "secrets audit export:--format" | "secrets audit report:--format") REPLY="dotenv json yaml toml shell github kubernetes" ;;
    "store init:--key" | "store rekey:--drop" | "store slots add:1" | "store slots remove:1") REPLY="file passphrase keyring recovery aws-kms vault-transit" ;;
    "config set:1") REPLY="backend cache.seconds cache.stale-seconds store.versions store.deleted-days store.anchor audit.segment-bytes run.mask clipboard.seconds unlock.seconds status.old-days rotation.tell-pause rotation.tell-most" ;;
    "completion:1") REPLY="bash zsh fish" ;;
    *) REPLY="" ;;
    esac
}

_openclaw_offer() {
    local kind="${1#optional }" word="$2" before="$3" line
    case "$kind" in
    none) ;;
    secret | wanted | pair)
        if [[ $kind == pair && $word == *=* ]]; then
            before="$before${word%%=*}="
            word="${word#*=}"
        fi
        local -a extra=()
        [[ $kind == wanted ]] && extra=(--wanted)
        while IFS= read -r line; do
            COMPREPLY+=("$before$line")
        done < <("${COMP_WORDS[0]}" secrets __names "$word" "${extra[@]}" 2>/dev/null </dev/null)
        ;;
    file)
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do
            COMPREPLY+=("$before$line")
        done < <(compgen -f -- "$word")
        ;;
    program)
        while IFS= read -r line; do
            COMPREPLY+=("$line")
        done < <(compgen -c -- "$word")
        ;;
    *)
        while IFS= read -r line; do
            COMPREPLY+=("$before$line")
        done < <(compgen -W "$kind" -- "$word")
        ;;
    esac
}

_openclaw() {
    COMPREPLY=()
    local -a words=()
    local word joined="" i
    # Readline breaks words at = and :, which names and options have in them: join them again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        if ((i > 1)) && [[ $word == [:=]* || $joined == yes ]]; then
            words[${#words[@]} - 1]+="$word"
        else
            words+=("$word")
        fi
        [[ $word == *[:=] ]] && joined=yes || joined=""
    done
    local current="${words[${#words[@]} - 1]}" at="" position=0 taking="" dashes="" REPLY
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word="${words[i]}"
        if [[ -n $taking ]]; then
            taking=""
        elif [[ -z $dashes && $word == -- ]]; then
            dashes=yes
        elif [[ -z $dashes && $word == -* ]]; then
            _openclaw_kind "$at:$word"
            [[ $word != *=* && -n $REPLY && $REPLY != "optional "* ]] && taking="$REPLY"
        elif ((position == 0)) && [[ " $_openclaw_commands " == *"|${at:+$at }$word|"* ]]; then
            at="${at:+$at }$word"
        else
            position=$((position + 1))
        fi
    done
    if [[ -n $taking ]]; then
        _openclaw_offer "$taking" "$current" ""
    elif [[ -z $dashes && $current == --*=* ]]; then
        _openclaw_kind "$at:${current%%=*}"
        [[ -n $REPLY ]] && _openclaw_offer "$REPLY" "${current#*=}" "${current%%=*}="
    elif [[ -z $dashes && $current == -* ]]; then
        _openclaw_words "$at"
        COMPREPLY=($(compgen -W "$REPLY" -- "$current"))
    else
        if ((position == 0)); then
            _openclaw_words "$at"
            for word in $REPLY; do
                [[ $word != -* && $word == "$current"* ]] && COMPREPLY+=("$word")
            done
        fi
        _openclaw_kind "$at:$((position + 1))"
        [[ -n $REPLY ]] || _openclaw_kind "$at:*"
        [[ $REPLY == program ]] && ((position > 0)) && REPLY=file
        [[ -n $REPLY ]] && _openclaw_offer "$REPLY" "$current" ""
    fi
    # Readline puts back only what follows the last of its word breaks.
    local breaks="" kept
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+="="
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=":"
    if [[ -n $breaks && $current == *[$breaks]* ]]; then
        kept="${current##*[$breaks]}"
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]="${COMPREPLY[i]#"${current%"$kept"}"}"
        done
    fi
    return 0
}

_openclaw_commands="|secrets|secrets create|secrets set|secrets get|secrets edit|secrets list|secrets status|secrets history|secrets rollback|secrets delete|secrets restore|secrets describe|secrets expect|secrets refresh|secrets rotate|secrets schedule|secrets schedule install|secrets schedule uninstall|secrets schedule status|secrets run|secrets inject|secrets grant|secrets revoke|secrets grants|secrets import|secrets export|secrets copy|secrets scan|secrets migrate|secrets resolve|secrets audit|secrets audit verify|secrets audit export|secrets audit report|secrets audit import|secrets audit prune|store|store init|store check|store rekey|store backup|store restore|store slots|store slots add|store slots remove|store unlock|store lock|store accept-rollback|agents|agents list|agents status|agents run|agents node|agents spawn|agents close|agents restart|agents stop|agents logs|agents top|agents cleanup|gateway|gateway run|gateway start|gateway stop|gateway restart|gateway reload|gateway status|gateway install|gateway uninstall|gateway alert-rules|gateway link|status|config|config show|config check|config set|config path|config trust|config upgrade|config convert|interop|interop setup|interop reload|doctor|completion|"

complete -F _openclaw openclaw openclaw-cli
