#!/usr/bin/env bash
# Four things an agent does with Cerver, with curl and jq against a running gateway:
#   1. hold a transcript without compute     2. run code in a sandbox, watching it live
#   3. recall what a sibling session said    4. pause a conversation and continue it later
#
# scripts/quickstart.sh                  makes two sessions and goes through all four
# scripts/quickstart.sh --continue ID    goes on with the session that an earlier call printed in its last line
#
# CERVER_URL is the gateway (default http://127.0.0.1:8080); the token is CERVER_API_TOKEN or stands in the data directory's `token`.
# Every answer is printed and checked; the first surprise ends the script with exit code 1.
#
# shellcheck disable=SC2016 # The dollars in single quotes belong to jq or to the sandbox's shell.
set -euo pipefail

url=${CERVER_URL:-http://127.0.0.1:8080}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

title() { printf '\n== %s\n' "$*"; }

surprise() {
    printf 'Surprise: %s\n' "$*" >&2
    exit 1
}

for program in curl jq; do
    command -v "$program" >/dev/null || surprise "the quick start needs $program; install it with your package manager."
done

token=${CERVER_API_TOKEN:-}
if [[ -z $token ]]; then
    if [[ -n ${CERVER_DATA:-} ]]; then
        data=$CERVER_DATA
    elif ((EUID == 0)); then
        data=/var/lib/cerver
    else
        data=${XDG_DATA_HOME:-${HOME:-}/.local/share}/cerver
    fi
    [[ -r $data/token ]] || surprise "there is no token: set CERVER_API_TOKEN, or CERVER_DATA to the gateway's data directory ($data/token cannot be read)."
    token=$(<"$data/token")
fi

# A file, because arguments can be read by everybody on the machine.
(umask 077 && printf 'header = "Authorization: Bearer %s"\n' "$token" >"$work/curl")

# api STATUS METHOD PATH [BODY] calls the gateway, expects that status, and keeps the answer for `show`, `value` and `check`.
api() {
    local expected=$1 method=$2 path=$3 body=${4-} status options=()
    if [[ -n $body ]]; then
        options=(-H 'Content-Type: application/json' --data-binary "$body")
    fi
    printf '\n%s %s %s\n' "$method" "$path" "$body"
    status=$(curl -sS --max-time 60 -K "$work/curl" -X "$method" "${options[@]}" -o "$work/answer" -w '%{http_code}' "$url$path") ||
        surprise "$url does not answer; start the gateway with scripts/up."
    if [[ $status != "$expected" ]]; then
        cat "$work/answer"
        surprise "$method $path answered $status instead of $expected."
    fi
}

# show [FILTER] prints the last answer, or what the jq filter takes from it.
show() { jq -c "${1:-.}" "$work/answer"; }

# value FILTER prints one bare value of the last answer.
value() { jq -r "$1" "$work/answer"; }

# check FILTER [--arg NAME VALUE]... expects the jq filter to be true of the last answer.
check() {
    if ! jq -e "$@" "$work/answer" >/dev/null; then
        jq . "$work/answer" >&2 || cat "$work/answer" >&2
        surprise "the answer above does not fulfil: $*"
    fi
}

# run CODE runs code in the sandbox of $session and waits for it.
run() {
    api 200 POST "/v2/sessions/$session/run" "$(jq -nc --arg code "$1" '{code: $code, timeout: 30}')"
    show .result
    check '.result.exit_code == 0 and .result.timed_out == false'
}

# watch CODE runs code in the sandbox of $session, prints every frame when it arrives and keeps them for later checks.
watch() {
    local body started line event=''
    body=$(jq -nc --arg code "$1" '{code: $code}')
    printf '\nPOST /v2/sessions/%s/run/stream %s\n' "$session" "$body"
    started=$(milliseconds)
    : >"$work/frames"
    while IFS= read -r line || [[ -n $line ]]; do
        case $line in
            id:* | :* | '') ;;
            event:*) event=${line#event: } ;;
            data:*)
                printf '%5d ms  %-6s %s\n' "$(($(milliseconds) - started))" "$event" "${line#data: }"
                jq -nc --arg event "$event" --argjson at "$(($(milliseconds) - started))" --argjson data "${line#data: }" \
                    '{event: $event, at: $at, data: $data}' >>"$work/frames"
                ;;
            *) printf '%s\n' "$line" ;;
        esac
    done < <(curl -sSN --fail-with-body --max-time 60 -K "$work/curl" -H 'Content-Type: application/json' --data-binary "$body" "$url/v2/sessions/$session/run/stream")
    jq -s . "$work/frames" >"$work/answer"
}

