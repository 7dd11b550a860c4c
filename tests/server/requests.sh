# shellcheck shell=bash disable=SC2154
# What clients send and what they get: requests good and bad, slow and leaving clients, the shapes of servers. Part of tests/server/run.

test_plain() {
    local u u2 big
    new_home
    conf <<'CONF'
listener_defaults { request_deadline_ms = 120000 body_max_bytes = 1000000 }
listener hurried { port = PORT2 request_deadline_ms = 300 }
CONF
    main_app
    sed "s/serve($port,/serve($port2,/" "$home/apps/hello.nos" >"$home/apps/hurried.nos"
    start_daemon || return
    u=http://127.0.0.1:$port
    u2=http://127.0.0.1:$port2
    big=$home/big
    head -c 3000000 /dev/zero | tr '\0' 'x' >"$big"

    is "hello" "$(get $u/)" "Hello, world!"
    is "not found" "$(get $u/nowhere) $(code $u/nowhere)" "Not Found: /nowhere 404"
    is "path is not decoded" "$(get "$u/a%20b?c")" "Not Found: /a%20b"
    is "headers: names in lower case, in order, twice when sent twice" \
        "$(get -H 'User-Agent:' -H 'Accept:' -H 'X-One: a' -H 'X-one: b' -H 'Host: h' $u/headers)" \
        '[("host", "h"), ("x-one", "a"), ("x-one", "b")]'
    local same=(-H 'User-Agent:' -H 'Accept:' -H 'Host: h' -H 'X-Two: 2' -H 'X-Three: 3' -H 'Cookie: c=1')
    local seen='[("host", "h"), ("x-two", "2"), ("x-three", "3"), ("cookie", "c=1")'
    is "headers that come again on a connection, then others" \
        "$(get "${same[@]}" $u/headers $u/headers $u/headers $u/cookies $u/headers --next -s "${same[@]}" -H 'X-Four: 4' \
            $u/headers $u/headers --next -s "${same[@]}" $u/headers $u/cookies)" \
        "$seen]$seen]$seen][(\"c\", \"1\")]$seen]$seen, (\"x-four\", \"4\")]$seen, (\"x-four\", \"4\")]$seen][(\"c\", \"1\")]"
    is "query" "$(get "$u/query?a=1&b=%41%20&a=&c+d&x=y=z")" \
        '[("a", "1"), ("b", "A "), ("a", ""), ("c+d", ""), ("x", "y=z")]'
    is "empty query, no query" "$(get "$u/query?")$(get "$u/query")" '[("", "")][]'
    is "cookies" "$(get -H 'Cookie: a=1; b=2;=x; c' $u/cookies)" '[("a", "1"), ("b", "2"), ("c", "")]'
    is "form" "$(get -d 'k=v&u=%C3%BC' $u/form)" '[("k", "v"), ("u", "ü")]'
    is "no form in another content type" "$(get -H 'Content-Type: text/plain' -d 'k=v' $u/form)" '[]'
    is "body" "$(get -d 'héllo' $u/body)" 'héllo'
    is "body of bytes" "$(printf '\377\001' | get --data-binary @- $u/body)" '[255, 1]'
    is "methods" "$(for m in PUT DELETE PATCH OPTIONS XYZ; do get -X $m $u/method; done)" "PUTDELETEPATCHOPTIONSXYZ"
    is "other fields" "$(get $u/types)" '(true, "/types", false)'
    is "two Set-Cookie lines" "$(get -D - -o /dev/null $u/set | grep -ci '^set-cookie:')" 2
    is "body as list of bytes, modulo 256" "$(get $u/bytes | od -An -tu1 | tr -s ' ')" " 137 80 0 255 10"
    is "204 without a body" "$(get -D - $u/empty | tr -d '\r' | grep -ciE '^(HTTP/1.1 204|content-length)')" 1
    is "a megabyte" "$(get $u/large | wc -c)" 1000000
    is "upload" "$(head -c 1000000 "$big" | get --data-binary @- $u/length)" 1000000
    is "chunked upload" "$(head -c 900000 "$big" | get -H 'Transfer-Encoding: chunked' --data-binary @- $u/length)" 900000
    is "100-continue" "$(head -c 500000 "$big" | get -H 'Expect: 100-continue' --data-binary @- $u/length)" 500000
    is "HEAD" "$(get -I $u/ | tr -d '\r' | grep -cE '^HTTP/1.1 200|^Content-Length: 13')" 2
    is "HEAD has no body" "$("$client" raw $port 'HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' | grep -c Hello)" 0
    is "keep-alive" "$(get -w '%{num_connects}' $u/ $u/ $u/)" "Hello, world!1Hello, world!0Hello, world!0"
    is "pipelining keeps the order" "$("$client" raw $port \
        'GET /sleep HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET /method HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' |
        grep -oE 'slept|Hello|GET' | tr '\n' ' ')" "slept Hello GET "
    is "a thousand requests in one piece" "$("$client" raw $port \
        "$(printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n%.0s' {1..999})GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n" |
        grep -ao 'Hello, world!' | wc -l)" 1000
    is "HTTP/1.0 closes" "$("$client" raw $port 'GET / HTTP/1.0\r\n\r\n' | grep -c Hello)" 1

    is "413 by content length" "$(code -H 'Expect:' --data-binary @"$big" $u/length)" 413
    is "413 before 100-continue" "$(code -H 'Expect: 100-continue' --data-binary @"$big" $u/length)" 413
    is "413 while chunks come in" "$(code -H 'Expect:' -H 'Transfer-Encoding: chunked' --data-binary @"$big" $u/length)" 413
    is "431 for long headers" "$(code -H "X: $(head -c 9000 "$big")" $u/)" 431
    like "400 for garbage" "$("$client" raw $port 'GARBAGE\r\n\r\n')" '^(HTTP/1.[01] 400|$)'
    like "400 without Host" "$("$client" raw $port 'GET / HTTP/1.1\r\n\r\n')" '^HTTP/1.1 400'
    like "400 for a bad length" "$("$client" raw $port 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n')" '^HTTP/1.1 400'

    once() { "$client" "$@" | tr -d '\r' | grep -aE '^HTTP/|HTTP/1.1 [0-9]+' | grep -aoE 'HTTP/1.1 [0-9]+' | tr '\n' ' '; }
    is "400 for two lengths" "$(once raw $port 'POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde')" "HTTP/1.1 400 "
    is "two equal ones are one" "$(once raw $port 'POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab')" "HTTP/1.1 200 "
    is "400 for a length beside a coding, and no more is served" "$(once raw $port \
        'POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n')" "HTTP/1.1 400 "
    is "501 for an unknown coding" "$(once raw $port 'POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nab')" "HTTP/1.1 501 "
    is "400 for two hosts" "$(once raw $port 'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n')" "HTTP/1.1 400 "
    is "400 for chunks that are none" "$(once raw $port 'POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n')" "HTTP/1.1 400 "
    is "garbage behind a request" "$(once raw $port 'GET /method HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n' | cut -c 1-13)" "HTTP/1.1 200 "
    is "a body longer than said is the next request" "$(once raw $port \
        'POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /method HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')" "HTTP/1.1 200 HTTP/1.1 200 "
    is "a client that has said all it will say gets its answer" "$("$client" half $port 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' | tail -n 1)" "Hello, world!"
    is "… also a late one" "$("$client" half $port 'GET /sleep HTTP/1.1\r\nHost: x\r\n\r\n' | tail -n 1)" "slept"
    is "a flood of headers" "$(once raw $port "GET / HTTP/1.1\r\nHost: x\r\n$(for i in $(seq 1 2000); do printf 'A: b\\r\\n'; done)\r\n")" "HTTP/1.1 431 "
    is "sixty headers" "$(once raw $port "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n$(for i in $(seq 1 60); do printf 'A: b\\r\\n'; done)\r\n")" "HTTP/1.1 200 "

    is "a handler that throws: 500" "$(get $u/throw) $(code $u/throw)" "Internal Server Error 500"
    logged "… its exception, request and trace are in the log" process.crashed \
        'app=hello .*request=[0-9]+ target="GET /throw" error=".*boom.*" trace=".*handler.*hello.nos:'
    is "a handler that ends without an answer: 500" "$(code $u/silent)" 500
    is "a handler past its deadline: 504" "$(get -w ' %{http_code}' $u2/never)" "Gateway Timeout 504"
    is "an endless one: 504" "$(code $u2/spin)" 504
    eventually_at_most "… their processes are gone" 1 processes_of hurried
    is "answered twice: the first counts" "$(get $u/twice)" "first"
    logged "… the second is an exception" process.crashed 'Request not found or already responded'
    is "header with a line break is refused" "$(code $u/badheader)" 500
    is "status out of range is refused" "$(code $u/badstatus)" 500
    "$client" abort $port 50 /sleep
    "$client" abort $port 50 /
    wait_open 0
    is "clients that leave do no harm" "$(get $u/)" "Hello, world!"
    is "… and are no exception for the handler" "$(grep -ac 'target="GET /sleep"' "$home/log")" 0
    get $u/print >/dev/null
    logged "what an app prints is in the log" app.print 'app=hello text="printed by the app"'

    for n in 127 128 129 300; do
        out=$("$client" burst $port $n /)
        like "$n requests at the same instant: $out" "$out" "^$n answered"
    done
    out=$("$client" burst $port 200 /sleep)
    like "200 suspended at once: $out" "$out" "^200 answered"

    like "status" "$(control status)" 'apps: 2 of 2 apps running'
    like "… counts what went wrong" "$(control status)" 'troubles: 0 queue full, 2 past their deadline'
    like "apps" "$(control apps)" "^hello state=running version=1 .*ports=$port"
    like "unknown app" "$(control processes nobody 2>&1)" '^error: no app is called nobody'
    stop_daemon "plain"
}

