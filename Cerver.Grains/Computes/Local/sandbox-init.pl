#!/usr/bin/perl
# Process 1 of a sandbox: starts programs for the gateway, carries their output to it and ends them.
#
#   sandbox-init.pl SOCKET MAX_PROCESSES MAX_OPEN_FILES MAX_FILE_BYTES MAX_DATA_BYTES        a limit of - is left as it is
#
# Perl, because every sandbox has one of these: perl-base is on every Debian and Ubuntu, is up in a few ms and takes 7 MB, where a
# .NET process takes 60 ms and 40 MB. Core modules only.
#
# Frames, both ways, numbers big-endian:  [u32 length of what follows] [u8 type] [u32 process] [payload]
#
#   from the gateway    1 start    u8 runtime, then with a u32 length each: code, name, value, name, value ...
#                       2 stop     u8 signal, 15 or 9, for the program and everything it started
#   to the gateway      1 ready    once, first
#                       2 started
#                       3 failed   u8 reason, 1 too many, 2 no such runtime, 3 no process could be made
#                       4 stdout   bytes
#                       5 stderr   bytes
#                       6 exit     u8 code; all output of the program went before
#
# Every program has a supervisor, a fork of this script that adopts whatever the program leaves behind, so all that a run ever
# started stays below one process. Supervisors are as killable as everything else in here; process 1 is not, so it does the killing.
use strict;
use warnings;
use POSIX ();
use Socket ();

use constant {
    START => 1, STOP => 2,
    READY => 1, STARTED => 2, FAILED => 3, STDOUT_DATA => 4, STDERR_DATA => 5, EXIT => 6,
    TOO_MANY => 1, NO_RUNTIME => 2, NO_PROCESS => 3,
    MAX_FRAME => 1 << 20,
    MAX_READ  => 64 * 1024,

    # Beyond this much unsent output no more is read: programs wait until the gateway takes it.
    MAX_UNSENT => 256 * 1024,

    # Ended runs count as long as something they left behind is alive. Three file descriptors each.
    MAX_RUNS => 128,

    # The kernel takes 128 KiB for one argument.
    MAX_ARGUMENT => 100 * 1024,

    # How often processes that must end are looked for, in seconds, and how often until the supervisor itself is ended.
    KILL_INTERVAL => 0.02,
    KILL_PATIENCE => 50,

    FIONREAD => 0x541B,
};

my %calls = (
    x86_64  => { prctl => 157, prlimit64 => 302, memfd_create => 319 },
    aarch64 => { prctl => 167, prlimit64 => 261, memfd_create => 279 },
);
my $call = $calls{ (POSIX::uname())[4] } or die "no system call numbers for this machine\n";

# What each runtime executes: for code in an argument, and for code in the open file that is its standard input or /dev/fd/N.
my %runtimes = (
    1 => {
        path => '/bin/bash',
        code => sub { ('bash', '-lc', $_[0]) },
        file => sub { ('bash', '-lc', "eval \"exec $_[0]<&-; \$(</dev/fd/$_[0])\"") },
    },
    2 => { path => find('node'),    code => sub { ('node', '-e', $_[0]) },    file => sub { ('node', '-') },    stdin => 1 },
    3 => { path => find('python3'), code => sub { ('python3', '-c', $_[0]) }, file => sub { ('python3', '-') }, stdin => 1 },
);

# All that can be caught. A program that signals every process must not take its own supervisor along.
my @signals = qw(HUP INT QUIT USR1 USR2 PIPE ALRM TERM TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR);

my %runs;            # number => run: supervisor, status, pipes, started, ended, terminate, killing
my %supervisors;     # process id => 1
my $orphans = 0;     # whether a supervisor was killed and left processes that must end
my $received = '';
my $unsent = '';
my $gateway;

prepare();
send_frame(READY, 0, '');
serve();

