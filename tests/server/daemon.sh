# shellcheck shell=bash disable=SC2154
# The daemon itself: its service manager, its end, its command line. Part of tests/server/run.

heard() { grep -c "$1" "$home/heard"; } # PATTERN: how often
wait_heard() { wait_until has_heard "$1" "$2"; } # PATTERN TIMES: so often at least
has_heard() { [ "$(heard "$1")" -ge "$2" ]; }

# What the service manager hears.
test_notify() {
    local manager slow fed
    new_home
    conf <<'CONF'
drain_seconds = 60
CONF
    main_app
    echo 'main() = oops(' >"$home/apps/broken.nos"
    app slow_start.nos <<'NOS'
compute(n) = if n == 0 then () else compute(n - 1)
main() = { compute(300000); s = Server.bind(PORT2); receive { "never" -> s } }
NOS
    "$client" notify 0 "$home/notify" >"$home/heard" &
    manager=$!
    wait_until test -S "$home/notify"
    export NOTIFY_SOCKET=$home/notify WATCHDOG_USEC=400000
    unset WATCHDOG_PID
    start_daemon || return
    unset NOTIFY_SOCKET WATCHDOG_USEC
    eventually "loading is told in words" '^STATUS=loading hello, app [123] of 3$' cat "$home/heard"
    eventually "… and asks for time" '^EXTEND_TIMEOUT_USEC=[0-9]+$' cat "$home/heard"
    wait_heard '^READY=1' 1
    is "ready once, after all of it" "$(heard '^READY=1') $(grep -nE '^READY=1|^STATUS=loading' "$home/heard" | tail -n 1 | cut -d: -f2)" "1 READY=1"
    eventually "… with every app up or reported" '^STATUS=2 of 3 apps running; broken: broken$' grep -A1 '^READY=1' "$home/heard"
    is "… the slow one listens then" "$( (exec 3<>"/dev/tcp/127.0.0.1/$port2") 2>&1)" ""
    wait_heard '^WATCHDOG=1' 4
    is "the watchdog is fed" $? 0
    get http://127.0.0.1:$port/spin >/dev/null &
    slow=$!
    wait_open 1
    fed=$(heard '^WATCHDOG=1')
    wait_heard '^WATCHDOG=1' $((fed + 6))
    is "… also while an app spins" $? 0
    kill $slow
    rm "$home/apps/broken.nos"
    kill -HUP $daemon
    wait_log daemon.reloaded
    eventually "a reload" '^RELOADING=1$' cat "$home/heard"
    wait_heard '^READY=1' 2
    eventually "… and its end" '^STATUS=2 of 2 apps running$' grep -A1 '^READY=1' "$home/heard"
    get http://127.0.0.1:$port/never >/dev/null &
    slow=$!
    wait_ctl status ' received, [12] open'
    kill -TERM $daemon
    eventually "stopping" '^STOPPING=1$' cat "$home/heard"
    eventually "… what it waits for" \
        '^STATUS=stopping: waiting for [12] requests? on [12] connections?, [1-5]?[0-9] seconds at the most$' cat "$home/heard"
    kill $slow 2>/dev/null
    stop_daemon "notify"
    kill $manager
    wait $manager 2>/dev/null
}

# Many clients that do nothing wrong while the daemon ends, again and again.
test_ends() {
    local round idle load never failures=0
    for round in $(seq 1 ${END_ROUNDS:-8}); do
        new_home
        conf <<<"drain_seconds = 1 connection_loops = $((round % 2 + 1))"
        main_app
        start_daemon || return
        "$client" idle $port 50 3000 >/dev/null &
        idle=$!
        "$client" load $port 16 20000 / >"$home/load" &
        load=$!
        never=
        if [ $((round % 4)) -eq 0 ]; then
            get http://127.0.0.1:$port/never >/dev/null &
            never=$!
        fi
        sleep 0.$((round * 7 % 10 + 10))
        local began=$(date +%s%N)
        finish_daemon TERM
        local took=$((($(date +%s%N) - began) / 1000000))
        wait $load $never
        kill $idle 2>/dev/null
        wait $idle 2>/dev/null
        if [ "$daemon_status" -ne 0 ] || ! grep -qE ', 0 failed, nobody' "$home/load" || [ $took -gt 20000 ]; then
            failures=$((failures + 1))
            not_ok "SIGTERM, round $round" "status $daemon_status after $took ms; $(cat "$home/load")
$(tail -n 5 "$home/log")"
        fi
    done
    is "SIGTERM ends it cleanly and in time each time" $failures 0
}

