# shellcheck shell=bash disable=SC2154
# What goes wrong around it, and what strangers do: hostile texts, limits, memory, many connections. Part of tests/server/run.

# What strangers choose stays inside of its own field.
test_hostile_texts() {
    new_home
    conf <<'CONF'
listener_defaults { request_deadline_ms = 120000 }
listener hurried { port = PORT2 request_deadline_ms = 300 }
log { access = true }
CONF
    main_app
    mkdir "$home/apps/a\"b app=evil"
    : >"$home/apps/x level=1.nos"
    sed "s/serve($port,/serve($port2,/" "$home/apps/hello.nos" >"$home/apps/hurried.nos"
    start_daemon || return
    "$client" raw $port 'GET /" status=200 app="evil HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >/dev/null
    "$client" raw $port 'GET /"x"status=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >/dev/null
    "$client" raw $port 'GET /\x22\x01\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >/dev/null
    get "http://127.0.0.1:$port2/never" >/dev/null
    logged "a path with quotes in the log" http.request 'path="/\\"x\\"status=1" status=404'
    is "… does not make fields" "$(grep -a http.request "$home/log" | grep -acE ' app="?evil| path=/')" 0
    logged "a request past its deadline" http.deadline 'method="GET" path="/never" after_ms=300'
    logged "a folder that is no app" app.bad_name 'path=".*/a\\"b app=evil" expected='
    logged "a file that is no app" app.bad_name 'path=".*/x level=1.nos" expected='
    echo 'apps_dir = "/a\" level=\"x" drain_seconds = 7' >"$home/nostosd.conf"
    control reload >/dev/null
    logged "changed keys" conf.changed 'key="apps_dir" before="[^ ]*" after="\\"/a\\\\\\" level=\\\\\\"x\\"" takes_effect="[a-z ]*"$'
    echo 'no"such" = 1' >"$home/nostosd.conf"
    control reload >/dev/null 2>&1
    logged "a bad configuration" conf.bad 'error=".*nostosd.conf:1: .*"$'
    is "… has no quote that is not escaped" "$(grep -a conf.bad "$home/log" | grep -acE 'error="[^"\\]*(\\.[^"\\]*)*"$')" \
        "$(grep -ac conf.bad "$home/log")"
    stop_daemon "hostile texts"
}

test_limits() {
    new_home
    conf <<'CONF'
app_defaults { heap_max_mib = 8 mailbox_max = 100 processes_max = 60 depth_max = 2000 }
app together { heap_max_mib = 0 heap_total_max_mib = 16 }
app letters { mailbox_max_mib = 1 }
app notes { mvar_max_mib = 1 }
CONF
    app alone.nos <<'NOS'
fill(to, n) = if n == 0 then () else { to <- n; fill(to, n - 1) }
deep(n) = 1 + deep(n + 1)
breed(n) = { spawn { receive { "never" -> n } }; breed(n + 1) }
strings(xs, n) = strings([show(n) | xs], n + 1)
main() = {
    spawn { strings([], 0) }
    spawn { deep(0) }
    to = spawn { receive { "never" -> () } }
    spawn { fill(to, 1000) }
    sleep(500) # then there is room for processes again
    spawn { breed(0) }
    receive { "never" -> () }
}
NOS
    app together.nos <<'NOS'
strings(xs, n) = strings([show(n) | xs], n + 1)
main() = strings([], 0)
NOS
    app letters.nos <<'NOS'
main() = {
    to = spawn { receive { "never" -> () } }
    text = String.repeat("0123456789", 20000)
    for i = 0 to 10 { to <- (i, text ++ show(i)) }
    eprint("one ")
    eprint("line")
    eprintln(" of pieces")
    receive { "never" -> () }
}
NOS
    app notes.nos <<'NOS'
mvar notes: List[(Int, String)] = []
note(n) = { notes = [(n, "a text of more than sixty-four bytes, which is an object of its own ${n}") | notes]; note(n + 1) }
main() = { try { note(0) } catch { e -> println((e, length(notes) > 1000)) }; notes = []; note(0) }
NOS
    start_daemon || return
    logged "too much in mvars is told to the program" 'app.print app=notes' 'Too much in mvars \(limit 1 MiB\).*true'
    logged "… and who does not catch it crashes" 'limit=mvar_max_mib' 'process.crashed app=notes .*value=1 advice="raise mvar_max_mib'
    logged "one whose messages are too large" 'limit=mailbox_max_mib' \
        'process.limit app=letters version=1 process=[0-9]+ limit=mailbox_max_mib value=1 advice="raise mailbox_max_mib in'
    logged "pieces of a line are one line of the log" 'app.print app=letters' 'text="one line of pieces"'
    logged "a process whose heap is full" 'limit=heap_max_mib' \
        'process.crashed app=alone .*process=[0-9]+ error="Panic: Out of memory" limit=heap_max_mib value=8 advice="raise heap_max_mib'
    logged "one with too many messages" 'limit=mailbox_max ' \
        'process.limit app=alone version=1 process=[0-9]+ limit=mailbox_max value=100 advice="raise mailbox_max in'
    is "… is told of once" "$(grep -ac 'limit=mailbox_max ' "$home/log")" 1
    logged "one that calls too deeply" 'limit=depth_max' 'app=alone .*process=[0-9]+ error="Stack overflow" limit=depth_max value=2000'
    logged "one that spawns too many" 'limit=processes_max' 'app=alone .*limit=processes_max value=60 advice='
    logged "an app that has too much memory in all" process.limit \
        'app=together version=[0-9]+ process=[0-9]+ limit=heap_total_max_mib value=16 advice="raise heap_total_max_mib in app_defaults or app together'
    logged "… what ended its main" 'app.failed app=together' 'error="ended because of heap_total_max_mib"'
    stop_daemon "limits"
}

