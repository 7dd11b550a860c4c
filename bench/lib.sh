# lib.sh - what the benchmarks share: starting contenders on free ports, load by wrk, medians.
# shellcheck shell=bash
set -uo pipefail
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$bench/.." && pwd)
build=${BUILD:-$top/build}
work=$(mktemp -d)
pids=()
cleanup() {
    [ ${#pids[@]} -gt 0 ] && kill "${pids[@]}" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-3}

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

await_port() { # await_port PORT: until something answers there, 10 s at most
    for _ in $(seq 2000); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        sleep 0.005
    done
    echo "nothing listens on port $1" >&2
    return 1
}

start_direct() { # start_direct [BURN_US] -> port in $port
    port=$(free_port)
    "$build/bench/direct" "$port" "${1:-0}" &
    pids+=($!)
    await_port "$port"
}

start_daemon() { # start_daemon APP-TEXT [CONF-LINES] -> port in $port, pid in $daemon; the text's PORT is replaced
    local home
    port=$(free_port)
    home=$(mktemp -d -p "$work")
    mkdir "$home/apps"
    sed "s/PORT/$port/g" <<<"$1" >"$home/apps/app.nos"
    printf 'apps_dir = "%s"\ncontrol_socket = "%s"\n%s\n' "$home/apps" "$home/control" "${2:-}" >"$home/nostosd.conf"
    "$build/nostosd" --config "$home/nostosd.conf" >"$home/log" 2>&1 &
    daemon=$!
    pids+=("$daemon")
    await_port "$port" || { cat "$home/log" >&2; return 1; }
}

load() { # load PORT CONNECTIONS [PATH]: requests/s; errors to stderr. $script: what wrk is told of the requests
    local out
    out=$(wrk -t1 -c"$2" -d"${seconds}s" ${script:+-s "$script"} "http://127.0.0.1:$1${3:-/}")
    grep -E 'Socket errors|Non-2xx' <<<"$out" >&2
    awk '/Requests\/sec/ { printf "%.0f\n", $2 }' <<<"$out"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

resident_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

hello='answer(req) = Server.respond(req.id, 200, [("Content-Type", "text/plain")], "Hello, world!\n")
acceptLoop(server) = {
    more = try {
        req = Server.accept(server)
        spawn { answer(req) }
        true
    } catch { _ -> false }
    if more then acceptLoop(server) else ()
}
main() = acceptLoop(Server.bind(PORT))'

computing='spin(n, x) = if n == 0 then x else spin(n - 1, x + n % 7)
answer(req) = {
    spin(ROUNDS, 0)
    Server.respond(req.id, 200, [("Content-Type", "text/plain")], "Hello, world!\n")
}'
computing+=${hello#*Hello, world!\\n\")}

workers='work(server) = {
    req = Server.accept(server)
    Server.respond(req.id, 200, [("Content-Type", "text/plain")], "Hello, world!\n")
    work(server)
}
startAll(_, 0) = ()
startAll(server, n) = { spawn { work(server) }
    startAll(server, n - 1) }
main() = { startAll(Server.bind(PORT), 8)
    receive { "never" -> () } }'

recursive='acceptLoop(server) = {
    result = try {
        req = Server.accept(server)
        Server.respond(req.id, 200, [("Content-Type", "text/plain")], "Hello, world!\n")
        acceptLoop(server)
    } catch { e -> () }
    result
}
main() = acceptLoop(Server.bind(PORT))'
