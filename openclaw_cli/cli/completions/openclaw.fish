# fish completion of openclaw; scripts/generate.py writes it.
# openclaw completion fish > ~/.config/fish/completions/openclaw.fish

function __openclaw_words
    switch $argv[1]
        case ''
            printf '%s\n' \
            'secrets'\t'Keep, read, change and give away secrets.' \
            'store'\t'Look after the encrypted store.' \
            'agents'\t'Run agents, each request in a process of its own.' \
            'gateway'\t'Run the gateway, which answers for the agents.' \
            'status'\t'Show what there is and what needs a hand.' \
            'config'\t'Show, check and change settings.' \
            'interop'\t'Serve the OpenClaw gateway (Node).' \
            'doctor'\t'Find what is wrong here, and say the mend.' \
            'completion'\t'Print the completion script of a shell.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--environment'\t'Whose secrets: each environment has its own. Works in every command.' \
            '--key-fd'\t'Read the store\'s key from this descriptor. Works in every command.' \
            '--version'\t'Print the version.' \
            '--help'\t'Show this message and exit.'
        case 'secrets'
            printf '%s\n' \
            'create'\t'Keep a new secret.' \
            'set'\t'Keep a new version of a secret, or a new secret.' \
            'get'\t'Give a secret\'s value: exact bytes when piped.' \
            'edit'\t'Change a value in your editor, in memory only.' \
            'list'\t'Show all secrets, where they are and how old.' \
            'status'\t'Show one secret\'s health.' \
            'history'\t'Draw a secret\'s versions: made, promoted, last read, retired.' \
            'rollback'\t'Make an older version the current one again.' \
            'delete'\t'Delete a secret; it can be restored for 30 days.' \
            'restore'\t'Bring a deleted secret back.' \
            'describe'\t'Change what is known of a secret: its provider, its labels.' \
            'expect'\t'Say from where, by whom and when a secret is read.' \
            'refresh'\t'Fetch a secret again and replace the copy of it.' \
            'rotate'\t'Give a secret a new value, now, or by a schedule.' \
            'schedule'\t'Have what is due rotated by itself.' \
            'run'\t'Run a program with secrets, its output masked.' \
            'inject'\t'Fill the references in a template.' \
            'grant'\t'Let an agent read secrets, for a time or a number of uses.' \
            'revoke'\t'Take grants away from an agent.' \
            'grants'\t'Show which agent may read which secret, and when it last did.' \
            'import'\t'Take secrets over from a file.' \
            'export'\t'Write secrets in the format of another tool, or sealed for a job.' \
            'copy'\t'Copy secrets to another name or backend, and read them back.' \
            'scan'\t'Look for secrets in plain text.' \
            'migrate'\t'Move plain text of the OpenClaw gateway into the store.' \
            'resolve'\t'Answer the OpenClaw gateway\'s request.' \
            'audit'\t'Show who did what to which secret, and what looks wrong.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets create'
            printf '%s\n' \
            '--value'\t'The value itself: others can read it in the process list.' \
            '--value-file'\t'Take every byte of a file.' \
            '--generate'\t'Make a value: password, token, passphrase, uuid, ed25519, rsa, ssh.' \
            '--verbatim'\t'Keep the newline at the end of a piped value.' \
            '--provider'\t'The service that issued it: openai, aws, postgres, ...' \
            '--backend'\t'Where it lives: local, vault, ...' \
            '--label'\t'A label; repeatable.' \
            '--force'\t'Keep a new version where the name is taken.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets set'
            printf '%s\n' \
            '--value'\t'The value itself: others can read it in the process list.' \
            '--value-file'\t'Take every byte of a file.' \
            '--generate'\t'Make a value: password, token, passphrase, uuid, ed25519, rsa, ssh.' \
            '--verbatim'\t'Keep the newline at the end of a piped value.' \
            '--provider'\t'The service that issued it: openai, aws, postgres, ...' \
            '--backend'\t'Where it lives: local, vault, ...' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets get'
            printf '%s\n' \
            '--backend'\t'Where it lives: local, vault, ...' \
            '--fallback'\t'Look there when it is away or not there.' \
            '--clip'\t'Copy it to the clipboard, and clear that after a while.' \
            '--no-cache'\t'Ask the backend, use no copy.' \
            '--max-age'\t'The oldest copy that will do.' \
            '--offline'\t'Ask no other machine: a copy, or nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets edit'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets list'
            printf '%s\n' \
            '--filter'\t'prod/*, or provider=openai, state=ok.' \
            '--sort'\t'name, provider, version, age, ...' \
            '--columns'\t'Which; last-rotation, too.' \
            '--deleted'\t'Show what was deleted and can be restored.' \
            '--backend'\t'Where it lives: local, vault, ...' \
            '--missing'\t'Show what a .env file or a template refers to and is not there.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets status'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets history'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets rollback'
            printf '%s\n' \
            '--to'\t'The version; the one before, if not.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets delete'
            printf '%s\n' \
            '--backend'\t'Where it lives: local, vault, ...' \
            '--purge'\t'For good: it cannot be restored.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets restore'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets describe'
            printf '%s\n' \
            '--provider'\t'The service that issued it: openai, aws, postgres, ...' \
            '--label'\t'A label; repeatable.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets expect'
            printf '%s\n' \
            '--from'\t'A network, local, terminal, cron, ci.' \
            '--reader'\t'A program, a user, agent:NAME.' \
            '--hours'\t'As "mon-fri 09:00-17:30", local time.' \
            '--scope'\t'What the key may do; a rotation keeps to it.' \
            '--enforce'\t'Refuse what is not expected.' \
            '--clear'\t'Expect nothing any more.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets refresh'
            printf '%s\n' \
            '--backend'\t'Where it lives: local, vault, ...' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets rotate'
            printf '%s\n' \
            '--due'\t'All that are due; for cron.' \
            '--schedule'\t'Keep it so: daily, weekly, monthly, every:12h, or cron:0 3 * * *; never.' \
            '--tz'\t'The schedule\'s zone; UTC, if not.' \
            '--grace'\t'How long the old value stays accepted; 24h.' \
            '--until'\t'What ends that: grace, read (all have the new), either.' \
            '--with'\t'What makes the new value.' \
            '--setting'\t'A setting of the rotator; repeatable.' \
            '--tell'\t'Who is told: command:/a/program, signal:HUP:/run/app.pid, agent:NAME or gateway:/path/to/openclaw.' \
            '--compromised'\t'It leaked: revoke the old value at once.' \
            '--limit'\t'With --due: so many at most.' \
            '--all'\t'With --due: even if the clock jumped.' \
            '--notify'\t'With --due: run this when it went wrong.' \
            '--dry-run'\t'Say what would be done, and do nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets schedule'
            printf '%s\n' \
            'install'\t'Have what is due rotated every hour.' \
            'uninstall'\t'Take away what `install` put there, and nothing else.' \
            'status'\t'Say whether rotations run by themselves.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets schedule install'
            printf '%s\n' \
            '--cron'\t'A line of the crontab.' \
            '--systemd'\t'A timer of systemd\'s user.' \
            '--notify'\t'Run this when a rotation went wrong.' \
            '--dry-run'\t'Show it, and change nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets schedule uninstall'
            printf '%s\n' \
            '--dry-run'\t'Show it, and change nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets schedule status'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets run'
            printf '%s\n' \
            '--env'\t'A secret in a variable; NAME alone works.' \
            '--env-file'\t'A .env file with references as values.' \
            '--secret'\t'Every secret of that name, in its usual variable.' \
            '--allow-missing'\t'Start without the secrets that are not there.' \
            '--no-mask'\t'Do not mask the values in what the program prints.' \
            '--fallback'\t'Look there when it is away or not there.' \
            '--no-cache'\t'Ask the backend, use no copy.' \
            '--max-age'\t'The oldest copy that will do.' \
            '--offline'\t'Ask no other machine: a copy, or nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets inject'
            printf '%s\n' \
            '--out'\t'Where to; 0600.' \
            '-o'\t'Where to; 0600.' \
            '--force'\t'Replace the file.' \
            '--fallback'\t'Look there when it is away or not there.' \
            '--no-cache'\t'Ask the backend, use no copy.' \
            '--max-age'\t'The oldest copy that will do.' \
            '--offline'\t'Ask no other machine: a copy, or nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets grant'
            printf '%s\n' \
            '--expires'\t'For how long: 24h, 7d.' \
            '--uses'\t'How many times each may be read.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets revoke'
            printf '%s\n' \
            '--all'\t'Take all of the agent\'s grants away.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets grants'
            printf '%s\n' \
            '--unused'\t'Only those not used for this long.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets import'
            printf '%s\n' \
            '--format'\t'dotenv, json, yaml, toml, shell, github, kubernetes.' \
            '--prefix'\t'Put this in front of each name.' \
            '--overwrite'\t'Keep new versions of names that are taken.' \
            '--dry-run'\t'Say what would be done, and do nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets export'
            printf '%s\n' \
            '--format'\t'dotenv, json, yaml, toml, shell, github, kubernetes.' \
            '--all'\t'Every secret.' \
            '--out'\t'Where to; 0600.' \
            '--output'\t'Where to; 0600.' \
            '-o'\t'Where to; 0600.' \
            '--force'\t'Replace the file.' \
            '--sealed'\t'A bundle: sealed, with a key of its own.' \
            '--for-ci'\t'A bundle: sealed, with a key of its own.' \
            '--expires'\t'Until when a bundle is read.' \
            '--key-file'\t'Where its key goes, or is.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets copy'
            printf '%s\n' \
            '--to'\t'Where to: vault, local, ...' \
            '--from'\t'Where from; local, if not.' \
            '--environment'\t'To that environment, default too.' \
            '--all'\t'Every secret of --from.' \
            '--overwrite'\t'Keep a new version where the name is taken.' \
            '--dry-run'\t'Say what would be done, and do nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'secrets scan'
            printf '%s\n' \
            '--staged'\t'Look at what is about to be committed.' \
            '--no-history'\t'Leave the history of repositories out.' \
            '--baseline'\t'Pass over what it accepts.' \
            '--update-baseline'\t'Accept what is found from now on.' \
            '--sarif'\t'Answer in SARIF 2.1.0, for code scanning.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets migrate'
            printf '%s\n' \
            '--gateway'\t'The gateway\'s own openclaw.' \
            '--provider'\t'What the gateway is to call us.' \
            '--shred'\t'Overwrite and remove copies with plain text, too.' \
            '--undo'\t'Put back what the last one changed.' \
            '--plan'\t'Write a plan for the gateway\'s own means.' \
            '--dry-run'\t'Say what would be done, and do nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets resolve'
            printf '%s\n' \
            '--allow'\t'Hand out only what fits: openai-*; may be repeated.' \
            '--previous'\t'Hand out the versions before the current ones.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets audit'
            printf '%s\n' \
            'verify'\t'Prove the chain: every record, every file, and both ends.' \
            'export'\t'Write the records of a period, of all time if none is named.' \
            'report'\t'Write a page about a period, for people: who read what, when, and what looks wrong.' \
            'import'\t'Take back the records that a job left of reading a bundle.' \
            'prune'\t'Remove the oldest files of the trail, and record that they were.' \
            '--period'\t'7d, today, yesterday, 2026-11-01..2026-11-20' \
            '--name'\t'One secret, or a pattern: prod/*' \
            '--actor'\t'A user, agent, program, address, cron, ci.' \
            '--action'\t'read, get, run, set, delete, store...' \
            '--follow'\t'Go on showing what is added, until Ctrl-C.' \
            '--limit'\t'Show the newest N events; 0 for all.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets audit verify'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets audit export'
            printf '%s\n' \
            '--format'\t'As it stands, or a table.' \
            '--period'\t'7d, today, yesterday, 2026-11-01..2026-11-20' \
            '-o'\t'Where to; - for the output.' \
            '--output'\t'Where to; - for the output.' \
            '--force'\t'Replace a file that is there.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets audit report'
            printf '%s\n' \
            '--period'\t'7d, today, yesterday, 2026-11-01..2026-11-20' \
            '--format'\t'As text, or as a page.' \
            '-o'\t'Where to; - for the output.' \
            '--output'\t'Where to; - for the output.' \
            '--force'\t'Replace a file that is there.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets audit import'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'secrets audit prune'
            printf '%s\n' \
            '--before'\t'How old what goes is, or a date.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store'
            printf '%s\n' \
            'init'\t'Make the store and choose how it is unlocked.' \
            'check'\t'Verify every byte of the store and of the trail.' \
            'rekey'\t'Give the store a new data key; the values stay.' \
            'backup'\t'Write a sealed copy of the store.' \
            'restore'\t'Put a backup in place.' \
            'slots'\t'Show, add and remove the keys that open the store.' \
            'unlock'\t'Keep the store unlocked for a while.' \
            'lock'\t'Forget an unlocked store\'s key.' \
            'accept-rollback'\t'Accept a store or trail that you put back yourself.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store init'
            printf '%s\n' \
            '--key'\t'file, passphrase, keyring, ...' \
            '--no-key-file'\t'A keyring where there is one, else a passphrase.' \
            '--no-recovery'\t'Make no recovery key: the key is the only one.' \
            '--passphrase-file'\t'Read the passphrase there (-: standard input).' \
            '--recovery-file'\t'Write the recovery key there, for its owner alone.' \
            '--key-id'\t'The key of AWS KMS, or of Vault\'s transit engine.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store check'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store rekey'
            printf '%s\n' \
            '--drop'\t'Drop a slot whose key is not at hand.' \
            '--passphrase-file'\t'Read the passphrase there (-: standard input).' \
            '--recovery-file'\t'Read the recovery key there (-: standard input).' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store backup'
            printf '%s\n' \
            '--force'\t'Replace the file.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store restore'
            printf '%s\n' \
            '--replace'\t'Also where another store is; that one is kept aside.' \
            '--drill'\t'Only prove that it could be: nothing is put in place.' \
            '--recovery'\t'Open it with the recovery key.' \
            '--recovery-file'\t'Read the recovery key there (-: standard input).' \
            '--passphrase-file'\t'Read the passphrase there (-: standard input).' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store slots'
            printf '%s\n' \
            'add'\t'Add a key: file, passphrase, keyring, recovery, aws-kms or vault-transit.' \
            'remove'\t'Take a key away; never the last one.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store slots add'
            printf '%s\n' \
            '--passphrase-file'\t'Read the passphrase there (-: standard input).' \
            '--recovery-file'\t'Write the recovery key there, for its owner alone.' \
            '--key-id'\t'The key of AWS KMS, or of Vault\'s transit engine.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store slots remove'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store unlock'
            printf '%s\n' \
            '--for'\t'For how long.' \
            '--recovery'\t'Open it with the recovery key.' \
            '--recovery-file'\t'Read the recovery key there (-: standard input).' \
            '--passphrase-file'\t'Read the passphrase there (-: standard input).' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store lock'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'store accept-rollback'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'agents'
            printf '%s\n' \
            'list'\t'Show the agents of the settings.' \
            'status'\t'Show the agents of the running gateway and what they do.' \
            'run'\t'Give an agent one request and print its answer; no gateway is needed.' \
            'node'\t'Take requests from the broker for the gateway here: one machine of several.' \
            'spawn'\t'Bind a thread to an instance, before its first request.' \
            'close'\t'End a session, when its present turn has ended.' \
            'restart'\t'Start an agent anew, or all of them; nothing that was accepted is lost.' \
            'stop'\t'End a thread now, or all of an agent until it is restarted.' \
            'logs'\t'Show the agents\' log, of one agent, thread or request.' \
            'top'\t'Watch the instances: what each does, for how long, with how much memory.' \
            'cleanup'\t'End sessions that have been idle for a while.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'agents list'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'agents status'
            printf '%s\n' \
            '--verbose'\t'Show each running instance and session.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'agents run'
            printf '%s\n' \
            '--input'\t'The input, - for standard input; JSON.' \
            '--text'\t'The input is text, not JSON.' \
            '--thread'\t'The thread, a conversation.' \
            '--no-gateway'\t'Run it here, though a gateway is running.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'agents node'
            printf '%s\n' \
            '--name'\t'This machine\'s name; its host name, if not.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'agents spawn'
            printf '%s\n' \
            '--thread'\t'The thread, a conversation.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'agents close'
            printf '%s\n' \
            '--thread'\t'The thread, a conversation.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'agents restart'
            printf '%s\n' \
            '--now'\t'End running requests instead of waiting for them.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'agents stop'
            printf '%s\n' \
            '--thread'\t'The thread, a conversation.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'agents logs'
            printf '%s\n' \
            '--agent'\t'' \
            '--thread'\t'The thread, a conversation.' \
            '--request'\t'' \
            '--follow'\t'Go on with what comes.' \
            '--lines'\t'How many at most.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'agents top'
            printf '%s\n' \
            '--every'\t'How often it is drawn.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'agents cleanup'
            printf '%s\n' \
            '--idle'\t'For how long nothing was asked of it.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--name'\t'The name, where it is not given by its position.' \
            '--help'\t'Show this message and exit.'
        case 'gateway'
            printf '%s\n' \
            'run'\t'Run the gateway here until it is stopped: for systemd, containers, CI.' \
            'start'\t'Start the gateway in the background; it serves when this returns.' \
            'stop'\t'Stop the gateway when what it accepted is answered.' \
            'restart'\t'Begin the gateway anew in its place: nobody is refused, what was accepted is answered.' \
            'reload'\t'Read the settings again; agents that changed are started anew, nothing is refused.' \
            'status'\t'Show whether the gateway runs, where, and what its agents do.' \
            'install'\t'Write a systemd unit for this user, so that the gateway starts with the machine.' \
            'uninstall'\t'Stop the gateway that systemd runs for this user, and take its unit away.' \
            'alert-rules'\t'Print the alerts as a rules file for Prometheus, or what else it and Grafana need.' \
            'link'\t'Print a link that opens the status page in a browser, once and soon.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'gateway run'
            printf '%s\n' \
            '--port'\t'Where it listens; 0 for any.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'gateway start'
            printf '%s\n' \
            '--port'\t'Where it listens; 0 for any.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'gateway stop'
            printf '%s\n' \
            '--wait'\t'How long running requests may take to end.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'gateway restart'
            printf '%s\n' \
            '--wait'\t'How long running requests may take to end.' \
            '--force'\t'Do not wait for what is running.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'gateway reload'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'gateway status'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'gateway install'
            printf '%s\n' \
            '--print'\t'Print the unit, write nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'gateway uninstall'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'gateway alert-rules'
            printf '%s\n' \
            '--scrape'\t'Print the prometheus.yml that asks the gateway.' \
            '--dashboard'\t'Print a dashboard to import into Grafana.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'gateway link'
            printf '%s\n' \
            '--expires'\t'For how long it opens the page.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'status'
            printf '%s\n' \
            '--secrets'\t'Show each secret: its age, and who read it last.' \
            '--agents'\t'Show the agents.' \
            '--verbose'\t'Show all there is.' \
            '--version'\t'Print the version.' \
            '--watch'\t'Draw the agents again and again, until Ctrl-C.' \
            '--check'\t'End with status 10 when something needs a hand.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'config'
            printf '%s\n' \
            'show'\t'Show the settings and where each comes from.' \
            'check'\t'Check a settings file before it is used.' \
            'set'\t'Change a setting.' \
            'path'\t'Say where the settings are.' \
            'trust'\t'Use a project\'s own settings file, or use it no longer.' \
            'upgrade'\t'Take the state directory to the present: formats, and older spellings in openclaw.json.' \
            'convert'\t'Write a configuration in another language, without its comments.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'config show'
            printf '%s\n' \
            '--origin'\t'Say the file and the line a value comes from.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'config check'
            printf '%s\n' \
            '--explain'\t'Say how each key about secrets was understood.' \
            '--practices'\t'Look whether it keeps the practices, too.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'config set'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'config path'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'config trust'
            printf '%s\n' \
            '--forget'\t'Use the project\'s file no longer.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'config upgrade'
            printf '%s\n' \
            '--dry-run'\t'Show what would be changed, and change nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'config convert'
            printf '%s\n' \
            '--to'\t'json, toml or yaml.' \
            '--output'\t'Where to; 0600.' \
            '-o'\t'Where to; 0600.' \
            '--force'\t'Replace the file.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'interop'
            printf '%s\n' \
            'setup'\t'Make the OpenClaw gateway fetch its keys from here.' \
            'reload'\t'Have the running OpenClaw gateway take new values.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'interop setup'
            printf '%s\n' \
            '--name'\t'What the gateway is to call us.' \
            '--state-dir'\t'The gateway\'s state directory.' \
            '--gateway'\t'The gateway\'s own openclaw.' \
            '--allow'\t'Hand out only what fits: openai-*; may be repeated.' \
            '--dry-run'\t'Say what would be done, and do nothing.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'interop reload'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'doctor'
            printf '%s\n' \
            '--checklist'\t'Look at the practices instead: kept, or not.' \
            '--fix'\t'With --checklist: mend what is safe to mend.' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
        case 'completion'
            printf '%s\n' \
            '--json'\t'Answer in JSON, errors too.' \
            '--quiet'\t'Say nothing that is not the answer, a warning or an error.' \
            '--no-input'\t'Never ask; fail and say what is missing.' \
            '--yes'\t'Answer yes to every question.' \
            '--help'\t'Show this message and exit.'
    end