resident() { awk '/^VmRSS/ { print $2 }' /proc/$daemon/status; } # KiB

# Memory goes back to the system after a burst of processes.
test_memory() {
    local before after
    new_home
    app burst.nos <<'NOS'
use stdlib.server.*

one(boss) = { words = [1, 2, 3]; receive { "end" -> { boss <- length(words); () } } }
breed(boss, 0, pids) = pids
breed(boss, n, pids) = breed(boss, n - 1, [spawn { one(boss) } | pids])
tell([]) = ()
tell([p | rest]) = { p <- "end"; tell(rest) }
collect(0) = ()
collect(n) = { receive { 3 -> () }; collect(n - 1) }

burst(n) = { tell(breed(self(), n, [])); collect(n) }

main() = serve(PORT, req => match req.path {
    "/burst" -> { burst(100000); respondText(req, "done") }
    _ -> respondText(req, "hello")
})
NOS
    start_daemon || return
    get http://127.0.0.1:$port/ >/dev/null
    sleep 1
    before=$(resident)
    is "a hundred thousand processes" "$(get -m 300 http://127.0.0.1:$port/burst)" done
    after=$(resident)
    is_sanitized || # the sanitizers keep what was freed, to find uses of it
        eventually_at_most "… leave no memory behind: KiB ($before before, $after after them)" $((before + (after - before) / 10)) resident
    is "… and come again" "$(get -m 300 http://127.0.0.1:$port/burst)" done
    stop_daemon "memory"
}

descriptors() { find /proc/$daemon/fd -mindepth 1 | wc -l; }
is_sanitized() { grep -q __asan_init "$nostosd" || grep -q __tsan_init "$nostosd"; } # memory is more and kept for longer then

# A disk without room: nothing waits for the log, and nothing fails.
test_full_log() {
    new_home
    main_app
    "$nostosd" --config "$home/nostosd.conf" --apps-dir "$home/apps" --control "$home/control" 2>/dev/full &
    daemon=$!
    wait_listen "$port"
    is "no room for the log: served all the same" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    is "… also apps that print" "$(get http://127.0.0.1:$port/print)" printed
    is "… and handlers that throw" "$(code http://127.0.0.1:$port/throw)" 500
    touch "$home/apps/hello.nos"
    like "… a reload works" "$(control reload)" '0 broken'
    stop_daemon "no room for the log"
}

