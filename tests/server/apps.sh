# shellcheck shell=bash disable=SC2154
# Apps: found, broken, restarted, replaced; their ports and their commands. Part of tests/server/run.

test_apps() {
    new_home
    conf <<'CONF'
app handled { port = PORT2 }
app off { enabled = false }
CONF
    main_app
    app second.nos <<'NOS'
bind() = if File.exists("HOME/released") then Server.bind(PORT) else { sleep(20); bind() }
main() = { s = bind(); receive { "never" -> s } }
NOS
    app broken.nos <<'NOS'
main() = {
    x = nothing_like_this(
NOS
    app nomain/other.nos <<'NOS'
f() = 1
NOS
    app neither.nos <<'NOS'
f() = 1
NOS
    app folder/main.nos <<'NOS'
main() = println("I am a folder")
NOS
    app handled.nos <<'NOS'
handle(req) = Server.respond(req.id, 200, [], "handled " ++ req.path)
NOS
    app off.nos <<'NOS'
main() = println("must not run")
NOS
    app unreadable.nos </dev/null
    printf 'main() = "\377\376' >"$home/apps/unreadable.nos"
    : >"$home/apps/notes.txt"
    start_daemon || return
    release
    is "a good app serves beside broken ones" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    is "a program with handle but no main" "$(get http://127.0.0.1:$port2/x)" "handled /x"
    wait_ctl apps '^second state=restarting'
    control apps >"$home/apps.txt"
    like "syntax error: reported with its place" "$(cat "$home/apps.txt")" 'broken.nos:[0-9]+:[0-9]+'
    like "… also in the log" "$(grep -a app.broken "$home/log")" 'app=broken .*broken.nos:'
    like "folder without main" "$(cat "$home/apps.txt")" 'the folder has no main.nos'
    like "neither main nor handle" "$(cat "$home/apps.txt")" 'neither main\(\) nor handle'
    like "not UTF-8" "$(cat "$home/apps.txt")" '^unreadable state=broken'
    like "a main that returns has ended" "$(cat "$home/apps.txt")" '^folder state=ended'
    like "an app that is switched off" "$(cat "$home/apps.txt")" '^off state=off'
    is "… does not run" "$(grep -ac 'must not run' "$home/log")" 0
    eventually "port taken by another app: restarting" '^second state=restarting' control apps
    logged "… and said so" app.failed 'app=second .*Address already in use'
    is "other files are no apps" "$(grep -c notes "$home/apps.txt")" 0

    # reload: an app repaired, one new, one removed, one broken by its change
    app broken.nos <<'NOS'
main() = { s = Server.bind(PORT2); receive { "never" -> s } }
NOS
    rm "$home/apps/handled.nos" "$home/apps/second.nos"
    echo 'main() = oops(' >"$home/apps/hello.nos"
    like "reload" "$(control reload)" 'configuration read; [0-9] broken'
    wait_ctl apps "^broken state=running .*ports=$port2"
    control apps >"$home/apps.txt"
    like "an app that was repaired runs" "$(cat "$home/apps.txt")" "^broken state=running .*ports=$port2"
    is "a removed one is gone" "$(grep -cE '^(handled|second) ' "$home/apps.txt")" 0
    is "one that its change broke goes on as it was" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    like "… with what is wrong" "$(cat "$home/apps.txt")" 'hello.nos:2:'
    echo 'listener_defaults { queue_max = 0 }' >"$home/nostosd.conf"
    like "a bad configuration is refused" "$(control reload 2>&1)" '^error: the configuration has errors'
    like "… with file and line" "$(grep -a conf.bad "$home/log")" 'nostosd.conf:1: .*queue_max'
    is "… and nothing happens" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    stop_daemon "apps"
}

test_supervision() {
    new_home
    app fragile.nos <<'NOS'
use stdlib.server.*
main() = {
    boss = self()
    s = Server.bind(PORT)
    spawn { acceptLoop(s, req => match req.path {
        "/die" -> { boss <- "die"; respondText(req, "dying") }
        _ -> respondText(req, "alive")
    }) }
    receive { "die" -> throw("as told") }
}
NOS
    app loops.nos <<'NOS'
main() = throw("always")
NOS
    start_daemon || return
    is "before" "$(get http://127.0.0.1:$port/)" alive
    get http://127.0.0.1:$port/die >/dev/null
    wait_log 'app.failed.*app=fragile'
    wait_ctl apps "^fragile state=running version=2 .*ports=$port"
    is "a main that dies is restarted" "$(get http://127.0.0.1:$port/)" alive
    like "… as another version" "$(control apps)" '^fragile state=running version=2 .*restarts=1'
    logged "pauses grow" 'app.failed.*app=loops' 'failures=3 restart_in_ms=400'
    stop_daemon "supervision"
}

# A new version takes over; the former one finishes what it has accepted.
test_replacing() {
    local late load never
    new_home
    conf <<'CONF'
drain_seconds = 60
CONF
    main_app
    start_daemon || return
    get -w '%{http_code}' http://127.0.0.1:$port/held >"$home/late" &
    late=$!
    wait_open 1
    "$client" load $port 16 1200 / >"$home/load" &
    load=$!
    wait_ctl status '^connections: (1[7-9]|2[0-9]) open'
    sed -i 's/Hello, world!/Hello, new world!/' "$home/apps/hello.nos"
    like "reload" "$(control reload)" '0 broken apps'
    is "a changed file: the new version answers" "$(get http://127.0.0.1:$port/)" "Hello, new world!"
    release
    wait $late $load
    is "… the former one answers what it had accepted" "$(cat "$home/late")" held200
    like "… and none of many requests fails" "$(cat "$home/load")" '^[0-9]+ answered, 0 failed'
    logged "… then it is ended" app.retired 'info app.retired app=hello version=1 finished=yes'

    conf <<'CONF'
drain_seconds = 1
CONF
    get -w '%{http_code}' http://127.0.0.1:$port/never >"$home/never" &
    never=$!
    wait_open 1
    touch "$home/apps/hello.nos"
    like "reload again" "$(control reload)" '0 broken apps'
    wait $never
    like "… who does not finish is not waited for for ever" "$(cat "$home/never")" "50[03]\$"
    logged "… which is told" app.retired 'warn app.retired app=hello version=2 finished=no'
    like "one version is left" "$(control apps)" "^hello state=running version=3 processes=1 "

    hold
    conf <<'CONF'
drain_seconds = 60
CONF
    get -w '%{http_code}' http://127.0.0.1:$port/held >"$home/late" &
    late=$!
    wait_open 1
    rm "$home/apps/hello.nos"
    control reload >/dev/null
    is "a removed app takes no more" "$(code http://127.0.0.1:$port/)" 000
    release
    wait $late
    is "… and answers what it had accepted" "$(cat "$home/late")" held200
    logged "… then it is ended, too" app.retired 'info app.retired app=hello version=3 finished=yes'
    stop_daemon "replacing"
}

# From one version to the next without a client that notices; what goes wrong leaves the former one where it is.
test_reloads() {
    local fresh kept i answers=
    new_home
    conf <<'CONF'
connection_loops = 2
app_defaults { takeover_seconds = 120 }
CONF
    app site.nos <<'NOS'
use stdlib.server.*
main() = serve(PORT, req => respondText(req, "number 0"))
NOS
    start_daemon || return
    "$client" fresh $port 4 ${RELOAD_MS:-3000} / >"$home/fresh" &
    fresh=$!
    "$client" load $port 4 ${RELOAD_MS:-3000} / >"$home/kept" &
    kept=$!
    for i in $(seq 1 20); do
        sed -i "s/number [0-9]*/number $i/" "$home/apps/site.nos"
        control reload >/dev/null
        answers+=$(get http://127.0.0.1:$port/ | tr -dc 0-9)
    done
    is "twenty reloads: each new version answers once its reload is done" "$answers" "$(seq 1 20 | tr -d '\n')"
    wait $fresh $kept
    like "… no new connection is refused, none fails: $(cat "$home/fresh")" "$(cat "$home/fresh")" '^[0-9]{2,} answered, 0 failed'
    like "… nor one that is kept: $(cat "$home/kept")" "$(cat "$home/kept")" '^[0-9]{2,} answered, 0 failed$'

    app site.nos <<'NOS'
use stdlib.server.*
main() = { s = Server.bind(PORT); throw("no database") }
NOS
    like "a version that fails at once: said" "$(control reload)" '1 broken app'
    like "… in the list of apps, too" "$(control apps)" '^site state=running version=21 '
    like "… with the reason" "$(control apps)" 'no database'
    like "… and in the log" "$(grep -a app.fell_back "$home/log")" 'app=site version=22 serving=21 error=".*no database'
    is "… the former one serves" "$(get http://127.0.0.1:$port/)" "number 20"

    app site.nos <<'NOS'
use stdlib.server.*
main() = if File.exists("HOME/released") then serve(PORT, req => respondText(req, "slow")) else { sleep(20); main() }
NOS
    control reload >/dev/null
    like "a version that takes its time" "$(control apps)" '^site state=running version=23 .*former_version=21'
    is "… the former one serves meanwhile" "$(get http://127.0.0.1:$port/)" "number 20"
    release
    wait_log 'app.retired app=site version=21'
    is "… then the new one does" "$(get http://127.0.0.1:$port/)" "slow"

    conf <<'CONF'
app_defaults { takeover_seconds = 1 }
CONF
    app site.nos <<'NOS'
main() = receive { "never" -> () }
NOS
    control reload >/dev/null
    logged "a version that does not listen: the former one serves until takeover_seconds are over" app.not_taken_over \
        'app=site version=24 former=23'
    wait_log 'app.retired app=site version=23'
    is "… nobody listens then" "$(code http://127.0.0.1:$port/)" 000
    stop_daemon "reloads"
}

# A port moves from one app to another, in the alphabet forwards and backwards, and with a file that gets another name.
test_moving_ports() {
    local fresh
    new_home
    serve_on() { echo "use stdlib.server.*
main() = serve($2, req => respondText(req, \"$1\"))" | app "$1.nos"; }
    serve_on first PORT
    serve_on second PORT2
    start_daemon || return
    "$client" fresh $port 2 ${RELOAD_MS:-1500} / >"$home/fresh" &
    fresh=$!
    serve_on first PORT2
    serve_on second PORT
    like "two apps change ports" "$(control reload)" '0 broken'
    is "… with each other, whoever asks" \
        "$(for _ in $(seq 1 20); do get http://127.0.0.1:$port/; get http://127.0.0.1:$port2/; done)" \
        "$(for _ in $(seq 1 20); do printf 'secondfirst'; done)"
    rm "$home/apps/second.nos"
    serve_on again PORT
    control reload >/dev/null
    is "an app under another name" "$(get http://127.0.0.1:$port/)" again
    serve_on again PORT2
    control reload >/dev/null
    is "a port that is another's: the former version stays" "$(get http://127.0.0.1:$port/)" again
    like "… and says why" "$(control apps)" 'Address already in use'
    wait $fresh
    like "… and no client noticed: $(cat "$home/fresh")" "$(cat "$home/fresh")" '^[0-9]{2,} answered, 0 failed'
    app first.nos <<'NOS'
until_again() = if Http.get("http://127.0.0.1:PORT2/").body == "again" then () else until_again()
main() = { until_again(); throw("no database") }
NOS
    control reload >/dev/null
    eventually "a port is given away, and its app's new version fails" 'no database' control apps
    is "… who served it goes on, alone" "$(for i in $(seq 1 20); do get http://127.0.0.1:$port2/; done | sort -u)" \
        "$(printf 'first%.0s' $(seq 1 20))"
    is "… who was to have it, too" "$(get http://127.0.0.1:$port/)" again
    like "… and is told" "$(control apps | grep -A1 '^again ')" \
        "port $port2 is still served by app first, whose new version failed"
    stop_daemon "moving ports"
}

# Sockets that somebody else has opened: found by port and by name, kept while nobody listens, over reloads and restarts.
test_passed_sockets() {
    local fresh waiting port3
    command -v systemd-socket-activate >/dev/null || return 0
    new_home
    port3=$(free_port)
    conf <<'CONF'
connection_loops = 2
listener web { port = PORT2 }
CONF
    main_app
    echo 'use stdlib.server.*
main() = serve(PORT2, req => respondText(req, "by name"))' | app named.nos
    activate() { # is the daemon in the end: it waits for the first client, then becomes nostosd
        systemd-socket-activate -E ASAN_OPTIONS -E UBSAN_OPTIONS -E TSAN_OPTIONS \
            -l 127.0.0.1:$port -l 127.0.0.1:$port3 --fdname=nostosd.socket:web \
            "$nostosd" --config "$home/nostosd.conf" --apps-dir "$home/apps" --control "$home/control" \
            >"$home/out" 2>>"$home/log" &
        daemon=$!
        wait_listen "$port"
        wait_log daemon.ready
    }
    activate
    is "a passed socket by its port" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    is "… by its name, on another port" "$(get http://127.0.0.1:$port3/)" "by name"
    is "… and not on the app's" "$(code http://127.0.0.1:$port2/)" 000
    like "… which is told" "$(cat "$home/log")" "listener.passed port=$port2 listener=web"
    like "all loops share it" "$("$client" burst $port 200 /)" "^200 answered"

    "$client" fresh $port 4 ${RELOAD_MS:-1500} / >"$home/fresh" &
    fresh=$!
    for _ in 1 2 3 4 5; do
        touch "$home/apps/hello.nos"
        control reload >/dev/null
    done
    wait $fresh
    like "reloads: no client notices: $(cat "$home/fresh")" "$(cat "$home/fresh")" '^[0-9]{2,} answered, 0 failed'

    mv "$home/apps/hello.nos" "$home/hello"
    control reload >/dev/null
    get http://127.0.0.1:$port/ >"$home/waited" &
    waiting=$!
    sleep 0.3
    is "no app: clients wait" "$(cat "$home/waited")" ""
    mv "$home/hello" "$home/apps/hello.nos"
    control reload >/dev/null
    wait $waiting
    is "… for the next one" "$(cat "$home/waited")" "Hello, world!"
    stop_daemon "passed sockets"
}

children() { ps -o args= --ppid "$daemon" | grep -c "^sleep $1\$"; } # of the daemon, with that argument

wait_children() { wait_until says "^$2\$" children "$1"; } # ARGUMENT NUMBER

# Commands end with the processes that started them, and descriptors do not pile up.
test_commands() {
    local late
    new_home
    conf <<'CONF'
drain_seconds = 1
CONF
    app runner.nos <<'NOS'
use stdlib.server.*
answer(req) = match req.path {
    "/start" -> { Exec.start("sleep", ["901"]); File.open("/dev/null", "r"); respondText(req, "started") }
    "/crash" -> { Exec.start("sleep", ["902"]); throw("crash") }
    "/run" -> { Exec.run("sleep", ["903"]); respondText(req, "ran") }
    "/files" -> respondText(req, show(Dir.list("/proc/self/fd").length()))
    _ -> respondText(req, Exec.run("printf", ["out"]).stdout)
}
main() = {
    Exec.start("sleep", ["900"])
    serve(PORT, answer)
}
NOS
    start_daemon || return
    is "a command is run for a request" "$(get http://127.0.0.1:$port/)" out
    wait_children 900 1
    is "a command runs as long as main" "$(children 900)" 1
    get http://127.0.0.1:$port/files >"$home/before"
    for _ in 1 2 3 4 5 6; do get http://127.0.0.1:$port/start >/dev/null; done
    wait_children 901 0
    is "a command ends with the process that started it" "$(children 901)" 0
    get http://127.0.0.1:$port/crash >/dev/null
    wait_children 902 0
    is "… also when that crashes" "$(children 902)" 0
    eventually_at_most "… and its files are closed" $(($(cat "$home/before") + 3)) get http://127.0.0.1:$port/files
    get http://127.0.0.1:$port/run >/dev/null &
    late=$!
    wait_children 903 1
    rm "$home/apps/runner.nos"
    control reload >/dev/null
    wait_children 900 0
    is "with the app all its commands end" "$(children 900)" 0
    wait $late
    wait_children 903 0
    is "… also the one that is waited for" "$(children 903)" 0
    stop_daemon "commands"
}

# A folder or a configuration that cannot be read is not one without apps.
test_unreadable() {
    local waiting
    new_home
    main_app
    start_daemon || return
    mv "$home/apps" "$home/elsewhere"
    like "the folder of apps is gone: the reload fails" "$(control reload 2>&1)" \
        '^error: the folder of apps cannot be read: No such file or directory; all apps stay as they are; configuration read$'
    is "… and the apps go on" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    like "… which the status tells" "$(control status)" '^apps: 1 of 1 app running; the folder of apps cannot be read: No such'
    : >"$home/apps"
    like "a file in its place" "$(control reload 2>&1)" '^error: the folder of apps cannot be read: Not a directory'
    rm "$home/apps"
    mv "$home/elsewhere" "$home/apps"
    mv "$home/apps/hello.nos" "$home/hello.nos"
    ln -s hello.nos "$home/apps/hello.nos"
    like "a link to itself in the place of an app" "$(control reload 2>&1)" '^configuration read; 0 broken'
    like "… is told of" "$(grep -a app.unreadable "$home/log")" 'app=hello path=".*/hello.nos" error="Too many levels of symbolic links"$'
    is "… and the app goes on" "$(get http://127.0.0.1:$port/)" "Hello, world!"
    rm "$home/apps/hello.nos" "$home/nostosd.conf"
    mv "$home/hello.nos" "$home/apps/hello.nos"
    mkfifo "$home/nostosd.conf"
    like "a pipe in the place of the configuration" "$(control reload 2>&1)" '^error: the configuration has errors'
    like "… is told of" "$(grep -a conf.bad "$home/log")" 'error=".*/nostosd.conf: cannot be read: it is a pipe"$'
    like "what cannot be served is told of once" "$(grep -ac daemon.few_descriptors "$home/log")" '^[01]$'
    get http://127.0.0.1:$port/never >/dev/null &
    waiting=$!
    wait_open 1
    kill -TERM $daemon
    wait_log daemon.stopping
    is "no reload any more while the daemon ends" "$(control reload 2>&1)" "error: the daemon is stopping"
    kill $waiting
    wait $waiting 2>/dev/null
    stop_daemon "unreadable"
}
