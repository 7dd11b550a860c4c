# shellcheck shell=bash disable=SC2154,SC2034
# lib.sh - what tests with a real daemon share: results, daemons, questions. `build` names the folder of the programs.
#
# Each daemon gets a folder of its own below a temporary one (apps/, nostosd.conf, log), and ports nobody uses.
nostos=$build/nostos
nostosd=$build/nostosd
ctl=$build/nostosctl
client=$build/tests/server/client
top=$(mktemp -d)
passed=0
failed=0
daemon=
next_port=$((20000 + $$ % 200 * 40))
trap 'finish_daemon KILL; rm -rf "$top"' EXIT

# ---- results ----

ok() {
    passed=$((passed + 1))
    echo "ok - $1"
}

not_ok() { # WHAT WHY
    failed=$((failed + 1))
    echo "not ok - $1"
    printf '%s\n' "${2:-}" | head -n 20 | sed 's/^/    /'
}

is() { # WHAT GOT WANTED
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:    $2
wanted: $3"; fi
}

like() { # WHAT TEXT EXTENDED_REGULAR_EXPRESSION
    if grep -aqE -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "got:      $2
not like: $3"; fi
}

at_most() { # WHAT NUMBER LIMIT
    if [ "${2:-}" -le "$3" ] 2>/dev/null; then ok "$1 ($2)"; else not_ok "$1" "$2 is more than $3"; fi
}

# ---- daemons ----

free_port() { # prints a port on which nobody listens; each call another
    next_port=$((next_port + 1))
    while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do next_port=$((next_port + 1)); done
    echo "$next_port"
}
new_home() { # a folder with apps/ in it: sets home, port, port2
    home=$top/home$RANDOM
    mkdir -p "$home/apps"
    next_port=$((next_port + 2))
    port=$(free_port)
    next_port=$((port + 1))
    port2=$(free_port)
    next_port=$port2
    : >"$home/nostosd.conf"
}

app() { # NAME (text on standard input; PORT and PORT2 are replaced)
    mkdir -p "$(dirname "$home/apps/$1")"
    sed "s/PORT2/$port2/g; s/PORT/$port/g" >"$home/apps/$1"
}

conf() { sed "s/PORT2/$port2/g; s/PORT/$port/g" >"$home/nostosd.conf"; }

start_daemon() { # OPTIONS: wait until it says that it is ready
    "$nostosd" --config "$home/nostosd.conf" --apps-dir "$home/apps" --control "$home/control" "$@" \
        >"$home/out" 2>>"$home/log" &
    daemon=$!
    for _ in $(seq 1 500); do
        grep -q daemon.ready "$home/log" 2>/dev/null && return 0
        kill -0 $daemon 2>/dev/null || break
        sleep 0.02
    done
    not_ok "the daemon starts" "$(tail -n 20 "$home/log")"
    return 1
}

finish_daemon() { # SIGNAL: send it, wait, set daemon_status
    [ -n "$daemon" ] || return 0
    kill -"$1" "$daemon" 2>/dev/null
    wait "$daemon" 2>/dev/null
    daemon_status=$?
    daemon=
}

stop_daemon() { # WHAT: it must end with 0 (the sanitizers' findings are an end with something else)
    finish_daemon TERM
    if [ "$daemon_status" -eq 0 ]; then ok "$1: ends cleanly"; else
        not_ok "$1: ends cleanly" "status $daemon_status
$(grep -vE '^(info|warn|error|debug) ' "$home/log" | tail -n 15)"
    fi
}

get() { curl -s -m 15 "$@"; }
code() { curl -s -m 15 -o /dev/null -w '%{http_code}' "$@"; }

wait_log() { # PATTERN: until a line of the log has it
    for _ in $(seq 1 1500); do
        grep -aqE -- "$1" "$home/log" && return 0
        sleep 0.02
    done
    return 1
}

wait_listen() { # PORT: until somebody listens there
    for _ in $(seq 1 500); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        sleep 0.02
    done
    return 1
}

wait_ctl() { # COMMAND PATTERN: until nostosctl's answer has it
    for _ in $(seq 1 1000); do
        "$ctl" -s "$home/control" $1 2>/dev/null | grep -aqE -- "$2" && return 0
        sleep 0.02
    done
    return 1
}

wait_open() { wait_ctl status " received, $1 open"; } # so many requests

# ---- the app that most tests talk to ----

main_app() {
    app hello.nos <<'NOS'
use stdlib.server.*

handler(req) = match req.path {
    "/" -> respondText(req, "Hello, world!")
    "/headers" -> respondText(req, show(req.headers))
    "/query" -> respondText(req, show(req.queryParams))
    "/cookies" -> respondText(req, show(req.cookies))
    "/form" -> respondText(req, show(req.formParams))
    "/body" -> respondText(req, show(req.body))
    "/length" -> respondText(req, show(length(req.body)))
    "/method" -> respondText(req, req.method)
    "/types" -> respondText(req, show((req.id > 0, req.path, req.isWebSocket)))
    "/set" -> respondTextWith(req, "set", [setCookie("a", "1"), setCookie("b", "2")])
    "/bytes" -> Server.respond(req.id, 200, [("Content-Type", "image/png")], [137, 80, 0, 255, 266])
    "/empty" -> Server.respond(req.id, 204, [], ())
    "/large" -> Server.respond(req.id, 200, [], String.repeat("0123456789", 100000))
    "/throw" -> throw("boom")
    "/silent" -> ()
    "/sleep" -> { sleep(300); respondText(req, "slept") }
    "/late" -> { sleep(1000); respondText(req, "late") }
    "/never" -> sleep(100000)
    "/spin" -> spin(0)
    "/twice" -> { respondText(req, "first"); respondText(req, "second") }
    "/badheader" -> Server.respond(req.id, 200, [("X-A", "1\r\nX-B: 2")], "no")
    "/badstatus" -> Server.respond(req.id, 42, [], "no")
    "/print" -> { println("printed by the app"); respondText(req, "printed") }
    _ -> respond404(req)
}

spin(n) = spin(n + 1)

main() = serve(PORT, handler)
NOS
}