processes_of() { control processes "$1" | wc -l; } # APP

test_slow_clients() {
    new_home
    conf <<'CONF'
listener_defaults { header_timeout_ms = 400 body_timeout_ms = 400 }
listener hurried { port = PORT2 idle_timeout_ms = 600 }
CONF
    main_app
    sed "s/serve($port,/serve($port2,/" "$home/apps/hello.nos" >"$home/apps/hurried.nos"
    start_daemon || return
    like "headers that never end: 408" "$("$client" slow $port 'GET / HTTP/1.1\r\nHost: x\r\n' | tr -d '\r' | tr '\n' ' ')" \
        '^HTTP/1.1 408 .*closed after [0-9]{3,} ms'
    like "not even a first line" "$("$client" slow $port 'GE')" '^closed after [0-9]{3,} ms'
    like "a body that never ends: 408" \
        "$("$client" slow $port 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nab' | tr -d '\r' | tr '\n' ' ')" \
        '^HTTP/1.1 408 .*closed after [0-9]{3,} ms'
    like "idle connections are closed" "$("$client" slow $port2 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' | tail -n 1)" \
        'closed after [0-9]{3,} ms'
    like "half a body, and no more to come" \
        "$("$client" half $port 'POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab')" '^(HTTP/1.1 408|$)'
    is "a slow handler is no slow client" "$(get http://127.0.0.1:$port/late)" late
    stop_daemon "slow clients"
}