# Somebody who should read the log, but sleeps.
test_unread_log() {
    local reader
    new_home
    main_app
    mkfifo "$home/fifo"
    (exec 3<"$home/fifo"; read -r _ <"$home/fifo"; sleep 1000) &
    reader=$!
    "$nostosd" --config "$home/nostosd.conf" --apps-dir "$home/apps" --control "$home/control" 2>"$home/fifo" &
    daemon=$!
    wait_listen "$port"
    for _ in 1 2 3 4 5 6; do get "http://127.0.0.1:$port/print?[1-300]" >/dev/null; done
    is "nobody reads the log: served all the same" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    kill $reader
    wait $reader 2>/dev/null
    is "… also when its reader is gone" "$(get http://127.0.0.1:$port/print)" printed
    stop_daemon "unread log"
}

# The signal to reload, again and again, while clients are served.
test_reload_storm() {
    local load before
    new_home
    main_app
    start_daemon || return
    get http://127.0.0.1:$port/ >/dev/null
    wait_ctl status '^connections: 0 open'
    before=$(descriptors)
    "$client" load $port 8 ${STORM_MS:-2000} / >"$home/load" &
    load=$!
    for i in $(seq 1 200); do
        [ $((i % 40)) -eq 0 ] && touch "$home/apps/hello.nos"
        kill -HUP $daemon
        sleep 0.005
    done
    wait $load
    like "200 reloads: no request fails: $(cat "$home/load")" "$(cat "$home/load")" '^[0-9]{2,} answered, 0 failed$'
    control reload >/dev/null
    wait_ctl status '^connections: 0 open'
    wait_ctl apps 'processes=1 '
    eventually_at_most "… descriptors ($before before)" $((before + 3)) descriptors
    eventually_at_most "… versions are gone: processes" 1 processes_of hello
    stop_daemon "reload storm"
}

# Clients that ask for much and read nothing.
test_slow_readers() {
    local readers before
    new_home
    conf <<'CONF'
listener_defaults { header_timeout_ms = 3000 body_timeout_ms = 3000 idle_timeout_ms = 3000 }
CONF
    app big.nos <<'NOS'
use stdlib.server.*
mvar big: String = ""
main() = {
    big = String.repeat("0123456789", 1048576)
    serve(PORT, req => if req.path == "/big" then Server.respond(req.id, 200, [], big) else respondText(req, "small"))
}
NOS
    start_daemon || return
    get http://127.0.0.1:$port/ >/dev/null
    before=$(resident)
    "$client" sip $port ${SLOW_READERS:-200} 120000 /big 1 >"$home/sip" &
    readers=$!
    wait_ctl status '^connections: ([4-9][0-9]|[0-9]{3,}) open'
    is "others are served beside ${SLOW_READERS:-200} who do not read" "$(get http://127.0.0.1:$port/)" small
    at_most "… one body for all of them: KiB more" "$(($(resident) - before))" 65536
    wait_ctl status '^connections: 0 open'
    is "… who are hung up on when they have taken nothing for a while" "$? $(cat "$home/sip")" "0 "
    kill $readers
    wait $readers 2>/dev/null
    stop_daemon "slow readers"
}