test_two_daemons() {
    local first load
    new_home
    main_app
    start_daemon || return
    first=$daemon
    mv "$home/log" "$home/log1"
    "$nostosd" --config "$home/nostosd.conf" --apps-dir "$home/apps" --control "$home/control" 2>"$home/log" &
    daemon=$!
    wait_log daemon.ready
    logged "a second daemon: the control socket is taken" control.unavailable 'control.unavailable .*Address already in use'
    logged "… and the port" app.failed 'app.failed app=hello .*Address already in use'
    finish_daemon TERM
    daemon=$first
    is "… the first goes on" "$(get http://127.0.0.1:$port/)$(control status | grep -c nostosd)" "Hello, world!1"
    kill -KILL $daemon
    wait $daemon 2>/dev/null
    : >"$home/log"
    start_daemon || return
    is "kill -9, start again: port and socket are free" "$(get http://127.0.0.1:$port/)$(control status | grep -c nostosd)" \
        "Hello, world!1"
    "$client" load $port 32 3000 / >"$home/load" &
    load=$!
    wait_ctl status '^connections: (3[0-9]|4[0-9]) open'
    kill -KILL $daemon
    wait $daemon 2>/dev/null
    : >"$home/log"
    start_daemon || return
    is "… also under load" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    wait $load
    stop_daemon "after kill -9"
}

test_end_under_load() {
    local load slow
    new_home
    conf <<'CONF'
drain_seconds = 60
CONF
    main_app
    start_daemon || return
    "$client" load $port 32 120000 / >"$home/load" &
    load=$!
    get -w '%{http_code}' http://127.0.0.1:$port/held >"$home/slow" &
    slow=$!
    wait_ctl 'processes hello' 'sleep'
    kill -TERM $daemon
    wait_log daemon.stopping
    release
    wait $daemon
    is "SIGTERM under load: ends with 0" $? 0
    daemon=
    wait $load $slow
    like "… no request failed" "$(cat "$home/load")" '^[0-9]+ answered, 0 failed, nobody listens any more'
    is "… a running request finished" "$(cat "$home/slow")" held200

    new_home
    conf <<'CONF'
drain_seconds = 1
CONF
    main_app
    start_daemon || return
    get -w '%{http_code}' http://127.0.0.1:$port/never >"$home/never" &
    slow=$!
    wait_open 1
    finish_daemon TERM
    wait $slow
    is "a drain ends after its time" "$daemon_status" 0
    like "… whoever is left gets an answer" "$(cat "$home/never")" '50[03]$'
}

test_command_line() {
    new_home
    echo 'queue_max = 3' >"$home/nostosd.conf"
    "$nostosd" --config "$home/nostosd.conf" --check-config >"$home/out" 2>&1
    is "--check-config: status" $? 2
    like "… file, line, what" "$(cat "$home/out")" 'nostosd.conf:1:.*queue_max'
    "$nostosd" --print-sample-config >"$home/nostosd.conf"
    like "the sample configuration is valid" "$("$nostosd" --config "$home/nostosd.conf" --check-config)" 'no errors'
    like "--help" "$("$nostosd" --help)" '--check-config'
    "$nostosd" hello.nos >"$home/out" 2>&1
    is "an argument that is none: status" $? 2
    like "… what to do instead" "$(cat "$home/out")" 'nostos hello.nos'
    echo 'drain_seconds =' >"$home/nostosd.conf"
    is "a value that is missing" "$("$nostosd" --config "$home/nostosd.conf" --check-config 2>&1)" \
        "$home/nostosd.conf:1: drain_seconds: the value is missing"
    "$ctl" -s "$home/nothing" stop shop >"$home/out" 2>&1
    is "nostosctl with an argument too many: status" $? 2
    like "… which one" "$(cat "$home/out")" '^nostosctl: stop: unexpected argument: shop$'
    like "nostosctl with an unknown command" "$("$ctl" -s "$home/nothing" restart 2>&1)" '^nostosctl: unknown command: restart$'
    "$ctl" -s "$home/nothing" status >"$home/out" 2>&1
    is "nostosctl without a daemon: status" $? 3
    like "… says so" "$(cat "$home/out")" 'no nostosd answers'
}

# What ./run serves, on other ports: each address and each command that it prints answers.
test_examples() {
    local address command addresses=0 commands=0
    new_home
    port=$(((port / 10 + 1) * 10))
    next_port=$((port + 10))
    "$folder/../../tools/serve-examples" "$build" "$home" $port >"$home/printed" 2>"$home/log" &
    daemon=$!
    wait_log daemon.ready
    while read -r _ address; do
        addresses=$((addresses + 1))
        like "$address" "$(code "$address")" '^(200|404)$'
    done < <(grep -E '^  [a-z_]+: http' "$home/printed")
    while read -r command; do
        commands=$((commands + 1))
        command=${command%%   *} # behind that stands what it does
        is "$command" "$(eval "${command/curl/curl -s -m 15 -o /dev/null -w %\{http_code\}}")" 200
    done < <(grep -E '^      curl ' "$home/printed")
    is "each example has an address" $addresses "$(find "$folder/../../examples" -name '*.nos' | wc -l)"
    like "… and commands to try it" $commands '^[0-9]{2}$|^[6-9]$'
    like "all of them run" "$("$ctl" -s "$home/control.sock" status)" "^apps: $addresses of $addresses apps running\$"
    stop_daemon "examples"
}