sub prepare {
    my ($path, $max_processes, $max_open_files, $max_file_bytes, $max_data_bytes) = @ARGV;

    # Whatever a library of the gateway forgot to close is nobody's business in here.
    opendir(my $directory, '/proc/self/fd') or die "/proc: $!\n";
    my @inherited = grep { /^\d+$/ && $_ > 2 } readdir $directory;
    closedir $directory;
    POSIX::close($_) for @inherited;

    $SIG{$_} = 'IGNORE' for @signals;
    $SIG{CHLD} = 'DEFAULT';
    POSIX::sigprocmask(POSIX::SIG_SETMASK(), POSIX::SigSet->new);
    umask 022;

    limit(1, $max_file_bytes) if $max_file_bytes ne '-';
    limit(2, $max_data_bytes) if $max_data_bytes ne '-';
    limit(4, 0);
    limit(6, $max_processes) if $max_processes ne '-';
    limit(7, $max_open_files) if $max_open_files ne '-';

    # Not dumpable: programs have the same user id, and must not find the gateway's socket or another run's environment in /proc.
    control(4, 0);

    # Outside a container this is not process 1, and would lose what a killed supervisor leaves behind.
    control(36, 1);

    socket($gateway, Socket::PF_UNIX(), Socket::SOCK_STREAM(), 0) or die "socket: $!\n";
    connect($gateway, Socket::pack_sockaddr_un($path)) or die "connect: $!\n";
    unblock($gateway);

    open(STDIN,  '<', '/dev/null') or die "/dev/null: $!\n";
    open(STDOUT, '>', '/dev/null') or die "/dev/null: $!\n";
    open(STDERR, '>', '/dev/null') or die "/dev/null: $!\n";
}

sub serve {
    while (1) {
        my ($readable, $writable) = ('', '');
        my $room = length($unsent) < MAX_UNSENT;
        vec($readable, fileno $gateway, 1) = 1;
        vec($writable, fileno $gateway, 1) = 1 if length $unsent;
        for my $run (values %runs) {
            vec($readable, fileno $run->{status}, 1) = 1;
            next if !$room;
            vec($readable, fileno $_, 1) = 1 for grep { $_ } @{ $run->{pipes} };
        }

        my $killing = $orphans || grep { $_->{killing} } values %runs;
        my $found = select($readable, $writable, undef, $killing ? KILL_INTERVAL : undef);
        next if $found < 0 && $! == POSIX::EINTR();
        end() if $found < 0;

        for my $number (keys %runs) {
            my $run = $runs{$number};
            for my $index (0, 1) {
                my $pipe = $run->{pipes}[$index];
                forward($number, $run, $index, MAX_READ) if $pipe && vec($readable, fileno $pipe, 1);
            }
            hear_supervisor($number, $run) if vec($readable, fileno $run->{status}, 1);
        }

        hear_gateway() if vec($readable, fileno $gateway, 1);
        kill_what_must_end() if $killing;
        flush_frames();
    }
}

# ---- the gateway ----

sub hear_gateway {
    my $count = sysread($gateway, $received, MAX_READ, length $received);
    return if !defined $count && ($! == POSIX::EAGAIN() || $! == POSIX::EINTR());
    end() if !$count;

    while (length($received) >= 4) {
        my $length = unpack('N', $received);
        end() if $length < 5 || $length > MAX_FRAME;
        last if length($received) < 4 + $length;
        my (undef, $type, $number) = unpack('N C N', $received);
        my $payload = substr($received, 9, $length - 5);
        substr($received, 0, 4 + $length, '');
        if    ($type == START) { start($number, $payload) }
        elsif ($type == STOP)  { stop($number, unpack('C', $payload)) }
        else                   { end() }
    }
}

sub send_frame {
    my ($type, $number, $payload) = @_;
    $unsent .= pack('N C N', 5 + length $payload, $type, $number) . $payload;
}

sub flush_frames {
    while (length $unsent) {
        my $count = syswrite($gateway, $unsent);
        if (!defined $count) {
            return if $! == POSIX::EAGAIN() || $! == POSIX::EINTR();
            end();
        }
        substr($unsent, 0, $count, '');
    }
}

# ---- runs ----

sub start {
    my ($number, $payload) = @_;
    my ($runtime, $code, %environment) = unpack('C N/a* (N/a* N/a*)*', $payload);
    my $program = $runtimes{$runtime};
    return send_frame(FAILED, $number, chr TOO_MANY) if keys(%runs) >= MAX_RUNS;
    return send_frame(FAILED, $number, chr NO_RUNTIME) if !$program || !$program->{path} || !-x $program->{path};

    my %run = (pipes => []);
    my @ends;
    my $supervisor;
    my $made = pipe($run{pipes}[0], $ends[0]) && pipe($run{pipes}[1], $ends[1]) && pipe($run{status}, $ends[2])
        && defined($supervisor = fork);
    return send_frame(FAILED, $number, chr NO_PROCESS) if !$made;
    supervise($program, $code, \%environment, \%run, @ends) if $supervisor == 0;

    unblock($_) for @{ $run{pipes} }, $run{status};
    $run{supervisor} = $supervisor;
    $supervisors{$supervisor} = 1;
    $runs{$number} = \%run;
}

sub started {
    my ($number, $run) = @_;
    send_frame(STARTED, $number, '') if !$run->{started}++;
}

