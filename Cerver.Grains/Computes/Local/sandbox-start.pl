#!/usr/bin/perl
# Becomes the first process of a sandbox. One process that makes a few system calls, where setsid, unshare, mount, chown and
# setpriv in a shell would be ten processes and most of the time that a sandbox takes to come up.
#
#   sandbox-start.pl MACHINE USER CGROUP SPARE MOST FILES SOCKET WORKSPACE COMMAND...
#
# MACHINE is x86_64 or aarch64. USER is the user id of its own that the sandbox gets, or - for the one that this script has. With an id of its own the command
# must reach files below directories that are root's alone, so in a mount namespace that only it sees they appear as /mnt/files,
# /mnt/socket and /mnt/workspace. CGROUP is the directory of the control group that it goes into, or - for none. SPARE is how many of the
# processors are left to others, and MOST how many of the rest it may use, or - for all. The seccomp filter is the command's file descriptor 3.
use strict;

my %calls = (
    x86_64 => {
        close => 3, setsid => 112, unshare => 272, mount => 165, prctl => 157, setgroups => 116, setresgid => 119, setresuid => 117,
        sched_setaffinity => 203, sched_getaffinity => 204,
    },
    aarch64 => {
        close => 57, setsid => 157, unshare => 97, mount => 40, prctl => 167, setgroups => 159, setresgid => 149, setresuid => 147,
        sched_setaffinity => 122, sched_getaffinity => 123,
    },
);

my ($machine, $user, $cgroup, $spare, $most, $files, $socket, $workspace, @command) = @ARGV;
my $call = $calls{$machine} or die "no system call numbers for this machine\n";

# All that comes from here on is in the sandbox's own control group, and counts there.
if ($cgroup ne '-') {
    open(my $members, '>', "$cgroup/cgroup.procs") or die "$cgroup: $!\n";
    print $members "$$\n";
    close $members or die "$cgroup: $!\n";
}

choose_processors() if $spare > 0 || $most ne '-';

# In a session of its own an interrupt in the gateway's terminal reaches the gateway alone, which then ends things in order.
ask('setsid');
open(STDIN,  '<', '/dev/null') or die "/dev/null: $!\n";
open(STDOUT, '>', '/dev/null') or die "/dev/null: $!\n";

# When memory runs out the kernel should end what the agents started before it ends the gateway. It may be forbidden to say so.
if (open(my $score, '>', '/proc/self/oom_score_adj')) {
    print $score 500;
    close $score;
}

# What the gateway itself was started with stays outside: a lock, a socket, a log.
opendir(my $open, '/proc/self/fd') or die "/proc/self/fd: $!\n";
my @inherited = grep { /^[0-9]+$/ && $_ > 2 } readdir $open;
closedir $open;
syscall($call->{close}, $_ + 0) for @inherited;

$^F = 3;
open(my $filter, '<', "$files/seccomp.bpf") or die "$files/seccomp.bpf: $!\n";
fileno($filter) == 3 or die "file descriptor 3 is taken\n";

if ($user eq '-') {
    chdir $workspace or die "$workspace: $!\n";
}
else {
    chdir '/' or die "/: $!\n";
    own_workspace();
    show_files();
    drop_root();
}
exec { $command[0] } @command or die "$command[0]: $!\n";

# Whatever runs in the sandbox, the gateway finds a processor free: the kernel lets a program that wakes up wait for its next tick, 4 ms
# or more, when all of them are busy with another session's programs. Of the rest sandboxes begin at different ones. The filter keeps
# programs from taking more.
sub choose_processors {
    my $set = "\0" x 1024;
    syscall($call->{sched_getaffinity}, 0, length $set, $set) > 0 or die "sched_getaffinity: $!\n";
    my @there = split(//, unpack('b*', $set));
    my @processors = grep { $there[$_] } 0 .. $#there;
    splice(@processors, 0, $spare < @processors ? $spare : $#processors);
    if ($most ne '-' && $most < @processors) {
        my $first = $$ % @processors;
        @processors = (@processors, @processors)[$first .. $first + $most - 1];
    }
    my $chosen = "\0" x length $set;
    vec($chosen, $_, 1) = 1 for @processors;
    ask('sched_setaffinity', 0, length $chosen, $chosen);
}

sub own_workspace {
    my ($owner) = (lstat $workspace)[4];
    defined $owner or die "$workspace: $!\n";
    return if $owner == $user;

    # The top directory is changed last, so a change that was interrupted is done again. Links in there are not followed: the
    # files are hostile.
    opendir(my $directory, $workspace) or die "$workspace: $!\n";
    my $files = grep { $_ ne '.' && $_ ne '..' } readdir $directory;
    closedir $directory;
    if ($files) {
        system('/bin/chown', '-hR', "$user:$user", '--', $workspace) == 0 or die "chown -hR failed\n";
    }
    else {
        chown($user, $user, $workspace) == 1 or die "chown: $!\n";
    }
}

sub show_files {
    my ($new_namespace, $recursive_private, $no_setuid_no_devices, $bind) = (0x20000, 0x44000, 6, 4096);
    ask('unshare', $new_namespace);
    mount('none', '/', 'none', $recursive_private, '');
    mount('cerver', '/mnt', 'tmpfs', $no_setuid_no_devices, 'mode=0755,size=64k');
    for my $name ('files', 'workspace') {
        mkdir "/mnt/$name" or die "/mnt/$name: $!\n";
    }
    open(my $place, '>', '/mnt/socket') or die "/mnt/socket: $!\n";
    close $place;
    chown($user, $user, $socket) == 1 or die "chown: $!\n";
    mount($files, '/mnt/files', 'none', $bind, '');
    mount($socket, '/mnt/socket', 'none', $bind, '');
    mount($workspace, '/mnt/workspace', 'none', $bind, '');
}

sub drop_root {
    my ($no_new_privileges) = (38);
    $user += 0;
    ask('setgroups', 0, 0);
    ask('setresgid', $user, $user, $user);
    ask('setresuid', $user, $user, $user);
    ask('prctl', $no_new_privileges, 1, 0, 0, 0);
    open(my $status, '<', '/proc/self/status') or die "/proc/self/status: $!\n";
    my $still_root = grep { /^(Uid|Gid):/ && /\t0\b/ || /^Groups:.*\d/ || /^Cap(Prm|Eff|Amb):.*[1-9a-f]/ } <$status>;
    die "still something of root\n" if $still_root;
}

sub mount {
    my ($source, $target, $type, $flags, $data) = @_;
    ask('mount', $source, $target, $type, $flags, $data);
}

# A literal cannot be handed to the kernel, which might write to it: arguments are copies.
sub ask {
    my ($name, @arguments) = @_;
    my $number = $call->{$name};
    my @six = (@arguments, (0) x (6 - @arguments));
    syscall($number, $six[0], $six[1], $six[2], $six[3], $six[4], $six[5]) >= 0 or die "$name: $!\n";
}