milliseconds() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# remember pauses $session and notes in its metadata how long its transcript is, for a later --continue.
remember() {
    api 200 POST "/v2/sessions/$session/pause"
    api 200 GET "/v2/sessions/$session?tail=1"
    check '.status == "idle"'
    api 200 PATCH "/v2/sessions/$session" "$(jq -nc --argjson entries "$(value .transcriptTotal)" '{metadata: {quickstart_entries: $entries}}')"
    show '{status, metadata, transcriptTotal}'
}

# append TEXT adds what a user said to the transcript of $session, which must grow by exactly that.
append() {
    local before
    api 200 GET "/v2/sessions/$session?tail=1"
    before=$(value .transcriptTotal)
    api 201 POST "/v2/sessions/$session/transcript" "$(jq -nc --arg text "$1" '{entries: [{role: "user", content: $text}]}')"
    show
    check --argjson before "$before" '.ok and .appended == 1 and .transcriptTotal == $before + 1'
}

# continue_paused finds $session idle with its whole transcript, resumes it, and finds its files.
continue_paused() {
    local entries
    api 200 GET "/v2/sessions/$session?full=1"
    show '{sessionName, status, metadata, transcriptTotal}'
    check '.status == "idle" and (.transcript | length) == .transcriptTotal'
    check '.transcriptTotal == .metadata.quickstart_entries'
    check '.transcript[0].content == "My favourite number is 42."'
    entries=$(value .transcriptTotal)
    cp "$work/answer" "$work/before"

    api 200 POST "/v2/sessions/$session/resume" '{}'
    check --arg id "$session" '.sessionId == $id and .status == "running"'
    show '{sessionId, status, sandboxId}'
    run 'echo "a line more" >> note.txt && cat note.txt'
    check '.result.stdout | startswith("kept in a file\n") and endswith("a line more\n")'
    append 'I am back.'

    api 200 GET "/v2/sessions/$session?full=1"
    check --slurpfile before "$work/before" --argjson entries "$entries" \
        '.transcript[:$entries] == $before[0].transcript and .transcript[-1].content == "I am back."'
    show '.transcript[-3:][] | {role, kind, content}'
}

if [[ ${1-} == --continue ]]; then
    session=${2:?--continue needs the id of a session}
    title "Continue session $session"
    continue_paused
    remember
    printf '\nsession: %s\n' "$session"
    exit 0
elif (($# > 0)); then
    surprise "unknown argument $1; the script takes none, or --continue SESSION_ID."
fi

title '1. Hold a transcript without compute'
api 201 POST /v2/sessions '{"session_type": "transcript", "session_name": "quick start notes", "harness": "claude"}'
show
check '.provider == "none" and .compute_id == null and .sandbox_id == null and .status == "idle"'
notes=$(value .session_id)
api 201 POST "/v2/sessions/$notes/transcript" \
    '{"entries": [{"role": "user", "content": "Where do we meet?"}, {"role": "assistant", "content": "At the harbour, at nine."}]}'
show
check '.ok and .appended == 2 and .transcriptTotal == 2'
api 200 GET "/v2/sessions/$notes?tail=1"
show '{sessionId, status, transcriptTotal, transcript}'
check '.transcriptTotal == 2 and (.transcript | length) == 1 and .transcript[0].content == "At the harbour, at nine."'

title '2. Run code in a sandbox'
api 201 POST /v2/sessions '{"session_name": "quick start sandbox", "compute": "local", "requirements": {"runtime": "shell"}}'
show
check '.status == "running" and .provider == "local" and (.sandbox_id | type) == "string"'
session=$(value .session_id)
append 'My favourite number is 42.'
run 'echo "kept in a file" > note.txt; echo $((6 * 7)); echo oops >&2'
check '.result.stdout == "42\n" and .result.stderr == "oops\n"'
watch 'for tick in 1 2 3; do echo "tick $tick"; sleep 0.3; done'
check '.[0].event == "run" and .[-1].event == "exit" and .[-1].data.exit_code == 0'
check 'map(select(.event == "stdout").data.data) | join("") == "tick 1\ntick 2\ntick 3\n"'
# The first tick was there while the code still ran, with its 0.9 s of pauses.
check '.[-1].at - .[1].at > 300'
api 200 GET "/v2/sessions/$session?tail=4"
show '.transcript[] | {role, kind, content, tool_input}'
check '[.transcript[].kind] == ["tool_use", "tool_result", "tool_use", "tool_result"]'
check '.transcript[-1].content | contains("tick 3")'

title '3. Recall what a sibling session said'
api 200 GET '/v2/sessions?limit=20'
show '.sessions[] | {sessionId, sessionName, status, transcriptTotal}'
check --arg notes "$notes" --arg session "$session" '[.sessions[].sessionId] | contains([$notes, $session])'
api 200 GET "/v2/sessions/$notes?tail=5"
show '.transcript[] | {role, content}'
check '[.transcript[].role] == ["user", "assistant"]'

title '4. Pause a conversation and continue it'
remember
continue_paused
remember
printf '\nsession: %s\n' "$session"
