#compdef openclaw openclaw-cli
# zsh completion of openclaw; scripts/generate.py writes it.
# eval "$(openclaw completion zsh)", after compinit; or as a file _openclaw in $fpath

_openclaw_words() {
    case "$1" in
    "") reply=('secrets:Keep, read, change and give away secrets.' 'store:Look after the encrypted store.' 'status:Show what there is and what needs a hand.' 'config:Show, check and change settings.' 'doctor:Find what is wrong here, and say the mend.' 'completion:Print the completion script of a shell.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--environment:Whose secrets: each environment has its own. Works in every command.' '--key-fd:Read the store'\''s key from this descriptor. Works in every command.' '--version:Print the version.' '--help:Show this message and exit.') ;;
    "secrets") reply=('create:Keep a new secret.' 'set:Keep a new version of a secret, or a new secret.' 'get:Give a secret'\''s value: exact bytes when piped.' 'edit:Change a value in your editor, in memory only.' 'list:Show all secrets, where they are and how old.' 'status:Show one secret'\''s health.' 'history:Draw a secret'\''s versions: made, promoted, last read, retired.' 'rollback:Make an older version the current one again.' 'delete:Delete a secret; it can be restored for 30 days.' 'restore:Bring a deleted secret back.' 'describe:Change what is known of a secret: its provider, its labels.' 'refresh:Fetch a secret again and replace the copy of it.' 'run:Run a program with secrets, its output masked.' 'inject:Fill the references in a template.' 'import:Take secrets over from a file.' 'export:Write secrets in the format of another tool, or sealed for a job.' 'copy:Copy secrets to another name or backend, and read them back.' 'resolve:Answer the OpenClaw gateway'\''s request.' 'audit:Show who did what to which secret, and what looks wrong.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets create") reply=('--value:The value itself: others can read it in the process list.' '--value-file:Take every byte of a file.' '--generate:Make a value: password, token, passphrase, uuid, ed25519, rsa, ssh.' '--verbatim:Keep the newline at the end of a piped value.' '--provider:The service that issued it: openai, aws, postgres, ...' '--backend:Where it lives: local, vault, ...' '--label:A label; repeatable.' '--force:Keep a new version where the name is taken.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets set") reply=('--value:The value itself: others can read it in the process list.' '--value-file:Take every byte of a file.' '--generate:Make a value: password, token, passphrase, uuid, ed25519, rsa, ssh.' '--verbatim:Keep the newline at the end of a piped value.' '--provider:The service that issued it: openai, aws, postgres, ...' '--backend:Where it lives: local, vault, ...' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets get") reply=('--backend:Where it lives: local, vault, ...' '--fallback:Look there when it is away or not there.' '--clip:Copy it to the clipboard, and clear that after a while.' '--no-cache:Ask the backend, use no copy.' '--max-age:The oldest copy that will do.' '--offline:Ask no other machine: a copy, or nothing.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets edit") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets list") reply=('--filter:prod/*, or provider=openai, state=ok.' '--sort:name, provider, version, age, ...' '--columns:Which columns, in which order.' '--deleted:Show what was deleted and can be restored.' '--backend:Where it lives: local, vault, ...' '--missing:Show what a .env file or a template refers to and is not there.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets status") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets history") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets rollback") reply=('--to:The version; the one before, if not.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets delete") reply=('--backend:Where it lives: local, vault, ...' '--purge:For good: it cannot be restored.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets restore") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets describe") reply=('--provider:The service that issued it: openai, aws, postgres, ...' '--label:A label; repeatable.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets refresh") reply=('--backend:Where it lives: local, vault, ...' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets run") reply=('--env:A secret in a variable; NAME alone works.' '--env-file:A .env file with references as values.' '--secret:Every secret of that name, in its usual variable.' '--allow-missing:Start without the secrets that are not there.' '--no-mask:Do not mask the values in what the program prints.' '--fallback:Look there when it is away or not there.' '--no-cache:Ask the backend, use no copy.' '--max-age:The oldest copy that will do.' '--offline:Ask no other machine: a copy, or nothing.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets inject") reply=('--out:Where to; 0600.' '-o:Where to; 0600.' '--force:Replace the file.' '--fallback:Look there when it is away or not there.' '--no-cache:Ask the backend, use no copy.' '--max-age:The oldest copy that will do.' '--offline:Ask no other machine: a copy, or nothing.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets import") reply=('--format:dotenv, json, yaml, toml, shell, github, kubernetes.' '--prefix:Put this in front of each name.' '--overwrite:Keep new versions of names that are taken.' '--dry-run:Say what would be done, and do nothing.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets export") reply=('--format:dotenv, json, yaml, toml, shell, github, kubernetes.' '--all:Every secret.' '--out:Where to; 0600.' '--output:Where to; 0600.' '-o:Where to; 0600.' '--force:Replace the file.' '--sealed:A bundle: sealed, with a key of its own.' '--for-ci:A bundle: sealed, with a key of its own.' '--expires:Until when a bundle is read.' '--key-file:Where a bundle'\''s key goes.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets copy") reply=('--to:Where to: vault, local, ...' '--from:Where from; local, if not.' '--all:Every secret of --from.' '--overwrite:Keep a new version where the name is taken.' '--dry-run:Say what would be done, and do nothing.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--name:The name, where it is not given by its position.' '--help:Show this message and exit.') ;;
    "secrets resolve") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets audit") reply=('verify:Prove the chain: every record, every file, and both ends.' 'export:Write the records of a period, of all time if none is named.' 'import:Take back the records that a job left of reading a bundle.' 'prune:Remove the oldest files of the trail, and record that they were.' '--period:7d, today, yesterday, 2026-11-01..2026-11-20' '--name:One secret, or a pattern: prod/*' '--actor:A user, agent, program, address, cron, ci.' '--action:read, get, run, set, delete, store...' '--follow:Go on showing what is added, until Ctrl-C.' '--limit:Show the newest N events; 0 for all.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets audit verify") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets audit export") reply=('--format:As it stands, or a table.' '--period:7d, today, yesterday, 2026-11-01..2026-11-20' '-o:Where to; - for the output.' '--output:Where to; - for the output.' '--force:Replace a file that is there.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets audit import") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "secrets audit prune") reply=('--before:How old what goes is, or a date.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store") reply=('init:Make the store and choose how it is unlocked.' 'check:Verify every byte of the store and of the trail.' 'rekey:Give the store a new data key; the values stay.' 'backup:Write a sealed copy of the store.' 'restore:Put a backup in place.' 'slots:Show, add and remove the keys that open the store.' 'unlock:Keep the store unlocked for a while.' 'lock:Forget an unlocked store'\''s key.' 'accept-rollback:Accept a store or trail that you put back yourself.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store init") reply=('--key:file, passphrase, keyring, ...' '--no-key-file:A keyring where there is one, else a passphrase.' '--no-recovery:Make no recovery key: the key is the only one.' '--passphrase-file:Read the passphrase there (-: standard input).' '--recovery-file:Write the recovery key there, for its owner alone.' '--key-id:The key of AWS KMS, or of Vault'\''s transit engine.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store check") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store rekey") reply=('--drop:Drop a slot whose key is not at hand.' '--passphrase-file:Read the passphrase there (-: standard input).' '--recovery-file:Read the recovery key there (-: standard input).' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store backup") reply=('--force:Replace the file.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store restore") reply=('--replace:Also where another store is; that one is kept aside.' '--recovery:Open it with the recovery key.' '--recovery-file:Read the recovery key there (-: standard input).' '--passphrase-file:Read the passphrase there (-: standard input).' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store slots") reply=('add:Add a key: file, passphrase, keyring, recovery, aws-kms or vault-transit.' 'remove:Take a key away; never the last one.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store slots add") reply=('--passphrase-file:Read the passphrase there (-: standard input).' '--recovery-file:Write the recovery key there, for its owner alone.' '--key-id:The key of AWS KMS, or of Vault'\''s transit engine.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store slots remove") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store unlock") reply=('--for:For how long.' '--recovery:Open it with the recovery key.' '--recovery-file:Read the recovery key there (-: standard input).' '--passphrase-file:Read the passphrase there (-: standard input).' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store lock") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "store accept-rollback") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "status") reply=('--secrets:Show each secret: its age, and who read it last.' '--agents:Show the agents.' '--verbose:Show all there is.' '--version:Print the version.' '--check:End with status 10 when something needs a hand.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "config") reply=('show:Show the settings and where each comes from.' 'check:Check a settings file before it is used.' 'set:Change a setting.' 'path:Say where the settings are.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "config show") reply=('--origin:Say the file and the line a value comes from.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "config check") reply=('--explain:Say how each key about secrets was understood.' '--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "config set") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "config path") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "doctor") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    "completion") reply=('--json:Answer in JSON, errors too.' '--quiet:Say nothing that is not the answer, a warning or an error.' '--no-input:Never ask; fail and say what is missing.' '--yes:Answer yes to every question.' '--help:Show this message and exit.') ;;
    *) reply=() ;;
    esac
}