# A client that has gone without a word holds nobody up.
test_hung_up() {
    new_home
    main_app
    start_daemon || return
    timeout 0.3 "$client" half $port 'POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab'
    stop_daemon "a client that hung up in the middle of a body"
}

# Clients that leave while their handlers run: their connections are freed at once, the handlers do not notice.
test_leaving() {
    local loops
    for loops in "connection_loops = 1" "connection_threads = 1"; do
        new_home
        conf <<<"$loops"
        app slow.nos <<'NOS'
use stdlib.server.*
mvar done: Int = 0
mvar held: Bool = true
wait() = if held then { sleep(20); wait() } else ()
main() = serve(PORT, req => match req.path {
    "/held" -> { wait(); respondText(req, "slow"); done = done + 1 }
    "/slow" -> { sleep(1500); respondText(req, "slow") }
    "/release" -> { held = false; respondText(req, "released") }
    "/hold" -> { held = true; respondText(req, "held") }
    _ -> respondText(req, show(done))
})
NOS
        start_daemon || return
        "$client" leave $port 50 400 /held
        wait_ctl status ' 50 clients gone'
        eventually "$loops: clients that reset their connections are noticed while they wait" '^connections: 0 open' control status
        like "… their requests go on" "$(control status)" ' received, 50 open'
        get http://127.0.0.1:$port/release >/dev/null
        wait_open 0
        is "… answering them is no error" "$(get http://127.0.0.1:$port/) $(grep -ac process.crashed "$home/log")" "50 0"
        is "a client that has only said all it will say is still there" \
            "$("$client" half $port 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n' | tail -n 1)" slow
        get http://127.0.0.1:$port/hold >/dev/null
        "$client" leave $port 50 30 /held
        # Some leave before anything of theirs is read: no request, so nobody who is gone.
        wait_ctl status '^connections: 0 open, 1[0-9]{2} since the start'
        is "those that leave before they are watched are noticed too" "$?" 0
        get http://127.0.0.1:$port/release >/dev/null
        stop_daemon "leaving"
    done
}

