# shellcheck shell=bash disable=SC2154,SC2034
# lib.sh - what tests with a real daemon share: results, daemons, questions. `build` names the folder of the programs.
#
# Each daemon gets a folder of its own below a temporary one (apps/, nostosd.conf, log), and ports nobody uses.
#
# The machine may be slow, busy or stopped for seconds: nothing is asserted of an instant. What others are about to do is
# waited for (eventually, logged, wait_until), and what must not be over yet lasts until it is told to end (hold, release).
nostos=$build/nostos
nostosd=$build/nostosd
ctl=$build/nostosctl
client=$build/tests/server/client
top=$(mktemp -d)
passed=0
failed=0
daemon=
WAIT_SECONDS=30  # until something that must come is missed
PORTS_PER_RUN=200 PORT_RANGES=30
trap 'finish_daemon KILL; rm -rf "$top"' EXIT

# ---- results ----

ok() {
    passed=$((passed + 1))
    echo "ok - $1"
}

not_ok() { # WHAT WHY: and what the daemon said last
    failed=$((failed + 1))
    echo "not ok - $1"
    printf '%s\n' "${2:-}" | head -n 50 | cut -c 1-500 | sed 's/^/    /'
    [ -s "${home:-}/log" ] || return 0
    tail -n 12 "$home/log" | tr -cd '[:print:]\n' | cut -c 1-300 | sed 's/^/    log: /'
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

# ---- waiting ----

wait_until() { # COMMAND…: until it succeeds
    local end=$((SECONDS + WAIT_SECONDS)) tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $SECONDS -lt $end ] || [ $tries -lt 100 ] || return 1 # (tries: as often, if all was stopped meanwhile)
        sleep 0.02
    done
}

says() { # PATTERN COMMAND…: whether what it prints is like that; sets said
    local pattern=$1
    shift
    said=$("$@" 2>&1)
    grep -aqE -- "$pattern" <<<"$said"
}

counts_at_most() { # LIMIT COMMAND…: whether the number it prints is no more; sets said
    local limit=$1
    shift
    said=$("$@")
    [ "$said" -le "$limit" ]
}

eventually() { # WHAT PATTERN COMMAND…: what it prints gets like that
    local what=$1 pattern=$2
    shift 2
    wait_until says "$pattern" "$@"
    like "$what" "$said" "$pattern"
}

eventually_at_most() { # WHAT LIMIT COMMAND…: the number it prints gets so small
    local what=$1 limit=$2
    shift 2
    wait_until counts_at_most "$limit" "$@"
    at_most "$what" "$said" "$limit"
}

log_lines() { grep -aE -- "$1" "$home/log" 2>/dev/null; }

logged() { # WHAT EVENT PATTERN: a line of the log has EVENT and is like PATTERN
    eventually "$1" "$3" log_lines "$2"
}

wait_log() { wait_until says . log_lines "$1"; }          # PATTERN: until a line of the log has it
is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # PORT
wait_listen() { wait_until is_open "$1"; }                # PORT: until somebody listens there
control() { "$ctl" -s "$home/control" "$@"; }
wait_ctl() { # COMMAND PATTERN: until nostosctl's answer has it
    # shellcheck disable=SC2086
    wait_until says "$2" control $1
}
wait_open() { wait_ctl status " received, $1 open"; } # so many requests

# ---- daemons ----

# A range of ports that no other run of these tests uses, below those that clients get from the kernel if there is room.
reserve_ports() {
    local low block lock
    read -r low _ </proc/sys/net/ipv4/ip_local_port_range
    [ "$low" -gt $((2 * PORT_RANGES * PORTS_PER_RUN)) ] || low=60000
    for block in $(shuf -i 1-$PORT_RANGES); do
        { exec {lock}>"/tmp/nostosd-tests-ports-$block"; } 2>/dev/null || continue
        next_port=$((low - block * PORTS_PER_RUN))
        flock -n "$lock" && return
        exec {lock}>&-
    done
}

free_port() { # prints a port on which nobody listens; each call another
    next_port=$("$client" free_port $((next_port + 1)))
    echo "$next_port"
}

new_home() { # a folder with apps/ in it: sets home, port, port2
    home=$top/home$RANDOM
    mkdir -p "$home/apps"
    port=$(free_port)
    next_port=$port
    port2=$(free_port)
    next_port=$port2
    : >"$home/nostosd.conf"
}

app() { # NAME (text on standard input; HOME, PORT and PORT2 are replaced)
    mkdir -p "$(dirname "$home/apps/$1")"
    sed "s/PORT2/$port2/g; s/PORT/$port/g; s|HOME|$home|g" >"$home/apps/$1"
}

conf() { sed "s/PORT2/$port2/g; s/PORT/$port/g" >"$home/nostosd.conf"; }

is_ready_or_gone() { grep -q daemon.ready "$home/log" 2>/dev/null || ! kill -0 "$daemon" 2>/dev/null; }

start_daemon() { # OPTIONS: wait until it says that it is ready
    "$nostosd" --config "$home/nostosd.conf" --apps-dir "$home/apps" --control "$home/control" "$@" \
        >"$home/out" 2>>"$home/log" &
    daemon=$!
    wait_until is_ready_or_gone
    grep -q daemon.ready "$home/log" && return 0
    not_ok "the daemon starts"
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
$(grep -avE '^(info|warn|error|debug) ' "$home/log")"
    fi
}

get() { curl -s -m 60 "$@"; }
code() { curl -s -m 60 -o /dev/null -w '%{http_code}' "$@"; }

# Requests for /held are answered when release has been called, until hold is.
release() { : >"$home/released"; }
hold() { rm -f "$home/released"; }

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
    "/held" -> held(req)
    "/never" -> sleep(1000000)
    "/spin" -> spin(0)
    "/twice" -> { respondText(req, "first"); respondText(req, "second") }
    "/badheader" -> Server.respond(req.id, 200, [("X-A", "1\r\nX-B: 2")], "no")
    "/badstatus" -> Server.respond(req.id, 42, [], "no")
    "/print" -> { println("printed by the app"); respondText(req, "printed") }
    _ -> respond404(req)
}

held(req) = if File.exists("HOME/released") then respondText(req, "held") else { sleep(20); held(req) }

spin(n) = spin(n + 1)

main() = serve(PORT, handler)
NOS
}

reserve_ports