end

function __openclaw_kind
    switch $argv[1]
        case ':--environment' 'secrets create:--name' 'secrets set:--name' 'secrets get:--name' 'secrets get:1' 'secrets edit:--name' 'secrets edit:1' 'secrets status:--name' 'secrets status:1' 'secrets history:--name' 'secrets history:1' 'secrets rollback:--name' 'secrets rollback:1' 'secrets delete:--name' 'secrets delete:1' 'secrets restore:--name' 'secrets describe:--name' 'secrets describe:1' 'secrets expect:--name' 'secrets expect:1' 'secrets refresh:--name' 'secrets refresh:1' 'secrets rotate:--name' 'secrets rotate:1' 'secrets run:--secret' 'secrets grant:\*' 'secrets revoke:\*' 'secrets export:\*' 'secrets copy:--environment' 'secrets copy:--name' 'secrets copy:1' 'secrets resolve:--allow' 'secrets audit:--name' 'agents status:--name' 'agents status:1' 'agents run:--name' 'agents run:1' 'agents node:--name' 'agents spawn:--name' 'agents spawn:1' 'agents close:--name' 'agents close:1' 'agents restart:--name' 'agents restart:1' 'agents stop:--name' 'agents stop:1' 'agents logs:--agent' 'agents cleanup:--name' 'agents cleanup:1' 'interop setup:--name' 'interop setup:--allow' 'interop reload:\*'
            echo 'secret'
        case ':--key-fd' 'secrets create:--value' 'secrets create:--backend' 'secrets create:--label' 'secrets set:--value' 'secrets set:--backend' 'secrets get:--backend' 'secrets get:--fallback' 'secrets get:--max-age' 'secrets list:--filter' 'secrets list:--sort' 'secrets list:--columns' 'secrets list:--backend' 'secrets rollback:--to' 'secrets delete:--backend' 'secrets restore:1' 'secrets describe:--label' 'secrets expect:--from' 'secrets expect:--reader' 'secrets expect:--hours' 'secrets expect:--scope' 'secrets refresh:--backend' 'secrets rotate:--schedule' 'secrets rotate:--tz' 'secrets rotate:--grace' 'secrets rotate:--until' 'secrets rotate:--with' 'secrets rotate:--setting' 'secrets rotate:--tell' 'secrets rotate:--limit' 'secrets rotate:--notify' 'secrets schedule install:--notify' 'secrets run:--fallback' 'secrets run:--max-age' 'secrets inject:--fallback' 'secrets inject:--max-age' 'secrets grant:--expires' 'secrets grant:--uses' 'secrets grant:1' 'secrets revoke:1' 'secrets grants:--unused' 'secrets grants:1' 'secrets import:--prefix' 'secrets export:--expires' 'secrets copy:--to' 'secrets copy:--from' 'secrets copy:2' 'secrets scan:\*' 'secrets migrate:1' 'secrets audit:--period' 'secrets audit:--actor' 'secrets audit:--action' 'secrets audit:--limit' 'secrets audit export:--period' 'secrets audit report:--period' 'secrets audit import:1' 'secrets audit prune:--before' 'store init:--key-id' 'store slots add:--key-id' 'store unlock:--for' 'agents run:--thread' 'agents spawn:--thread' 'agents close:--thread' 'agents stop:--thread' 'agents logs:--thread' 'agents logs:--request' 'agents logs:--lines' 'agents top:--every' 'agents cleanup:--idle' 'gateway run:--port' 'gateway start:--port' 'gateway stop:--wait' 'gateway restart:--wait' 'gateway link:--expires' 'config set:2' 'config trust:1' 'config convert:--to' 'interop setup:--state-dir'
            echo 'none'
        case 'secrets create:--value-file' 'secrets set:--value-file' 'secrets list:--missing' 'secrets run:--env-file' 'secrets inject:--out' 'secrets inject:-o' 'secrets inject:1' 'secrets import:1' 'secrets export:--out' 'secrets export:--output' 'secrets export:-o' 'secrets export:--key-file' 'secrets scan:--baseline' 'secrets migrate:--plan' 'secrets audit export:-o' 'secrets audit export:--output' 'secrets audit report:-o' 'secrets audit report:--output' 'store init:--passphrase-file' 'store init:--recovery-file' 'store rekey:--passphrase-file' 'store rekey:--recovery-file' 'store backup:1' 'store restore:--recovery-file' 'store restore:--passphrase-file' 'store restore:1' 'store slots add:--passphrase-file' 'store slots add:--recovery-file' 'store unlock:--recovery-file' 'store unlock:--passphrase-file' 'agents run:--input' 'config check:1' 'config upgrade:1' 'config convert:--output' 'config convert:-o' 'config convert:1'
            echo 'file'
        case 'secrets create:--generate' 'secrets set:--generate'
            echo 'optional ed25519 passphrase password rsa ssh token uuid'
        case 'secrets create:--provider' 'secrets set:--provider' 'secrets describe:--provider' 'secrets migrate:--provider'
            echo 'anthropic aws azure-openai brave cohere deepseek discord elevenlabs gemini generic github google groq huggingface mistral mysql notion openai openrouter postgres replicate sendgrid slack stripe tavily telegram twilio xai'
        case 'secrets create:1' 'secrets set:1'
            echo 'wanted'
        case 'secrets run:--env'
            echo 'pair'
        case 'secrets run:\*' 'secrets migrate:--gateway' 'interop setup:--gateway'
            echo 'program'
        case 'secrets import:--format' 'secrets export:--format' 'secrets audit export:--format' 'secrets audit report:--format'
            echo 'dotenv json yaml toml shell github kubernetes'
        case 'store init:--key' 'store rekey:--drop' 'store slots add:1' 'store slots remove:1'
            echo 'file passphrase keyring recovery aws-kms vault-transit'
        case 'config set:1'
            echo 'backend cache.seconds cache.stale-seconds store.versions store.deleted-days store.anchor audit.segment-bytes run.mask clipboard.seconds unlock.seconds status.old-days rotation.tell-pause rotation.tell-most'
        case 'completion:1'
            echo 'bash zsh fish'
    end