# Clients that close together with their last bytes, in the middle of a request or behind one.
test_farewell() {
    new_home
    conf <<'CONF'
listener_defaults { header_timeout_ms = 60000 body_timeout_ms = 60000 idle_timeout_ms = 60000 }
CONF
    main_app
    start_daemon || return
    "$client" farewell $port 20 'GET / HT'
    "$client" farewell $port 20 'GET / HTTP/1.1\r\nHost: x\r\n'
    "$client" farewell $port 20 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
    "$client" farewell $port 20 'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET'
    "$client" farewell $port 20 'POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab'
    "$client" farewell $port 20 'POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nab'
    wait_ctl status '^connections: 0 open'
    is "clients that close with their last bytes are found out within seconds" "$?" 0
    is "… one that has only said all it will say gets its answer" \
        "$("$client" half $port 'GET /late HTTP/1.1\r\nHost: x\r\n\r\n' | tail -n 1)" late
    stop_daemon "farewell"
}

test_queue() {
    local i askers=()
    new_home
    conf <<'CONF'
drain_seconds = 1
listener_defaults { queue_max = 4 retry_after_seconds = 9 request_deadline_ms = 120000 }
listener hurried { port = PORT2 request_deadline_ms = 300 }
CONF
    app lazy.nos <<'NOS'
main() = { s = (Server.bind(PORT), Server.bind(PORT2)); receive { "go" -> s } }
NOS
    start_daemon || return
    for i in 1 2 3 4; do
        get http://127.0.0.1:$port/ >"$home/answer$i" &
        askers+=($!)
    done
    wait_open 4
    is "nobody accepts: the ring is full, 503 at once" \
        "$(get -D - -o /dev/null -w '%{http_code}' http://127.0.0.1:$port/ | tr -d '\r' | grep -E 'Retry-After|^503' | tr '\n' ' ')" \
        "Retry-After: 9 503 "
    kill "${askers[@]}"
    wait "${askers[@]}" 2>/dev/null
    for i in 1 2 3; do code http://127.0.0.1:$port2/; done >"$home/codes"
    is "those in the ring get 504 at their deadline" "$(cat "$home/codes")" 504504504
    stop_daemon "full ring"
}