# Reads one output, at most so many bytes. What arrives after the exit was written by something left behind: it is read, so that
# the writer does not break, and goes nowhere.
sub forward {
    my ($number, $run, $index, $most) = @_;
    my $count = sysread($run->{pipes}[$index], my $data, $most);
    return 0 if !defined $count && ($! == POSIX::EAGAIN() || $! == POSIX::EINTR());
    if (!$count) {
        close $run->{pipes}[$index];
        $run->{pipes}[$index] = undef;
        return 0;
    }
    if (!$run->{ended}) {
        # The supervisor's word that the program is up may be still on its way.
        started($number, $run);
        send_frame($index == 0 ? STDOUT_DATA : STDERR_DATA, $number, $data);
    }
    return $count;
}

sub hear_supervisor {
    my ($number, $run) = @_;
    my $count = sysread($run->{status}, my $words, 16);
    return if !defined $count && ($! == POSIX::EAGAIN() || $! == POSIX::EINTR());

    if (!$count) {
        # The supervisor is gone: because nothing is left of the run, or because somebody in here killed it.
        waitpid($run->{supervisor}, 0);
        delete $supervisors{ $run->{supervisor} };
        $orphans = 1 if !$run->{ended} || !$run->{left};
        finish($number, $run, 137) if !$run->{ended};
        delete $runs{$number};
        return;
    }

    while (length $words) {
        my $word = substr($words, 0, 1, '');
        if ($word eq 'S') {
            started($number, $run);
            terminate($run) if $run->{terminate};
        }
        elsif ($word eq 'F') {
            $run->{ended} = 1;
            $run->{left} = 1;
            send_frame(FAILED, $number, chr NO_PROCESS);
        }
        elsif ($word eq 'E') { finish($number, $run, ord substr($words, 0, 1, '')) }
        elsif ($word eq 'L') { $run->{left} = 1 }
    }
}

# Sends what the program has printed, as much as stands in the pipes now, and then its end. Not until they are empty: something
# it left behind may go on writing for ever.
sub finish {
    my ($number, $run, $code) = @_;
    started($number, $run);
    for my $index (0, 1) {
        my $pipe = $run->{pipes}[$index] or next;
        my $size = pack('i', 0);
        ioctl($pipe, FIONREAD, $size) or next;
        my $left = unpack('i', $size);
        while ($left > 0 && $run->{pipes}[$index]) {
            my $count = forward($number, $run, $index, $left < MAX_READ ? $left : MAX_READ) or last;
            $left -= $count;
        }
    }
    $run->{ended} = 1;
    send_frame(EXIT, $number, chr $code);
}

sub stop {
    my ($number, $signal) = @_;
    my $run = $runs{$number} or return;
    if    ($signal == 15) { terminate($run) }
    elsif ($signal == 9)  { $run->{killing} = 1; kill_run($run) }
    else                  { end() }
}

sub terminate {
    my ($run) = @_;
    my @processes = below($run->{supervisor});
    $run->{terminate} = !@processes;
    kill 'TERM', @processes;
    kill 'CONT', @processes;
}

# ---- ending processes ----

sub kill_what_must_end {
    kill_run($_) for grep { $_->{killing} } values %runs;
    return if !$orphans;
    $orphans = kill_all(sub { below($$) });
    1 while waitpid(-1, POSIX::WNOHANG()) > 0;
}

# The supervisor is left to tell the exit code. It may have been stopped by what it supervises, so it does not get for ever.
sub kill_run {
    my ($run) = @_;
    kill 'CONT', $run->{supervisor};
    kill_all(sub { below($run->{supervisor}) });
    kill 'KILL', $run->{supervisor} if ++$run->{killing} > KILL_PATIENCE;
}

# Stops all before it ends any: a process that forks without pause would have moved on before its turn came.
sub kill_all {
    my ($find) = @_;
    my %stopped;
    for (1 .. 64) {
        my @fresh = grep { !$stopped{$_}++ } $find->();
        last if !@fresh;
        kill 'STOP', @fresh;
    }
    kill 'KILL', keys %stopped;
    return scalar keys %stopped;
}

# Every living process below one, but for supervisors and, unless one is asked for, what they supervise.
sub below {
    my ($root) = @_;
    my %children;
    opendir(my $directory, '/proc') or end();
    for my $process (grep { /^\d+$/ } readdir $directory) {
        open(my $file, '<', "/proc/$process/stat") or next;
        my $line = <$file>;
        next if !defined $line;
        # The name in the brackets is the process's own choice.
        my @fields = split ' ', substr($line, rindex($line, ')') + 1);
        my ($state, $parent, $threads) = @fields[0, 1, 17];
        # A first thread that has ended looks dead while others go on.
        push @{ $children{$parent} }, $process + 0 if $state ne 'X' && ($state ne 'Z' || $threads > 1);
    }
    closedir $directory;

    my @found;
    my @open = ($root);
    while (@open) {
        my @next = grep { !$supervisors{$_} } @{ $children{ shift @open } || [] };
        push @found, @next;
        push @open, @next;
    }
    return @found;
}

