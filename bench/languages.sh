# languages.sh - parts of bench/run about the language: lang, collector, compile.
# shellcheck shell=bash disable=SC2154 # variables of lib.sh

# ---- the same small programs in other languages ----

compute_rows=(fib loop list string map record match closure)
process_rows=(ring ping spawn)
contenders=("nostos" "luajit -joff" "lua5.4" "python3" "node --jitless" "erlang" "node" "luajit")

install_languages() { # whatever apt has of them; without it, those that are missing are left out
    local package missing=()
    for package in lua5.4 luajit erlang-base nodejs python3; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    for package in "${missing[@]}"; do
        [ "$(id -u)" -eq 0 ] && apt-get install -y -q --no-install-recommends "$package" >/dev/null 2>&1
    done
    command -v erlc >/dev/null && erlc -o "$work" "$bench/lang/rows.erl"
}

is_there() { # is_there CONTENDER
    case $1 in
    nostos) true ;;
    erlang) [ -f "$work/rows.beam" ] ;;
    *) command -v "${1%% *}" >/dev/null ;;
    esac
}

# cpu_once PROGRAM [flag…]: "milliseconds result" of a program of ours, CPU time with that of its start.
cpu_once() {
    local TIMEFORMAT='%U %S' result
    { time "$build/nostos" "${@:2}" "$1" >"$work/printed"; } 2>"$work/times" || return
    result=$(grep -v '^()$' "$work/printed" | cut -d' ' -f2)
    awk -v result="$result" '{ printf "%d %s\n", ($1 + $2) * 1000, result }' "$work/times"
}

# once CONTENDER ROW: "milliseconds result". CPU time, so that what else the machine does counts for little: the others
# take that of the row by themselves, ours includes the start. Rows of processes, and Erlang: the clock on the wall.
once() {
    local program=$bench/lang/rows
    case $1:$2 in
    nostos:ring | nostos:ping | nostos:spawn) ROW=$2 "$build/nostos" "$program.nos" | grep -v '^()$' ;;
    nostos:*) ROW=$2 cpu_once "$program.nos" ;;
    lua*) ROW=$2 $1 "$program.lua" ;;
    python3:*) ROW=$2 python3 "$program.py" ;;
    node*) ROW=$2 $1 "$program.js" 2>/dev/null ;;
    erlang:*) ROW=$2 ERL_CRASH_DUMP=/dev/null erl +P 2000000 +sbwt none -noshell -pa "$work" -s rows main ;;
    esac
}

best_of() { sort -n | head -n 1; }

compare_row() { # compare_row ROW CONTENDER… : one line of the table; rounds interleaved, the best of each counts
    local row=$1 contender best fastest='' expected=''
    shift
    for _ in $(seq "$rounds"); do
        for contender in "$@"; do
            is_there "$contender" && once "$contender" "$row" >>"$work/lang.${contender// /}"
        done
    done
    printf '%-10s' "$row"
    for contender in "${contenders[@]}"; do
        if [ ! -f "$work/lang.${contender// /}" ]; then
            printf '%15s' -
            continue
        fi
        best=$(cut -d' ' -f1 "$work/lang.${contender// /}" | best_of)
        : "${expected:=$(cut -d' ' -f2 "$work/lang.${contender// /}" | head -n 1)}"
        cut -d' ' -f2 "$work/lang.${contender// /}" | grep -qvx -- "$expected" && best="$best?" # another result
        printf '%15s' "$best"
        case $row:$contender in
        *:nostos) own=$best ;;
        *:node | *:luajit) ;; # translate to machine code
        ring:erlang | ping:erlang | spawn:erlang) fastest=$best ;;
        *:erlang) ;;
        *) [ "${fastest:-999999}" -gt "$best" ] && fastest=$best ;;
        esac
    done
    rm -f "$work"/lang.*
    awk -v own="$own" -v other="${fastest:-0}" 'BEGIN { if (other > 0) printf "%10.2f\n", own / other; else print "" }'
}

part_lang() {
    local row
    echo "## The same programs in other languages, ms; the last column: nostos / fastest interpreter (Erlang for processes)"
    install_languages
    printf '%-10s' row
    printf '%15s' "${contenders[@]}"
    printf '%10s\n' ratio
    for row in "${compute_rows[@]}"; do compare_row "$row" "${contenders[@]}"; done
    for row in "${process_rows[@]}"; do compare_row "$row" nostos erlang; done
}

# ---- typed code ----

typed_rows=(fib loop while tail gcd collatz list string map record match closure)

typed_once() { # typed_once ROW [flag]: milliseconds of CPU time
    local program=$bench/lang/rows.nos
    case $1 in while | tail | gcd | collatz) program=$bench/lang/integers.nos ;; esac
    ROW=$1 cpu_once "$program" "${@:2}" | cut -d' ' -f1
}

part_typed() {
    local row with without
    echo "## With and without typed code, ms (goal: integer rows, the first six, 1.3; none below 1)"
    printf '%-10s %10s %10s %10s\n' row with without ratio
    for row in "${typed_rows[@]}"; do
        for _ in $(seq "$rounds"); do
            typed_once "$row" >>"$work/with"
            typed_once "$row" --no-typed-code >>"$work/without"
        done
        with=$(best_of <"$work/with") without=$(best_of <"$work/without")
        rm -f "$work/with" "$work/without"
        awk -v row="$row" -v a="$with" -v b="$without" \
            'BEGIN { printf "%-10s %10d %10d %10.2f\n", row, a, b, (a > 0 ? b / a : 0) }'
    done
}

# ---- the collector ----

part_collector() {
    echo "## A timer of 1 ms in one process while another has 1 GiB of live data and goes on allocating"
    "$build/nostos" "$bench/collector.nos" | grep -v '^()$'
}

# ---- the compiler ----

generate_lines() { # generate_lines COUNT: a program of about that many lines, functions of ten lines each
    awk -v count="$1" 'BEGIN {
        for (i = 0; i < count / 10; i++) {
            printf "type Shape%d = Circle%d(Int) | Square%d(Int, Int)\n\n", i, i, i
            printf "area%d(Circle%d(r)) = 3 * r * r\narea%d(Square%d(a, b)) = a * b\n\n", i, i, i, i
            printf "work%d(n, list) = {\n    total = list.map(x => x + n).fold(0, (a, x) => a + x)\n", i
            printf "    if total > %d then \"${n}: ${total}\" else show(area%d(Circle%d(n)))\n}\n\n", i, i, i
        }
        print "main() = work0(1, [1, 2, 3])"
    }'
}

part_compile() {
    echo "## Compiling 100,000 lines (goal: 1 s)"
    generate_lines 100000 >"$work/long.nos"
    wc -l <"$work/long.nos" | sed 's/$/ lines/'
    for _ in $(seq "$rounds"); do timed_seconds "$build/nostos" check "$work/long.nos"; done | best_of | sed 's/$/ s/'
}

timed_seconds() { # of user and system time: what the machine does besides counts for nothing
    local TIMEFORMAT='%U %S'
    { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }'
}