# Answers that are constants of the program are prepared once: each request gets its own, also when there are many.
test_constant_answers() {
    local i urls u
    new_home
    conf <<<'connection_loops = 2'
    {
        echo 'use stdlib.server.*'
        echo 'answer(req) = match req.path {'
        for i in $(seq 1 300); do echo "    \"/$i\" -> Server.respond(req.id, 200, [(\"X-Number\", \"$i\")], \"number $i\")"; done
        echo '    "/status" -> Server.respond(req.id, 418, [("X-Number", "1")], "number 1")'
        echo '    "/none" -> Server.respond(req.id, 200, (), "number 1")'
        echo '    "/bad" -> Server.respond(req.id, 200, [("X-A", "1\r\nX-B: 2")], "no")'
        echo '    _ -> respond404(req)'
        echo '}'
        echo 'main() = serve(PORT, answer)'
    } | app many.nos
    start_daemon || return
    u=http://127.0.0.1:$port
    urls=$(for _ in 1 2; do for i in $(seq 1 300); do echo "url=$u/$i"; done; done)
    is "300 constant answers, twice" \
        "$(curl -s -m 60 -w '=%header{x-number}\n' -K - <<<"$urls" | sort -u)" "$(for i in $(seq 1 300); do echo "number $i=$i"; done | sort)"
    is "the same one with another status" "$(curl -s -m 15 -w ' %{http_code}' $u/status)" "number 1 418"
    is "… and without headers" "$(curl -s -m 15 -w ' %header{x-number}' $u/none)" "number 1 "
    is "one that is none, again and again" "$(code $u/bad) $(code $u/bad)" "500 500"
    is "HEAD of one" "$(curl -s -m 15 -I $u/7 | tr -d '\r' | grep -ic '^content-length: 8$')" 1
    is "after another version has come" "$(sed -i 's/"number /"NUMBER /' "$home/apps/many.nos"
        "$ctl" -s "$home/control" reload >/dev/null
        get $u/5)" "NUMBER 5"
    stop_daemon "constant answers"
}

test_shapes() {
    local u2
    new_home
    app workers.nos <<'NOS'
mvar served: List[Pid] = []

work(s, boss) = {
    ok = try {
        req = Server.accept(s)
        me = self()
        served = if served.contains(me) then served else push(served, me)
        if req.path == "/quit" then { Server.respond(req.id, 200, [], "bye"); boss <- "quit" }
        else Server.respond(req.id, 200, [], show(length(served)))
        true
    } catch { _ -> false }
    if ok then work(s, boss) else ()
}

start(s, boss, 0) = ()
start(s, boss, n) = { spawn { work(s, boss) }; start(s, boss, n - 1) }

main() = {
    s = Server.bind(PORT)
    me = self()
    start(s, me, 4)
    receive { "quit" -> Server.close(s) }
    r = try { Server.accept(s); "accepted" } catch { (kind, text) -> kind ++ ": " ++ text }
    println("after close: " ++ r)
    again = Server.bind(PORT)
    req = Server.accept(again)
    Server.respond(req.id, 200, [], "bound again")
    try { Server.bind(70000); () } catch { (kind, text) -> println(kind ++ ": " ++ text) }
    try { Server.bind(PORT); () } catch { (kind, text) -> println(kind ++ ": " ++ text) }
    receive { "never" -> () }
}
NOS
    app recursing.nos <<'NOS'
loop(s) = {
    r = try {
        req = Server.accept(s)
        Server.respond(req.id, 200, [("X-Worker", "r")], "recursing")
        loop(s)
    } catch { e -> () }
    r
}
main() = { s = Server.bind(PORT2); spawn { loop(s) }; spawn { loop(s) }; receive { "never" -> () } }
NOS
    start_daemon || return
    u2=http://127.0.0.1:$port2
    eventually "N workers: each gets its share" '^4$' get http://127.0.0.1:$port/
    is "accept loop that recurses inside try" "$(get $u2/)" recursing
    "$client" load $port2 16 1000 / >"$home/load"
    like "… under load" "$(cat "$home/load")" ', 0 failed'
    is "quit is answered, then the server closes" "$(get http://127.0.0.1:$port/quit)" bye
    logged "accept on a closed server" app.print 'after close: io_error: Invalid handle'
    wait_ctl apps "^workers .*ports=$port"
    is "the port can be bound again at once" "$(get http://127.0.0.1:$port/)" "bound again"
    logged "ports out of range" app.print 'io_error: IO error: Failed to bind: invalid port 70000'
    logged "a port of its own that is taken" app.print 'io_error: IO error: Failed to bind: Address already in use'
    stop_daemon "shapes"
}

