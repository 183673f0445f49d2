# shellcheck shell=bash
# What scripts/cluster-up and scripts/cluster-down share; it is sourced and starts nothing by itself.
# Sets `cluster`, the directory of the cluster's data, logs and process ids: CERVER_CLUSTER, or a place of the user's own.

if ((EUID == 0)); then
    cluster=${CERVER_CLUSTER:-/var/lib/cerver-cluster}
else
    cluster=${CERVER_CLUSTER:-${XDG_DATA_HOME:-$HOME/.local/share}/cerver-cluster}
fi

# What tells a process from a later one with the same id: when it started, in ticks since the machine did.
started_at() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    printf '%s' "${20}"
}

# note NAME PID remembers a process of the cluster.
note() { printf '%s %s\n' "$2" "$(started_at "$2")" >"$cluster/$1.pid"; }

# pid_of NAME prints the id of a process that was noted and still lives.
pid_of() {
    local pid start
    [[ -f $cluster/$1.pid ]] || return 1
    read -r pid start <"$cluster/$1.pid"
    [[ $(started_at "$pid") == "$start" ]] && printf '%s' "$pid"
}

# as_postgres COMMAND... runs it as a user that PostgreSQL accepts: it does not run as root.
as_postgres() {
    if ((EUID == 0)); then
        (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "$@")
    else
        "$@"
    fi
}

# The directory of PostgreSQL's programs, the newest there is.
postgres_programs() {
    local place
    for place in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
        if [[ -x $place/postgres ]]; then
            printf '%s' "$place"
            return 0
        fi
    done
    command -v postgres >/dev/null && dirname "$(command -v postgres)"
}
