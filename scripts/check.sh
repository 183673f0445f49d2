# shellcheck shell=bash
# What scripts/mcp-check and scripts/secrets-check share; it is sourced, after scripts/prepare.sh, and starts nothing by itself.
# Sets `work`, a directory that goes with the script, as does every server that `serve` started.

passed=0
failed=0
work=$(mktemp -d)
servers=()

clean_up() {
    local server
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# install_tools NAME PACKAGE... puts npm's packages into a directory of their own, which is there whole or not at all. Node must be one of them.
# Sets `tools`, the directory, and `node`, the program.
install_tools() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/cerver name=$1 draft
    shift
    tools=$cache/$name-$(printf '%s\n' "$@" | cksum | cut -d' ' -f1)
    if [[ ! -d $tools ]]; then
        say "Installing $* into $tools; the first time takes a minute."
        mkdir -p "$cache"
        draft=$(mktemp -d "$cache/draft-XXXXXX")
        printf '{"private": true}\n' >"$draft/package.json"
        # With --prefix npm would look for the machine's settings there too, and a certificate that it needs may be in them.
        if ! (cd "$draft" && timeout 300 npm install --no-audit --no-fund --no-package-lock --loglevel=error "$@") >"$work/npm" 2>&1; then
            cat "$work/npm" >&2
            rm -rf "$draft"
            fail "npm could not install what the check needs; its words are above."
        fi
        mv -T "$draft" "$tools" 2>/dev/null || rm -rf "$draft"
    fi
    node=$tools/node_modules/node/bin/node
    "$node" --version >/dev/null || fail "There is no Node in $tools: remove the directory and run this again."
}

# try NAME COMMAND... counts a check and shows what the command said when it fails.
try() {
    local name=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        passed=$((passed + 1))
        printf 'passed  %s\n' "$name"
    else
        failed=$((failed + 1))
        printf 'FAILED  %s\n' "$name"
        sed 's/^/        /' "$work/said"
    fi
}

# serve FILE COMMAND... starts a server and waits until its output is in FILE and has a line that says it is up.
serve() {
    local said=$1 attempt
    shift
    : >"$said"
    "$@" >"$said" 2>&1 &
    servers+=("$!")
    for ((attempt = 0; attempt < 150; attempt++)); do
        if grep -q '^up$\|Now listening' "$said"; then
            return 0
        fi
        sleep 0.2
    done
    cat "$said" >&2
    fail "A server of the check did not start."
}

free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)) && (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    printf '%s' "$port"
}

# require_programs PROGRAM... ends the script when one is not there.
require_programs() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || fail "The check needs $program; install it with your package manager."
    done
}

# Prints the closing line and fails when a check has.
conclude() {
    printf '%s passed, %s failed\n' "$passed" "$failed"
    ((failed == 0))
}