_openclaw_kind() {
    case "$1" in
    ":--environment" | "secrets create:--name" | "secrets set:--name" | "secrets get:--name" | "secrets get:1" | "secrets edit:--name" | "secrets edit:1" | "secrets status:--name" | "secrets status:1" | "secrets history:--name" | "secrets history:1" | "secrets rollback:--name" | "secrets rollback:1" | "secrets delete:--name" | "secrets delete:1" | "secrets restore:--name" | "secrets describe:--name" | "secrets describe:1" | "secrets refresh:--name" | "secrets refresh:1" | "secrets run:--secret" | "secrets export:*" | "secrets copy:--name" | "secrets copy:1" | "secrets audit:--name") REPLY="secret" ;;
    ":--key-fd" | "secrets create:--value" | "secrets create:--backend" | "secrets create:--label" | "secrets set:--value" | "secrets set:--backend" | "secrets get:--backend" | "secrets get:--fallback" | "secrets get:--max-age" | "secrets list:--filter" | "secrets list:--sort" | "secrets list:--columns" | "secrets list:--backend" | "secrets rollback:--to" | "secrets delete:--backend" | "secrets restore:1" | "secrets describe:--label" | "secrets refresh:--backend" | "secrets run:--fallback" | "secrets run:--max-age" | "secrets inject:--fallback" | "secrets inject:--max-age" | "secrets import:--prefix" | "secrets export:--expires" | "secrets copy:--to" | "secrets copy:--from" | "secrets copy:2" | "secrets audit:--period" | "secrets audit:--actor" | "secrets audit:--action" | "secrets audit:--limit" | "secrets audit export:--period" | "secrets audit import:1" | "secrets audit prune:--before" | "store init:--key-id" | "store slots add:--key-id" | "store unlock:--for" | "config set:2") REPLY="none" ;;
    "secrets create:--value-file" | "secrets set:--value-file" | "secrets list:--missing" | "secrets run:--env-file" | "secrets inject:--out" | "secrets inject:-o" | "secrets inject:1" | "secrets import:1" | "secrets export:--out" | "secrets export:--output" | "secrets export:-o" | "secrets export:--key-file" | "secrets audit export:-o" | "secrets audit export:--output" | "store init:--passphrase-file" | "store init:--recovery-file" | "store rekey:--passphrase-file" | "store rekey:--recovery-file" | "store backup:1" | "store restore:--recovery-file" | "store restore:--passphrase-file" | "store restore:1" | "store slots add:--passphrase-file" | "store slots add:--recovery-file" | "store unlock:--recovery-file" | "store unlock:--passphrase-file" | "config check:1") REPLY="file" ;;
    "secrets create:--generate" | "secrets set:--generate") REPLY="optional ed25519 passphrase password rsa ssh token uuid" ;;
    "secrets create:--provider" | "secrets set:--provider" | "secrets describe:--provider") REPLY="anthropic aws azure-openai brave cohere deepseek discord elevenlabs gemini generic github google groq huggingface mistral mysql notion openai openrouter postgres replicate sendgrid slack stripe tavily telegram twilio xai" ;;
    "secrets create:1" | "secrets set:1") REPLY="wanted" ;;
    "secrets run:--env") REPLY="pair" ;;
    "secrets run:*") REPLY="program" ;;
    "secrets import:--format" | "secrets export:--format" | "secrets audit export:--format") REPLY="dotenv json yaml toml shell github kubernetes" ;;
    "store init:--key" | "store rekey:--drop" | "store slots add:1" | "store slots remove:1") REPLY="file passphrase keyring recovery aws-kms vault-transit" ;;
    "config set:1") REPLY="backend cache.seconds cache.stale-seconds store.versions store.deleted-days store.anchor audit.segment-bytes run.mask clipboard.seconds unlock.seconds status.old-days" ;;
    "completion:1") REPLY="bash zsh fish" ;;
    *) REPLY="" ;;
    esac
}