end

function __openclaw_offer --argument-names program kind word before
    set kind (string replace -r '^optional ' '' -- $kind)
    switch $kind
        case none ''
        case secret wanted pair
            if test $kind = pair; and string match -q '*=*' -- $word
                set before $before(string replace -r '=.*' '=' -- $word)
                set word (string replace -r '^[^=]*=' '' -- $word)
            end
            set -l extra
            test $kind = wanted; and set extra --wanted
            for name in ($program secrets __names "$word" $extra 2>/dev/null </dev/null)
                echo $before$name
            end
        case file
            for name in (__fish_complete_path "$word")
                echo $before$name
            end
        case program
            __fish_complete_command
        case '*'
            for choice in (string split ' ' -- $kind)
                echo $before$choice
            end
    end
end

function __openclaw_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -l at ''
    set -l position 0
    set -l taking ''
    set -l dashes ''
    for word in $words[2..-1]
        if test -n "$taking"
            set taking ''
        else if test -z "$dashes"; and test "$word" = --
            set dashes yes
        else if test -z "$dashes"; and string match -q -- '-*' $word
            set -l kind (__openclaw_kind "$at:$word")
            if test -n "$kind"; and not string match -q 'optional *' -- $kind
                set taking $kind
            end
        else
            set -l deeper (string trim -- "$at $word")
            if test $position -eq 0; and contains -- $deeper $__openclaw_commands
                set at $deeper
            else
                set position (math $position + 1)
            end
        end
    end
    if test -n "$taking"
        __openclaw_offer $program $taking "$current" ''
    else if test -z "$dashes"; and string match -q -- '--*=*' $current
        set -l option (string replace -r '=.*' '' -- $current)
        set -l kind (__openclaw_kind "$at:$option")
        __openclaw_offer $program "$kind" (string replace -r '^[^=]*=' '' -- $current) $option=
    else if test -z "$dashes"; and string match -q -- '-*' $current
        __openclaw_words "$at" | string match -- '-*'
    else
        if test $position -eq 0
            __openclaw_words "$at" | string match -v -- '-*'
        end
        set -l kind (__openclaw_kind "$at:"(math $position + 1))
        test -n "$kind"; or set kind (__openclaw_kind "$at:*")
        if test "$kind" = program; and test $position -gt 0
            set kind file
        end
        __openclaw_offer $program "$kind" "$current" ''
    end
