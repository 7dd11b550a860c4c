# checker.sh - the part of bench/run about the checker of static types: long programs, and those that are known to make
# checkers slow. Each row says how long `nostos check` computes and how much memory it takes.
# shellcheck shell=bash disable=SC2154 # variables of lib.sh

# Types, records, variants, generic functions over fields, lambdas, matches: blocks of 24 lines.
generate_typed_lines() { # generate_typed_lines COUNT
    awk -v count="$1" 'BEGIN {
        for (i = 0; i < count / 24; i++) {
            block = template()
            gsub(/#/, i, block)
            printf "%s", block
        }
        print "main() = use0()"
    }
    function template() {
        return "type Item# = { name: String, amount: Int, price: Float }\n" \
            "type State# = Idle# | Busy#(Int) | Done#(String)\n" \
            "total#(items: List[Item#]) -> Int = items.map(x => x.amount).fold(0, (a, b) => a + b)\n" \
            "costly#(items, limit) = items.filter(x => x.price > limit).map(x => x.name ++ \"!\")\n" \
            "next#(s: State#) -> State# = match s {\n    Idle# -> Busy#(1)\n" \
            "    Busy#(n) -> if n > 10 then Done#(\"full\") else Busy#(n + 1)\n    Done#(text) -> Done#(text ++ \".\")\n}\n" \
            "walk#(s, 0) = s\nwalk#(s, n) = walk#(next#(s), n - 1)\n" \
            "summary#(items) = {\n    best = items.sortBy((a, b) => b.amount - a.amount).take(3)\n" \
            "    first = if items.length() > 0 then Some(items.head()) else None\n" \
            "    label = match first { Some(x) -> x.name  None -> \"nothing\" }\n" \
            "    (items.length(), best.map(x => x.name).join(\", \"), label, total#(items))\n}\n" \
            "use#() = {\n    items = [Item#(\"a\", 1, 1.5), Item#(name: \"b\", amount: #, price: 2.5)]\n" \
            "    (n, names, label, sum) = summary#(items)\n    cheap = costly#(items, 2.0).length()\n" \
            "    text = match walk#(Idle#, 5) { Done#(t) -> t  Busy#(k) -> show(k)  Idle# -> \"\" }\n" \
            "    if n == 2 && sum > 0 then names ++ label ++ text else show(cheap)\n}\n"
    }'
}

# Each function makes a pair of what the one before makes: 2^COUNT components.
generate_pairs() {
    awk -v count="$1" 'BEGIN {
        print "pair0(x) = (x, x)"
        for (i = 1; i < count; i++) printf "pair%d(x) = pair%d(pair%d(x))\n", i, i - 1, i - 1
        printf "main() = {\n    f = y => pair%d(y)\n    1\n}\n", count - 1
    }'
}

# The same with bindings inside of one function.
generate_nested_lets() {
    awk -v count="$1" 'BEGIN {
        print "main() = {\n    f0 = x => (x, x)"
        for (i = 1; i < count; i++) printf "    f%d = x => f%d(f%d(x))\n", i, i - 1, i - 1
        print "    1\n}"
    }'
}

generate_chains() { # COUNT method calls in chains of 400
    awk -v count="$1" 'BEGIN {
        for (k = 0; k * 400 < count; k++) {
            printf "chain%d(xs) = xs", k
            for (i = 0; i < 400; i++) printf ".map(x => x + %d)", i
            print ""
        }
        print "main() = chain0([1]).length()"
    }'
}

generate_lambdas() { # COUNT functions of 300 lambdas inside of each other
    awk -v count="$1" 'BEGIN {
        for (k = 0; k < count; k++) {
            printf "deep%d() = ", k
            for (i = 0; i < 300; i++) printf "(x%d => ", i
            printf "x0"
            for (i = 0; i < 300; i++) printf ")"
            print ""
        }
        print "main() = { deep0()(1)\n    1 }"
    }'
}

generate_circle() { # COUNT functions that all call each other in a circle, with demands on fields
    awk -v count="$1" 'BEGIN {
        for (i = 0; i < count; i++)
            printf "f%d(n, x) = if n == 0 then x.field%d else f%d(n - 1, x) + f%d(n - 2, x)\n", i, i % 7, (i + 1) % count,
                (i * 7 + 3) % count
        print "main() = 1"
    }'
}

generate_overloads() { # COUNT overloads, 100 of a name
    awk -v count="$1" 'BEGIN {
        for (i = 0; i < count; i++)
            printf "type T%d = { a: Int }\nover%d(x: T%d) = %d\nuse%d() = over%d(T%d(1))\n", i, int(i / 100), i, i, i,
                int(i / 100), i
        print "main() = use0()"
    }'
}

generate_errors() { # COUNT mistakes
    awk -v count="$1" 'BEGIN {
        for (i = 0; i < count; i++) printf "wrong%d() -> Int = \"a\" ++ nope%d\n", i, i
        print "main() = 1"
    }'
}

checker_row() { # checker_row TITLE GENERATOR COUNT
    local program=$work/checker.nos
    "generate_$2" "$3" >"$program"
    printf '%-52s %8s %10s\n' "$1" "$(for _ in $(seq "$rounds"); do timed_seconds "$build/nostos" check "$program"; done | best_of)" \
        "$(peak_mib check "$program")"
}

part_checker() {
    echo "## The checker of static types: seconds of computing, peak MiB (goal for the first row: 2 s, 500 MiB)"
    checker_row "100,000 lines with types" typed_lines 100000
    checker_row "60 functions that double a pair" pairs 60
    checker_row "30 nested bindings that double a pair" nested_lets 30
    checker_row "10,000 method calls in chains" chains 10000
    checker_row "50 times 300 nested lambdas" lambdas 50
    checker_row "5,000 functions that call each other" circle 5000
    checker_row "10,000 overloads, 100 of a name" overloads 10000
    checker_row "20,000 mistakes" errors 20000
}