_openclaw_offer() {
    local kind="${1#optional }"
    local -a found extra
    case "$kind" in
    none) _message 'a value' ;;
    secret | wanted | pair)
        [[ $kind == pair ]] && compset -P '*='
        [[ $kind == wanted ]] && extra=(--wanted)
        found=("${(@f)$("$openclaw" secrets __names "$PREFIX" $extra 2>/dev/null </dev/null)}")
        compadd -a found
        ;;
    file) _files ;;
    program) _command_names -e ;;
    *) compadd -- ${(s: :)kind} ;;
    esac
}

_openclaw() {
    local openclaw="${(Q)words[1]}" at="" word current="${words[CURRENT]}" taking="" dashes="" REPLY
    local -i i position=0
    local -a reply found
    for ((i = 2; i < CURRENT; i++)); do
        word="${(Q)words[i]}"
        if [[ -n $taking ]]; then
            taking=""
        elif [[ -z $dashes && $word == -- ]]; then
            dashes=yes
        elif [[ -z $dashes && $word == -* ]]; then
            _openclaw_kind "$at:$word"
            [[ $word != *=* && -n $REPLY && $REPLY != "optional "* ]] && taking="$REPLY"
        elif ((position == 0)) && [[ "$_openclaw_commands" == *"|${at:+$at }$word|"* ]]; then
            at="${at:+$at }$word"
        else
            ((position += 1))
        fi
    done
    if [[ -n $taking ]]; then
        _openclaw_offer "$taking"
    elif [[ -z $dashes && $current == --*=* ]]; then
        _openclaw_kind "$at:${current%%=*}"
        compset -P '--[^=]#='
        [[ -n $REPLY ]] && _openclaw_offer "$REPLY"
    elif [[ -z $dashes && $current == -* ]]; then
        _openclaw_words "$at"
        found=(${(M)reply:#-*})
        _describe -o 'option' found
    else
        if ((position == 0)); then
            _openclaw_words "$at"
            found=(${reply:#-*})
            (($#found)) && _describe 'command' found
        fi
        _openclaw_kind "$at:$((position + 1))"
        [[ -n $REPLY ]] || _openclaw_kind "$at:*"
        [[ $REPLY == program ]] && ((position > 0)) && REPLY=file
        [[ -n $REPLY ]] && _openclaw_offer "$REPLY"
    fi
}

typeset -g _openclaw_commands="|secrets|secrets create|secrets set|secrets get|secrets edit|secrets list|secrets status|secrets history|secrets rollback|secrets delete|secrets restore|secrets describe|secrets refresh|secrets run|secrets inject|secrets import|secrets export|secrets copy|secrets resolve|secrets audit|secrets audit verify|secrets audit export|secrets audit import|secrets audit prune|store|store init|store check|store rekey|store backup|store restore|store slots|store slots add|store slots remove|store unlock|store lock|store accept-rollback|status|config|config show|config check|config set|config path|doctor|completion|"

if [[ $funcstack[1] == _openclaw ]]; then
    _openclaw "$@"
else
    compdef _openclaw openclaw openclaw-cli
fi