end

set -g __openclaw_commands 'secrets' 'secrets create' 'secrets set' 'secrets get' 'secrets edit' 'secrets list' 'secrets status' 'secrets history' 'secrets rollback' 'secrets delete' 'secrets restore' 'secrets describe' 'secrets expect' 'secrets refresh' 'secrets rotate' 'secrets schedule' 'secrets schedule install' 'secrets schedule uninstall' 'secrets schedule status' 'secrets run' 'secrets inject' 'secrets grant' 'secrets revoke' 'secrets grants' 'secrets import' 'secrets export' 'secrets copy' 'secrets scan' 'secrets migrate' 'secrets resolve' 'secrets audit' 'secrets audit verify' 'secrets audit export' 'secrets audit report' 'secrets audit import' 'secrets audit prune' 'store' 'store init' 'store check' 'store rekey' 'store backup' 'store restore' 'store slots' 'store slots add' 'store slots remove' 'store unlock' 'store lock' 'store accept-rollback' 'agents' 'agents list' 'agents status' 'agents run' 'agents node' 'agents spawn' 'agents close' 'agents restart' 'agents stop' 'agents logs' 'agents top' 'agents cleanup' 'gateway' 'gateway run' 'gateway start' 'gateway stop' 'gateway restart' 'gateway reload' 'gateway status' 'gateway install' 'gateway uninstall' 'gateway alert-rules' 'gateway link' 'status' 'config' 'config show' 'config check' 'config set' 'config path' 'config trust' 'config upgrade' 'config convert' 'interop' 'interop setup' 'interop reload' 'doctor' 'completion'

complete -c openclaw -f -a '(__openclaw_complete)'
complete -c openclaw-cli -f -a '(__openclaw_complete)'
