#!/bin/sh
# Becomes the first process of a sandbox.
#
#   sandbox-start.sh USER FILES SOCKET WORKSPACE COMMAND...
#
# USER is the user id of its own that the sandbox gets, or - for the one that this script has. With an id of its own the command
# must reach files below directories that are root's alone, so in a mount namespace that only it sees they appear as /mnt/files,
# /mnt/socket and /mnt/workspace. The seccomp filter is the command's file descriptor 3.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
user=$1 files=$2 socket=$3 workspace=$4
shift 4
exec </dev/null >/dev/null 3<"$files/seccomp.bpf"

# When memory runs out the kernel should end what the agents started before it ends the gateway.
{ echo 500 >/proc/self/oom_score_adj; } 2>/dev/null || :

if [ "$user" = - ]; then
    cd "$workspace"
    exec "$@"
fi

cd /
mount -t tmpfs -o mode=0755,size=64k,nosuid,nodev cerver /mnt
mkdir /mnt/files /mnt/workspace
: >/mnt/socket

# The top directory is changed last, so a change that was interrupted is done again. Links in there are not followed: the files
# are hostile.
[ "$(stat -c %u "$workspace")" = "$user" ] || chown -hR "$user:$user" "$workspace"
chown "$user" "$socket"
mount --bind "$files" /mnt/files
mount --bind "$socket" /mnt/socket
mount --bind "$workspace" /mnt/workspace
exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --inh-caps=-all "$@"