# A request handed on by message is answered by whoever has it, also when its first process has ended.
test_handing_on() {
    local one two
    new_home
    conf <<'CONF'
listener_defaults { request_deadline_ms = 120000 }
listener hurried { port = PORT2 request_deadline_ms = 300 }
CONF
    app room.nos <<'NOS'
use stdlib.server.*

room(waiting) = receive {
    Join(id) -> room(push(waiting, id))
    Ask(id) -> { Server.respond(id, 200, [], show(length(waiting))); room(waiting) }
    Say(text) -> { waiting.each(id => try { Server.respond(id, 200, [], text) } catch { _ -> () }); room([]) }
}

type Message = Join(Int) | Ask(Int) | Say(String)

main() = {
    r = spawn { room([]) }
    answer = req => match req.path {
        "/join" -> { r <- Join(req.id) }
        "/ask" -> { r <- Ask(req.id) }
        "/say" -> { r <- Say("news"); respondText(req, "said") }
        _ -> respond404(req)
    }
    spawn { serve(PORT2, answer) }
    serve(PORT, answer)
}
NOS
    start_daemon || return
    wait_ctl apps "^room .*ports=$port,$port2|^room .*ports=$port2,$port"
    get http://127.0.0.1:$port/join >"$home/one" &
    one=$!
    get http://127.0.0.1:$port/join >"$home/two" &
    two=$!
    wait_until says '^2$' get http://127.0.0.1:$port/ask
    is "long polling: somebody says something" "$(get http://127.0.0.1:$port/say)" said
    wait $one $two
    is "… and those who wait hear it" "$(cat "$home/one" "$home/two")" newsnews
    is "nobody says anything: 504" "$(code http://127.0.0.1:$port2/join)" 504
    stop_daemon "handing on"
}

# Programs as authors write them, with stdlib.server: routes, forms, sessions, typed requests, files.
test_library() {
    local u jar
    new_home
    mkdir -p "$home/public/pictures"
    printf 'plain words' >"$home/public/words.txt"
    head -c 5000 /dev/urandom >"$home/public/pictures/noise.png"
    app site.nos <<NOS
use stdlib.server.*

type Order = { sku: String, count: Int, gift: Option[Bool] }
mvar sessions: Map[String, String] = %{}
mvar hits: Int = 0

logIn(req) = {
    user = getParam(req.formParams, "user")
    if req.method != "POST" then respond405(req)
    else if user == "" then respond400(req, "who?")
    else {
        key = "key-" ++ user
        sessions = Map.insert(sessions, key, user)
        redirectWith(req, "/me", [setCookieWithAge("session", key, 3600), setCookie("theme", "dark")])
    }
}

whoAmI(req) = {
    key = getCookie(req.cookies, "session")
    if Map.contains(sessions, key) then respondText(req, Map.get(sessions, key)) else respond401(req, "nobody")
}

takeOrder(req) = {
    parsed: Result[Order, String] = req.toType()
    match parsed {
        Ok(order) -> respondJson(req, show([order.sku, show(order.count)]))
        Err(why) -> respond400(req, why)
    }
}

route(req) = match req.path {
    "/login" -> logIn(req)
    "/logout" -> respondTextWith(req, "bye", [clearCookie("session")])
    "/me" -> whoAmI(req)
    "/order" -> takeOrder(req)
    "/hits" -> {
        hits = hits + 1
        respondText(req, show(hits))
    }
    "/first" -> if respondFile(req, "$home/public/words.txt") then () else respond503(req, "no file")
    "/bug" -> respondText(req, show(1 / (hits - hits)))
    path -> {
        params = Server.matchPath(path, "/shop/:shop/item/:item")
        if length(params) == 2 then {
            (_, shop) = head(params)
            (_, item) = head(tail(params))
            respondHtml(req, "<b>" ++ shop ++ item ++ "</b>")
        } else if serveStatic(req, "/static", "$home/public") then ()
        else respond404(req)
    }
}

counted(handler) = req => { handler(req) }

main() = serve(PORT, counted(route))
NOS
    start_daemon || return
    u=http://127.0.0.1:$port
    jar=$home/jar
    is "matchPath in a cascade" "$(get $u/shop/7/item/x1)" '<b>7x1</b>'
    is "respond404" "$(get -w ' %{http_code} %{content_type}' $u/shop/7)" 'Not Found: /shop/7 404 text/plain'
    is "respond405" "$(get -w ' %{http_code}' $u/login)" 'Method Not Allowed 405'
    is "respond400" "$(get -w ' %{http_code}' -d 'other=1' $u/login)" 'who? 400'
    is "logging in, with a redirection" "$(get -L -c "$jar" -b "$jar" -d 'user=Ann%20M' $u/login)" 'Ann M'
    like "two cookies" "$(get -i -d user=b $u/login | tr -d '\r')" '^Set-Cookie: theme=dark; Path=/; HttpOnly$'
    like "… one with an age" "$(get -i -d user=b $u/login | tr -d '\r')" \
        '^Set-Cookie: session=key-b; Path=/; HttpOnly; Max-Age=3600$'
    is "the session is known" "$(get -b "$jar" $u/me)" 'Ann M'
    get -b "$jar" -c "$jar" $u/logout >"$home/out"
    is "… until its cookie is cleared" "$(get -w ' %{http_code}' -b "$jar" $u/me)" 'nobody 401'
    is "a typed request" "$(get -w ' %{content_type}' -d count=4 "$u/order?sku=a&count=3")" '["a", "4"] application/json'
    is "… that does not fit" "$(get "$u/order?count=x&gift=perhaps")" \
        "missing required field 'sku', field 'count': expected Int, got 'x', field 'gift': expected Bool, got 'perhaps'"
    is "a file" "$(get -w ' %{content_type}' $u/static/words.txt)" 'plain words text/plain'
    get -o "$home/noise" -w '%{content_type}' $u/static/pictures/noise.png >"$home/out"
    is "a file of bytes: its type" "$(cat "$home/out")" image/png
    cmp -s "$home/noise" "$home/public/pictures/noise.png"
    is "… and the same bytes" $? 0
    is "a path that leaves the folder" "$(get --path-as-is -w ' %{http_code}' $u/static/../jar)" 'Invalid path 400'
    is "a file that is not there" "$(code $u/static/none.txt)" 404
    is "respondFile" "$(get $u/first)" 'plain words'
    is "a bug in a handler" "$(code $u/bug)" 500
    "$client" burst $port 300 /hits >"$home/burst"
    is "each request is counted once" "$(get $u/hits)" 301
    stop_daemon library
}