# Such clients of answers that nobody else has: some keep theirs, some get none, others are served.
test_unsent() {
    local readers answer=
    new_home
    conf <<'CONF'
listener_defaults { unsent_max_mib = 40 retry_after_seconds = 7 body_timeout_ms = 500 }
CONF
    app big.nos <<'NOS'
use stdlib.server.*
main() = serve(PORT, req => if req.path == "/big"
    then Server.respond(req.id, 200, [], String.repeat("0123456789", 1048576))
    else respondText(req, "small"))
NOS
    start_daemon || return
    is "a large answer" "$(get http://127.0.0.1:$port/big | wc -c)" 10485760
    "$client" sip $port 10 60000 /big 1 >/dev/null &
    readers=$!
    wait_ctl status '^large answers: [1-9][0-9.]* MiB wait for their clients; [1-9][0-9]* became 503'
    is "no room for more large answers: some become 503" $? 0
    like "… which the log tells" "$(grep -a http.unsent_full "$home/log")" 'app=big port=[0-9]* limit=unsent_max_mib value=40 advice='
    is "… others are served" "$(get http://127.0.0.1:$port/)" small
    for _ in $(seq 1 600); do # stuck clients are found out after some seconds
        answer=$(get -o /dev/null -D - http://127.0.0.1:$port/big | tr -d '\r')
        grep -q ' 503 ' <<<"$answer" || break
        grep -qx 'Retry-After: 7' <<<"$answer" || break # which is not as it should be
        sleep 0.1
    done
    like "… which tell when to try again, and that helps in the end, as stuck clients are hung up on" "$answer" '^HTTP/1.1 200 '
    kill $readers
    wait $readers 2>/dev/null
    wait_ctl status '^large answers: 0.0 MiB'
    is "… nothing stays counted" $? 0
    stop_daemon "unsent"
}

# What does not fit into memory is refused, and what comes next is served.
test_no_memory() {
    new_home
    conf <<'CONF'
app_defaults { heap_max_mib = 4 }
CONF
    app length.nos <<'NOS'
use stdlib.server.*
main() = serve(PORT, req => respondText(req, show(length(req.body))))
NOS
    start_daemon || return
    head -c 6000000 /dev/zero | tr '\0' a >"$home/body"
    is "a body larger than the heap of who accepts" "$(code --data-binary "@$home/body" http://127.0.0.1:$port/)" 503
    logged "… is told of" http.no_memory 'app=length request=[0-9]+ method="POST" path="/" body_bytes=6000000$'
    is "… and the next is served" "$(get -d abc http://127.0.0.1:$port/)" 3
    stop_daemon "no memory"
    is_sanitized && return
    printf 'grow(xs, n) = grow([n | xs], n + 1)\nmain() = grow([], 0)\n' >"$home/grow.nos"
    like "a program that wants more than the system has is told so, and soon" \
        "$(ulimit -v 300000 && timeout 200 "$nostos" "$home/grow.nos" 2>&1)" 'Out of memory'
}

# Clients that leave at any moment.
test_aborts() {
    local until before
    new_home
    main_app
    start_daemon || return
    "$client" abort $port 50 /
    wait_ctl status '^connections: 0 open'
    before=$(descriptors)
    until=$((SECONDS + ${ABORT_SECONDS:-2}))
    while [ $SECONDS -lt $until ]; do
        "$client" abort $port 40 / &
        "$client" abort $port 20 /sleep &
        "$client" abort $port 20 /large &
        "$client" leave $port 20 $((RANDOM % 200)) /sleep &
        "$client" farewell $port 20 'GET /sleep HTTP/1.1\r\nHost: x\r\n\r\nGET / HT' &
        wait $(jobs -p | grep -vx $daemon)
    done
    eventually "clients that leave at any moment: no connection is left" '^connections: 0 open' control status
    eventually "… and no request" ' received, 0 open' control status
    eventually_at_most "… descriptors ($before before)" $((before + 3)) descriptors
    is "… and no handler failed" "$(grep -ac process.crashed "$home/log")" 0
    is "a body byte by byte" "$("$client" drip $port 3000 /length | tail -n 1)" 3000
    stop_daemon "aborts"
}

# Handlers that want all there is, several at a time, and others who want an answer.
test_greedy() {
    local what served=0 askers=()
    new_home
    conf <<'CONF'
app_defaults { heap_max_mib = 8 processes_max = 3000 mailbox_max = 5000 mvar_max_mib = 8 }
listener_defaults { request_deadline_ms = 300000 }
CONF
    app greedy.nos <<'NOS'
use stdlib.server.*
mvar kept: List[Int] = []
allocate(xs, n) = allocate([n | xs], n + 1)
breed(n) = { spawn { receive { "never" -> n } }; breed(n + 1) }
flood(to, n) = { to <- n; flood(to, n + 1) }
keep(n) = { kept = [n | kept]; keep(n + 1) }
main() = serve(PORT, req => match req.path {
    "/allocate" -> allocate([], 0)
    "/breed" -> breed(0)
    "/flood" -> { to = self(); flood(to, 0) }
    "/keep" -> keep(0)
    _ -> respondText(req, "modest")
})
NOS
    app modest.nos <<'NOS'
use stdlib.server.*
main() = serve(PORT2, req => respondText(req, "modest"))
NOS
    start_daemon || return
    for what in allocate allocate allocate allocate flood flood keep; do
        code -m 300 http://127.0.0.1:$port/$what >"$home/$what$RANDOM" &
        askers+=($!)
    done
    for _ in $(seq 1 20); do
        [ "$(get http://127.0.0.1:$port2/)" = modest ] && served=$((served + 1))
    done
    is "another app answers meanwhile" $served 20
    wait "${askers[@]}"
    code -m 300 http://127.0.0.1:$port/breed >"$home/breed0"
    is "the greedy get 500" "$(cat "$home"/{allocate,flood,breed,keep}[0-9]*)" "$(printf '500%.0s' 1 2 3 4 5 6 7 8)"
    for what in heap_max_mib mailbox_max processes_max mvar_max_mib; do
        logged "… as $what says" " limit=$what " 'app=greedy .*advice="raise '
    done
    is "… and their own app goes on" "$(get http://127.0.0.1:$port/)" modest
    is_sanitized || at_most "… memory in KiB" "$(resident)" 200000
    stop_daemon "greedy"
}

# Much is printed, while others are served.
test_printing() {
    local printing served=0
    new_home
    app print.nos <<'NOS'
use stdlib.server.*
many(line, 0) = ()
many(line, n) = { println(line); many(line, n - 1) }
main() = serve(PORT, req => match req.path {
    "/print" -> { many("a line of a hundred bytes ${String.repeat("0123456789", 8)}", LINES); respondText(req, "printed") }
    _ -> respondText(req, "served")
})
NOS
    sed -i "s/LINES/${PRINTED_LINES:-20000}/" "$home/apps/print.nos"
    start_daemon || return
    get -m 600 http://127.0.0.1:$port/print >"$home/printed" &
    printing=$!
    for _ in $(seq 1 20); do
        [ "$(get http://127.0.0.1:$port/)" = served ] && served=$((served + 1))
    done
    is "an app that prints without end does not hold up others" $served 20
    wait $printing
    is "… and gets done" "$(cat "$home/printed")" printed
    eventually "… each line is in the log, whole" "^${PRINTED_LINES:-20000}\$" \
        grep -ac 'app.print app=print text="a line of a hundred bytes [0-9]*"$' "$home/log"
    is_sanitized || at_most "… memory in KiB" "$(resident)" 60000
    stop_daemon "printing"
}

test_idle_connections() {
    local wanted=10000 most
    most=$(($(ulimit -Hn) - 200))
    [ "$wanted" -gt "$most" ] && wanted=$most
    new_home
    conf <<'CONF'
listener_defaults { header_timeout_ms = 300000 idle_timeout_ms = 300000 }
CONF
    main_app
    start_daemon || return
    "$client" idle $port $wanted 3000 >"$home/idle" &
    local idle=$!
    wait_until grep -q connected "$home/idle"
    is "others are served beside $wanted idle connections" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    wait $idle
    is "… which stay open" "$(tail -n 1 "$home/idle")" "$wanted of $wanted open"
    stop_daemon "idle connections"
}

# More clients than descriptors: told beforehand; those who get in are served.
test_few_descriptors() {
    new_home
    main_app
    (
        ulimit -n 120
        exec "$nostosd" --config "$home/nostosd.conf" --apps-dir "$home/apps" --control "" 2>"$home/log"
    ) &
    daemon=$!
    wait_log daemon.ready
    logged "connections_max cannot be served: said so" daemon.few_descriptors \
        'connections_max=20000 descriptors=120 advice="raise LimitNOFILE='
    "$client" idle $port 300 1500 >"$home/idle" &
    local idle=$!
    sleep 0.5
    wait $idle
    is "… and when they have gone, others are served" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    stop_daemon "few descriptors"
}