# The gateway is gone. The end of process 1 is the end of everything in its container; outside one it has to be done by hand.
sub end {
    if ($$ != 1) {
        %supervisors = ();
        for (1 .. 500) {
            last if !kill_all(sub { below($$) });
            1 while waitpid(-1, POSIX::WNOHANG()) > 0;
            select(undef, undef, undef, 0.01);
        }
    }
    POSIX::_exit(0);
}

# ---- in a supervisor and in a program before it is one ----

sub supervise {
    my ($program, $code, $environment, $run, $stdout, $stderr, $status) = @_;
    close $gateway;
    for my $other ($run, values %runs) {
        close $_ for grep { $_ } @{ $other->{pipes} }, $other->{status};
    }
    control(36, 1);
    control(1, 9);

    # Nothing may reach the program between its fork and the moment it listens to signals again.
    my $all = POSIX::SigSet->new;
    $all->fillset;
    POSIX::sigprocmask(POSIX::SIG_BLOCK(), $all);
    my $child = fork;
    if (!defined $child) {
        syswrite($status, 'F');
        POSIX::_exit(0);
    }
    become($program, $code, $environment, $stdout, $stderr) if $child == 0;

    syswrite($status, 'S');
    POSIX::sigprocmask(POSIX::SIG_SETMASK(), POSIX::SigSet->new);
    close $stdout;
    close $stderr;
    while (1) {
        my $ended = waitpid(-1, 0);
        last if $ended < 0 && $! != POSIX::EINTR();
        syswrite($status, 'E' . chr($? & 127 ? 128 + ($? & 127) : $? >> 8)) if $ended == $child;
    }
    syswrite($status, 'L');
    POSIX::_exit(0);
}

sub become {
    my ($program, $code, $environment, $stdout, $stderr) = @_;
    POSIX::setsid();
    control(1, 9);
    POSIX::dup2(fileno $stdout, 1);
    POSIX::dup2(fileno $stderr, 2);

    my @command;
    if (length $code > MAX_ARGUMENT || $code =~ /\0/) {
        my $name = 'code';
        my $file = syscall($call->{memfd_create}, $name, 0);
        give_up("no memory for the code: $!") if $file < 0;
        for (my $at = 0; $at < length $code;) {
            my $count = POSIX::write($file, substr($code, $at), length($code) - $at);
            give_up("no memory for the code: $!") if !$count;
            $at += $count;
        }
        POSIX::lseek($file, 0, POSIX::SEEK_SET());
        @command = $program->{file}->($file);
        if ($program->{stdin}) {
            POSIX::dup2($file, 0);
            POSIX::close($file);
        }
    }
    else {
        @command = $program->{code}->($code);
    }

    %ENV = %$environment;
    $SIG{$_} = 'DEFAULT' for @signals;
    POSIX::sigprocmask(POSIX::SIG_SETMASK(), POSIX::SigSet->new);
    no warnings 'exec';
    exec { $program->{path} } @command;
    give_up("$program->{path}: $!");
}

sub give_up {
    my ($reason) = @_;
    POSIX::write(2, "$reason\n", length($reason) + 1);
    POSIX::_exit(126);
}

# ---- the kernel ----

sub control {
    my ($option, $value) = @_;
    syscall($call->{prctl}, $option, $value, 0, 0, 0) == 0 or die "prctl $option: $!\n";
}

# Lowers a limit, never raises one.
sub limit {
    my ($resource, $wanted) = @_;
    my $limits = pack('QQ', 0, 0);
    syscall($call->{prlimit64}, 0, $resource, 0, $limits) == 0 or die "prlimit $resource: $!\n";
    my (undef, $hard) = unpack('QQ', $limits);
    $wanted = $wanted < $hard ? $wanted + 0 : $hard;
    $limits = pack('QQ', $wanted, $wanted);
    syscall($call->{prlimit64}, 0, $resource, $limits, 0) == 0 or die "prlimit $resource: $!\n";
}

sub unblock {
    my ($handle) = @_;
    my $flags = fcntl($handle, 3, 0) or die "fcntl: $!\n";
    fcntl($handle, 4, $flags | POSIX::O_NONBLOCK()) or die "fcntl: $!\n";
}

sub find {
    my ($name) = @_;
    for my $directory ('/usr/local/bin', '/usr/bin', '/bin') {
        return "$directory/$name" if -x "$directory/$name";
    }
    return undef;
}