# A program of its own, under nostos: it ends as soon as main does, and what it has answered by then is answered.
test_programs() {
    local answer
    new_home
    app forms.nos <<'NOS'
answer(req) = {
    Server.respond(req.id, 200, (), if req.path == "/big" then "x".repeat(1000000) else "bye")
    if req.path == "/" then "go on" else "stop"
}

work(s: Server) = {
    signal = answer(s.accept())
    if signal == "stop" then s.close() else work(s)
}

main() = {
    work(Server.bind(PORT))
    "stopped"
}
NOS
    for path in /stop /big; do
        "$nostos" "$home/apps/forms.nos" >"$home/out" 2>&1 &
        program=$!
        wait_listen "$port"
        is "a program serves ($path)" "$(get http://127.0.0.1:$port/)" bye
        answer=$(get http://127.0.0.1:$port$path | wc -c)
        is "… and its last answer arrives" "$answer" "$([ $path = /big ] && echo 1000000 || echo 3)"
        wait "$program"
        is "… before it ends" "$? $(tail -n 1 "$home/out")" '0 "stopped"'
    done
}

test_wirings() {
    local wiring
    for wiring in "connection_loops = 2" "connection_threads = 1" "connection_threads = 2" "schedulers = 1"; do
        new_home
        conf <<<"$wiring"
        main_app
        start_daemon || return
        is "$wiring: hello" "$(get http://127.0.0.1:$port/)" "Hello, world!"
        like "$wiring: 200 at once" "$("$client" burst $port 200 /)" "^200 answered"
        like "$wiring: load" "$("$client" load $port 32 700 /)" ', 0 failed'
        is "$wiring: slow handler" "$(get http://127.0.0.1:$port/sleep)" slept
        is "$wiring: 500" "$(code http://127.0.0.1:$port/throw)" 500
        stop_daemon "$wiring"
    done
}
