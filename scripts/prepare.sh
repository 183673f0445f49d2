# shellcheck shell=bash
# What scripts/up and scripts/test share; it is sourced and starts nothing by itself.
# Sets `root`, the directory of the repository. Everything it says goes to stderr.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
gateway_dll=$root/Cerver.Silo/bin/Release/net10.0/Cerver.Silo.dll

# Beside the build that it describes, so that whoever removes the build removes this too.
built_from=$root/Cerver.Silo/bin/Release/built-from

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# The SDK keeps its packages and its own state under HOME and refuses to start without one.
require_home() {
    if [[ -z ${HOME:-} ]]; then
        HOME=$(getent passwd "$EUID" | cut -d: -f6)
        export HOME
    fi
    if [[ ! -w $HOME ]]; then
        fail "HOME is '$HOME', which cannot be written: set HOME to a directory for the packages that the build restores."
    fi
}

# Puts `dotnet` on the PATH where it is installed but not found.
require_sdk() {
    local place
    if ! command -v dotnet >/dev/null; then
        for place in "${DOTNET_ROOT:-}" "$HOME/.dotnet" /usr/share/dotnet /usr/lib/dotnet; do
            if [[ -x $place/dotnet ]]; then
                export PATH=$place:$PATH
                break
            fi
        done
    fi
    export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
    if ! (cd "$root" && dotnet --version >/dev/null 2>&1); then
        fail "Cerver needs the .NET SDK 10.0: install dotnet-sdk-10.0 with your package manager or from https://dotnet.microsoft.com/download/dotnet/10.0, then run this again."
    fi
}

# install_missing PROGRAM=PACKAGE... installs what is not there, with apt where it may, and else says what is missing and goes on.
install_missing() {
    local pair missing=()
    for pair in "$@"; do
        # Only system directories count: a sandbox sees no program that lives in somebody's home.
        if ! PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin type -P "${pair%%=*}" >/dev/null; then
            missing+=("${pair#*=}")
        fi
    done
    if ((${#missing[@]} == 0)); then
        return 0
    fi
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        say "Missing: ${missing[*]}. Install them as root with your package manager; going on without them."
        return 0
    fi
    say "Installing ${missing[*]}."
    if [[ " ${missing[*]} " == *" postgresql "* ]]; then
        forbid_main_cluster
    fi
    if ! apt_install "${missing[@]}" 2>/dev/null && ! { apt-get -qq update >&2 && apt_install "${missing[@]}"; }; then
        say "apt-get could not install ${missing[*]} (its words are above); going on without them."
    fi
}

# Debian's package would make a database server of its own on port 5432 and start it. Nobody asked for one here, and where somebody has said what
# the package is to do, that holds.
forbid_main_cluster() {
    local settings=/etc/postgresql-common/createcluster.conf
    if [[ ! -e $settings ]]; then
        mkdir -p "${settings%/*}"
        printf '# Written by Cerver before it installed PostgreSQL.\ncreate_main_cluster = false\n' >"$settings"
    fi
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

# One line that changes whenever a file that goes into the gateway is added, removed or edited.
source_state() {
    (
        cd "$root" || exit
        find Cerver.Silo Cerver.Api Cerver.Grains Cerver.Grains.Interfaces \
            Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig global.json \
            \( -name bin -o -name obj \) -prune -o -type f -printf '%p %s %T@\n' | sort | cksum
    )
}

is_built() {
    [[ -f $gateway_dll && -f $built_from && $(<"$built_from") == "$(source_state)" ]]
}

# build PROJECT_OR_SOLUTION builds the release; it must contain Cerver.Silo. Compiler servers would outlive the build, so there are none.
build() {
    local state output
    state=$(source_state)
    if ! output=$(cd "$root" && MSBUILDDISABLENODEREUSE=1 dotnet build "$1" -c Release -nologo -v quiet -clp:ErrorsOnly \
        -p:UseSharedCompilation=false </dev/null 2>&1); then
        say "$output"
        fail "The build of $1 failed; the errors are above."
    fi
    printf '%s\n' "$state" >"$built_from"
}

# supervise COMMAND... runs a gateway, passes signals on to it and ends with its exit code. With the exit code 75 its database failed and only a
# new start knows what is on disk: then it is started again, at most 5 times in a row without having been up for a minute.
supervise() {
    local code restarts=0 started leash=()
    stopping=
    interrupted=
    supervised=

    # Who kills this script with a signal that cannot be passed on means the gateway.
    if setpriv --pdeathsig KILL true 2>/dev/null; then
        leash=(setpriv --pdeathsig KILL)
    fi
    trap stop_supervised HUP INT TERM
    while true; do
        started=$SECONDS
        "${leash[@]}" "$@" &
        supervised=$!
        if [[ -n $stopping ]]; then
            kill -TERM "$supervised" 2>/dev/null || true
        fi

        # A signal ends the waiting, not the gateway.
        interrupted=1
        while [[ -n $interrupted ]]; do
            interrupted=
            code=0
            wait "$supervised" || code=$?
        done
        if ((SECONDS - started >= 60)); then
            restarts=0
        fi
        if ((code != 75 || restarts == 5)) || [[ -n $stopping ]]; then
            exit "$code"
        fi
        restarts=$((restarts + 1))
        say "The gateway ended because of its database and is started again ($restarts of 5)."
        supervised=
        sleep 1
        if [[ -n $stopping ]]; then
            exit "$code"
        fi
    done
}

# A background process of a script ignores the signal of Ctrl-C, so it gets the other one.
stop_supervised() {
    stopping=1
    interrupted=1
    if [[ -n $supervised ]]; then
        kill -TERM "$supervised" 2>/dev/null || true
    fi
}
