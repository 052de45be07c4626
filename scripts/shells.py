"""The completion scripts: one way of reading a line, in the dialects of bash, zsh and fish.

A script is tables (which words a command has, what an option or a position takes) and the same
few steps in each shell: walk over the words before the cursor to find the command, then offer what
may stand there. Only the names of secrets are asked for, by `openclaw secrets __names`.
"""

from __future__ import annotations

from scripts.tree import Command


def scripts(root: Command) -> dict[str, str]:
    """Return each shell's script, by the shell's name."""
    return {"bash": _bash(root), "zsh": _zsh(root), "fish": _fish(root)}


def _words(command: Command) -> list[tuple[str, str]]:
    """Return the subcommands and the options of a command, each with what it means."""
    below = [(each.path[-1], each.summary) for each in command.commands]
    options = [(name, each.text) for each in command.options for name in each.names]
    return below + options


def _kinds(root: Command) -> list[tuple[str, str]]:
    """Return what each option and each position of each command takes, by "command:option"."""
    found = []
    for command in root.walk():
        for option in command.options:
            found += [(f"{command.name}:{name}", option.kind) for name in option.names]
        for number, argument in enumerate(command.arguments, 1):
            found.append((f"{command.name}:{'*' if argument.many else number}", argument.kind))
    return [(key, kind) for key, kind in found if kind]


def _by_kind(root: Command) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, kind in _kinds(root):
        found.setdefault(kind, []).append(key)
    return found


_BASH = """\
# bash completion of openclaw; scripts/generate.py writes it.
# eval "$(openclaw completion bash)"

_openclaw_words() {
    case "$1" in
@WORDS@    *) REPLY="" ;;
    esac
}

_openclaw_kind() {
    case "$1" in
@KINDS@    *) REPLY="" ;;
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

_openclaw_commands="@COMMANDS@"

complete -F _openclaw openclaw openclaw-cli
"""


def _bash(root: Command) -> str:
    words = ""
    for command in root.walk():
        listed = " ".join(dict.fromkeys(word for word, _ in _words(command)))
        words += f'    "{command.name}") REPLY="{listed}" ;;\n'
    kinds = ""
    for kind, keys in _by_kind(root).items():
        joined = " | ".join(f'"{key}"' for key in keys)
        kinds += f'    {joined}) REPLY="{kind}" ;;\n'
    commands = "|" + "|".join(each.name for each in root.walk() if each.path) + "|"
    return _filled(_BASH, WORDS=words, KINDS=kinds, COMMANDS=commands)


_ZSH = """\
#compdef openclaw openclaw-cli
# zsh completion of openclaw; scripts/generate.py writes it.
# eval "$(openclaw completion zsh)", after compinit; or as a file _openclaw in $fpath

_openclaw_words() {
    case "$1" in
@WORDS@    *) reply=() ;;
    esac
}

_openclaw_kind() {
    case "$1" in
@KINDS@    *) REPLY="" ;;
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

typeset -g _openclaw_commands="@COMMANDS@"

if [[ $funcstack[1] == _openclaw ]]; then
    _openclaw "$@"
else
    compdef _openclaw openclaw openclaw-cli
fi
"""


def _zsh(root: Command) -> str:
    words = ""
    for command in root.walk():
        pairs = " ".join(f"'{word}:{_quoted(text)}'" for word, text in _words(command))
        words += f'    "{command.name}") reply=({pairs}) ;;\n'
    kinds = ""
    for kind, keys in _by_kind(root).items():
        joined = " | ".join(f'"{key}"' for key in keys)
        kinds += f'    {joined}) REPLY="{kind}" ;;\n'
    commands = "|" + "|".join(each.name for each in root.walk() if each.path) + "|"
    return _filled(_ZSH, WORDS=words, KINDS=kinds, COMMANDS=commands)


_FISH = """\
# fish completion of openclaw; scripts/generate.py writes it.
# openclaw completion fish > ~/.config/fish/completions/openclaw.fish

function __openclaw_words
    switch $argv[1]
@WORDS@    end
end

function __openclaw_kind
    switch $argv[1]
@KINDS@    end
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

set -g __openclaw_commands @COMMANDS@

complete -c openclaw -f -a '(__openclaw_complete)'
complete -c openclaw-cli -f -a '(__openclaw_complete)'
"""


def _fish(root: Command) -> str:
    words = ""
    for command in root.walk():
        lines = [f"            '{word}'\\t'{_fished(text)}'" for word, text in _words(command)]
        listed = " \\\n".join(lines)
        words += f"        case '{command.name}'\n            printf '%s\\n' \\\n{listed}\n"
    kinds = ""
    for kind, keys in _by_kind(root).items():
        # A pattern in `case`: the asterisk of a position that repeats is meant as it stands.
        joined = " ".join("'" + key.replace("*", "\\*") + "'" for key in keys)
        kinds += f"        case {joined}\n            echo '{kind}'\n"
    commands = " ".join(f"'{each.name}'" for each in root.walk() if each.path)
    return _filled(_FISH, WORDS=words, KINDS=kinds, COMMANDS=commands)


def _filled(template: str, **parts: str) -> str:
    for name, text in parts.items():
        template = template.replace(f"@{name}@", text)
    return template


def _quoted(text: str) -> str:
    """Write a description inside zsh's single quotes, after the colon of `_describe`."""
    return text.replace("'", "'\\''")


def _fished(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
