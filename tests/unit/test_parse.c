/* test_parse.c - what the parser promises: precedence, line feeds, every form of the grammar, places, errors. */
#include "config.h"

#include "lang/parse.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/unit/parse_fixture.h"
#include "tests/unit/run_suite.h"

/* ---- expressions: each stands as `x() = TEXT`, the dump is that of the body ---- */

struct row { const char *text, *dump; };

static void check_expression(const struct row *row)
{
    struct nb_buf text = NB_BUF_INIT, expected = NB_BUF_INIT;

    nb_buf_printf(&text, "x() = %s\n", row->text);
    if (strncmp(row->dump, "error: ", 7) == 0)
        nb_buf_text(&expected, row->dump);
    else
        nb_buf_printf(&expected, "(fn x [] %s)", row->dump);
    ck_assert_dump(nb_buf_cstr(&text), nb_buf_cstr(&expected));
    nb_buf_done(&text);
    nb_buf_done(&expected);
}

static const struct row precedence[] = {
    { "a |> f <- b |> g", "(<- (|> a f) (|> b g))" },
    { "a || b |> c", "(|> (|| a b) c)" },
    { "a |> b |> c", "(|> (|> a b) c)" },
    { "a || b && c", "(|| a (&& b c))" },
    { "a && b || c", "(|| (&& a b) c)" },
    { "a && b == c", "(&& a (== b c))" },
    { "a < b < c", "(< (< a b) c)" },
    { "a == b ++ c", "(== a (++ b c))" },
    { "a ++ b ++ c", "(++ (++ a b) c)" },
    { "a ++ b :: c", "(++ a (:: b c))" },
    { "a :: b :: c", "(:: a (:: b c))" },
    { "0 :: xs == ys", "(== (:: 0 xs) ys)" },
    { "a :: b + c", "(:: a (+ b c))" },
    { "a - b - c", "(- (- a b) c)" },
    { "a + b * c", "(+ a (* b c))" },
    { "a / b % c", "(% (/ a b) c)" },
    { "a * b ** c", "(* a (** b c))" },
    { "2 ** 3 ** 2", "(** (** 2 3) 2)" },
    { "-2 ** 2", "(** (- 2) 2)" },
    { "not a == b", "(== (! a) b)" },
    { "!a && b", "(&& (! a) b)" },
    { "- - a", "(- (- a))" },
    { "-x.abs()", "(- (method x abs))" },
    { "-5 % 3", "(% (- 5) 3)" },
    { "a -b", "(- a b)" },
    { "~f.body + ~n", "(+ (~ (. f body)) (~ n))" },
    { "-~n", "(- (~ n))" },
    { "~~x", "(~ (~ x))" },
    { "a != b", "(!= a b)" },
    { "a <= b", "(<= a b)" },
    { "a >= b", "(>= a b)" },
    { "a > b", "(> a b)" },
    { "x => x + 1 |> f", "(lambda [x] (|> (+ x 1) f))" },
    { "{ a } == 15", "(== (block a) 15)" },
    { "match x { a -> a } + 1", "(+ (match x [a -> a]) 1)" },
    { "match x { a -> a }.show()", "(method (match x [a -> a]) show)" },
    { "if c then a else b + 1", "(if c a (+ b 1))" },
    { "return a + 1", "(return (+ a 1))" },
    { "a <- b <- c", "error: unexpected `<-` (expected definition)" },
};

START_TEST(follows_the_table_of_operators) { check_expression(&precedence[_i]); }
END_TEST

static const struct row newlines[] = {
    /* before an expression in operand position */
    { "\n a", "a" },
    { "f(\n a,\n\n b\n)", "(call f a b)" },
    { "[\n1\n,\n2\n]", "(list 1 2)" },
    { "if\nc\nthen\na\nelse\nb", "(if c a b)" },
    { "k =>\n k", "(lambda [k] k)" },
    { "%{\na\n:\n1\n,\n}", "(map a: 1)" },
    { "#{\na\n,\nb\n}", "(set a b)" },
    /* after a binary operator */
    { "a +\n b", "(+ a b)" },
    { "a |>\n b", "(|> a b)" },
    { "a <-\n b", "(<- a b)" },
    { "a ::\n b", "(:: a b)" },
    /* before one: an error, or a statement with a unary minus */
    { "{ a\n + b }", "error: unexpected `+` (expected expression or statement)" },
    { "(a\n ++ b)", "error: expected `)`, found `++`" },
    { "{ a\n && b }", "error: unexpected `&&` (expected expression or statement)" },
    { "{ a\n -b }", "(block a (- b))" },
    /* before a pipe, and before .name */
    { "a\n |> f\n |> g", "(|> (|> a f) g)" },
    { "a\n\n # note\n .f()\n .0\n .g", "(. (. (method a f) 0) g)" },
    /* before ( and [: a new statement */
    { "{ a\n (b) }", "(block a b)" },
    { "{ a\n [b] }", "(block a (list b))" },
    /* before catch, finally, and the brace of match, receive, catch */
    { "try\na\ncatch\n{ e -> b }\nfinally\nc", "(try a catch [e -> b] finally c)" },
    { "match a\n{ b -> c }", "(match a [b -> c])" },
    { "receive\n{ a -> b }", "(receive [a -> b])" },
    /* after return and break */
    { "{ return\n a }", "(block (return) a)" },
    { "while a { break\n b }", "(while a (block (break) b))" },
    /* inside patterns, types, parameter lists: no */
    { "match a { (b,\n c) -> d }", "error: unexpected line break before `c`" },
    { "match a { [b\n, c] -> d }", "error: unexpected line break before `,`" },
    { "{ f(a,\n b) = 1 }", "error: unexpected line break before `b`" },
    { "{ a: Map[B, C] = 1 }", "(block (bind a : Map[B, C] 1))" },
    { "{ a: Map[B,\n C] = 1 }", "(block a (set Map B C 1))" }, /* no type, so `:` separates statements */
    { "match a { f(x:\n 1) -> d }", "error: expected `->`, found `(`" },
    /* a default value may span lines */
    { "{ f(a = {\n 1 }) = a }", "(block (fn f [a = (block 1)] a))" },
    /* arms: each on its line, or separated */
    { "match o { Some(v) -> v, None -> 0 }", "(match o [(ctor Some v) -> v] [(ctor None) -> 0])" },
    { "match o { Some(v) -> v | None -> 0 }", "(match o [(ctor Some v) -> v] [(ctor None) -> 0])" },
    { "match o { Some(v) -> v; None -> 0 }", "(match o [(ctor Some v) -> v] [(ctor None) -> 0])" },
    { "match o {\n | Some(v) ->\n v\n | None -> 0\n }", "(match o [(ctor Some v) -> v] [(ctor None) -> 0])" },
    { "match o { a\n -> b }", "error: `->` must stand on the line of its pattern" },
    { "match o { a -> t = t + 1\n b -> 2 }", "(match o [a -> (bind t (+ t 1))] [b -> 2])" },
    /* statements: any mixture of separators */
    { "{ a = 1; b = 2, a + b }", "(block (bind a 1) (bind b 2) (+ a b))" },
    { "{x: 1, y: 2}", "(block x 1 y 2)" },
    { "{ a ;\n, b ; }", "(block a b)" },
    { "{ a b }", "error: expected `}`, found `b`" },
    /* trailing commas */
    { "Point(1, 2,)", "(new Point 1 2)" },
    { "%{a: 1,}", "(map a: 1)" },
    { "#{a,}", "(set a)" },
    { "f[A,](x)", "(call f [A] x)" },
    { "[1, 2,]", "error: unexpected `]` (expected expression or statement)" },
    { "(1, 2,)", "error: unexpected `)` (expected expression or statement)" },
    { "f(1, 2,)", "error: unexpected `)` (expected expression or statement)" },
};

START_TEST(follows_the_table_of_line_feeds) { check_expression(&newlines[_i]); }
END_TEST

static const struct row operands[] = {
    { "()", "()" },
    { "(a)", "a" },
    { "(a, b)", "(tuple a b)" },
    { "[]", "(list)" },
    { "[a, b | c]", "(list a b | c)" },
    { "[a..b]", "(range a b)" },
    { "[a..=b]", "(range a b)" },
    { "{}", "(block)" },
    { "%{}", "(map)" },
    { "#{}", "(set)" },
    { "5i8", "5i8" },
    { "-128i8", "-128i8" },
    { "-128i8.f()", "(method -128i8 f)" },
    { "-129i8", "error: integer literal `129i8` is out of range for Int8 (valid range: -128 to 127)" },
    { "128i8", "error: integer literal `128i8` is out of range for Int8 (valid range: -128 to 127)" },
    { "300u8", "error: integer literal `300u8` is out of range for UInt8 (valid range: 0 to 255)" },
    { "18446744073709551615u64", "18446744073709551615u64" },
    { "4294967296u32",
      "error: integer literal `4294967296u32` is out of range for UInt32 (valid range: 0 to 4294967295)" },
    { "-2147483648i32", "-2147483648i32" },
    { "1_2n", "12n" },
    { "2.5_0d", "2.50d" },
    { "1.5", "1.5000000000000000" },
    { "1.5f32", "1.50000000f32" },
    { "'a'", "'97'" },
    { "'\\0'", "'0'" },
    { "'\xc3\xa9'", "'233'" },
    { "'a\"b'", "\"a\\x22b\"" },
    { "\"a\\n\\t\\q\\0\"", "\"a\\x0a\\x09\\x5cq\\x00\"" },
    { "true", "true" },
    { "_", "_" },
    { "t.0.1", "(. (. t 0) 1)" },
    { "t.0(x)", "(call (. t 0) x)" },
    { "f(1)(2)", "(call (call f 1) 2)" },
    { "f(a: 1, b = 2)", "(call f a: 1 b: 2)" },
    { "f[Int](x)", "(call f [Int] x)" },
    { "fs[i](x)", "(call (index fs i) x)" },
    { "p.fs[i](x)", "(call (index (. p fs) i) x)" },
    { "fs[i, Int](x)", "(call fs [i, Int] x)" },
    { "fs[0](x)", "(call (index fs 0) x)" },
    { "xs[i]", "(index xs i)" },
    { "x.m[T](a)", "(method x m [T] a)" },
    { "(x.m)(a)", "(call (. x m) a)" },
    { "M.f(x)", "(method M f x)" },
    { "M.Pt(x)", "(new M Pt x)" },
    { "a.b.Pt(1)", "(new (. a b) Pt 1)" },
    { "M.Unit", "(. M Unit)" },
    { "e?", "(? e)" },
    { "e?.x", "(. (? e) x)" },
    { "() => 1", "(lambda [] 1)" },
    { "(x) => x", "(lambda [x] x)" },
    { "_ => 1", "(lambda [_] 1)" },
    { "(a: Int, b) -> Int => a", "(lambda [a: Int b] -> Int a)" },
    { "((a, b)) => a", "(lambda [(tuple a b)] a)" },
    { "[h | t] => h", "(lambda [(list h | t)] h)" },
    { "Some(v) => v", "(lambda [(ctor Some v)] v)" },
    { "a => b => a + b", "(lambda [a] (lambda [b] (+ a b)))" },
    { "xs.map(Some)", "(method xs map Some)" },
    { "((a, b) => a)(1, 2)", "(call (lambda [a b] a) 1 2)" },
    { "match x { n when n > 1 -> k => k, _ -> f }", "(match x [n when (> n 1) -> (lambda [k] k)] [_ -> f])" },
    { "do a = 1\n a end", "(block (bind a 1) a)" },
    { "while c { d }", "(while c (block d))" },
    { "for i = 1 to n f(i)", "(for i 1 n (call f i))" },
    { "spawn { a }", "(spawn (block a))" },
    { "spawn(f)", "(spawn f)" },
    { "spawn_link { a }", "(spawn_link (block a))" },
    { "spawn_monitor(a)", "(spawn_monitor a)" },
    { "receive { a -> b after 10 -> c }", "(receive [a -> b] after 10 c)" },
    { "quote { ~f.body }", "(quote (block (~ (. f body))))" },
    { "quote(a)", "(quote a)" },
    { "self()", "(call self)" },
    { "panic(to)", "(call panic to)" },
    { "try a catch {}", "(try a catch)" },
    { "try a", "(try a)" },
};

START_TEST(reads_every_operand) { check_expression(&operands[_i]); }
END_TEST

static const struct row statements[] = {
    { "{ x = 1 }", "(block (bind x 1))" },
    { "{ var x: Int = 1 }", "(block (var x : Int 1))" },
    { "{ p: (Int, String) = q }", "(block (bind p : (Int, String) q))" },
    { "{ x: t = 1 }", "(block (bind x : t 1))" },
    { "{ (a, [b, c]) = p }", "(block (bind (tuple a (list b c)) p))" },
    { "{ Ctor(f: a) = p }", "(block (bind (ctor Ctor f: a) p))" },
    { "{ _ = p }", "(block (bind _ p))" },
    { "{ var %{\"a\": x} = m }", "(block (var (map \"a\": x) m))" },
    { "{ o.f = v }", "(block (set o .f v))" },
    { "{ o.g(1).f = v }", "(block (set (method o g 1) .f v))" },
    { "{ xs[i] = v }", "(block (set xs i v))" },
    { "{ f() = 1 }", "(block (fn f [] 1))" },
    { "{ f(a, [h | t], (b, _), Some(c)) = a }",
      "(block (fn f [a (list h | t) (tuple b _) (ctor Some c)] a))" },
    { "{ f(p: T) -> R = b }", "(block (fn f [p: T] -> R b))" },
    { "{ f(a, b = 5) = a }", "(block (fn f [a b = 5] a))" },
    { "{ f(a: 5, b: a, c: [T], d: word) = a }", "(block (fn f [a = 5 b: a c: List[T] d = word] a))" },
    { "{ f(x)\n a }", "(block (call f x) a)" },
    { "{ f(x) == 1 }", "(block (== (call f x) 1))" },
    { "{ if c then x = 1 }", "(block (if c (bind x 1)))" },
    { "{ if a then x = 1 else if b then y = 2 else z = 3 }",
      "(block (if a (bind x 1) (if b (bind y 2) (bind z 3))))" },
    { "{ if a then o.f = 1 else xs[0] = 2 }", "(block (if a (set o .f 1) (set xs 0 2)))" },
    { "{ if a { 1 } else { 2 } == 15 }", "(block (if a (block 1) (== (block 2) 15)))" },
    { "{ x = if a then 1 else 2 }", "(block (bind x (if a 1 2)))" },
    { "{ f(if a then x = 1) }", "error: expected `)`, found `=`" },
    { "{ f(x) + 1 = 2 }", "error: the left side of `=` cannot be assigned to" },
    { "{ t.0 = 2 }", "error: the left side of `=` cannot be assigned to" },
    { "{ x += 1 }", "error: expected `}`, found `+=`" },
};

START_TEST(reads_every_statement) { check_expression(&statements[_i]); }
END_TEST

static const struct row patterns[] = {
    { "_", "_" },
    { "x", "x" },
    { "-1", "-1" },
    { "-7i8", "-7i8" },
    { "0xFF", "255" },
    { "9n", "9n" },
    { "2.5", "2.5000000000000000" },
    { "\"a${b}\"", "\"a${b}\"" },
    { "'c'", "'99'" },
    { "()", "()" },
    { "1..10", "1..10" },
    { "-5..=-1", "-5..=-1" },
    { "(a, b)", "(tuple a b)" },
    { "(a)", "a" },
    { "[]", "(list)" },
    { "[a, b | []]", "(list a b | (list))" },
    { "[\"GET \" | p]", "(list \"GET \" | p)" },
    { "[(A | B), c]", "(list (or (ctor A) (ctor B)) c)" },
    { "Some(Some(1))", "(ctor Some (ctor Some 1))" },
    { "P(x: a, y: 1,)", "(ctor P x: a y: 1)" },
    { "P{x: a, y, _}", "(ctor P x: a y: y _)" },
    { "P{}", "(ctor P)" },
    { "{f: a, g, _}", "(record f: a g: g _)" },
    { "%{\"k\": v, ^x: 1, true: _, -3: z,}", "(map \"k\": v ^x: 1 true: _ -3: z)" },
    { "#{1, ^x}", "(set 1 ^x)" },
    { "^x", "^x" },
    { "A | B | 3", "(or (ctor A) (ctor B) 3)" },
    { "self", "self" },
};

START_TEST(reads_every_pattern)
{
    struct nb_buf text = NB_BUF_INIT, expected = NB_BUF_INIT;

    nb_buf_printf(&text, "x() = match e { %s -> 0 }", patterns[_i].text);
    nb_buf_printf(&expected, "(fn x [] (match e [%s -> 0]))", patterns[_i].dump);
    ck_assert_dump(nb_buf_cstr(&text), nb_buf_cstr(&expected));
    nb_buf_done(&text);
    nb_buf_done(&expected);
}
END_TEST

static const struct row pattern_mistakes[] = {
    { "-1.5", "error: expected `Int literal`, found `1.5`" },
    { "-1n", "error: expected `Int literal`, found `1n`" },
    { "[| t]", "error: expected `pattern`, found `|`" },
    { "%{x: 1}", "error: expected `map key`, found `x`" },
    { "type", "error: 'type' is a reserved keyword" },
    { "1..x", "error: expected `number`, found `x`" },
    { "M.A", "error: expected `->`, found `.`" },
};

START_TEST(refuses_what_is_no_pattern)
{
    struct nb_buf text = NB_BUF_INIT;

    nb_buf_printf(&text, "x() = match e { %s -> 0 }", pattern_mistakes[_i].text);
    ck_assert_dump(nb_buf_cstr(&text), pattern_mistakes[_i].dump);
    nb_buf_done(&text);
}
END_TEST

static const struct row strings[] = {
    { "\"a${1 + 1}b\"", "(text \"a\" (+ 1 1) \"b\")" },
    { "\"${x}\"", "(text x)" },
    { "\"$x $ {y}\"", "\"$x $ {y}\"" },
    { "\"n = ${f(\"a\")}\"", "(text \"n = \" (call f \"a\"))" },
    { "\"${f(\\\"a\\\")}\"", "(text (call f \"a\"))" },
    { "\"${ {1} }\"", "(text (block 1))" },
    { "\"${f(\"}\")}\"", "(text (call f \"}\"))" },
    { "\"${}\"", "\"${}\"" },
    { "\"${1 +} ${2}\"", "(text \"${1 +} \" 2)" },
    { "\"${a b}\"", "\"${a b}\"" },
    { "\"\\${x}\"", "(text \"\\x5c\" x)" },
    { "\"${\"${\"${x}\"}\"}\"", "(text (text (text x)))" },
    { "'${x}!'", "(text x \"!\")" },
    { "\"a\nb\"", "\"a\\x0ab\"" },
    { "\"\"", "\"\"" },
    { "\"${x => \"${x}\"}\"", "(text (lambda [x] (text x)))" },
};

START_TEST(reads_interpolated_strings) { check_expression(&strings[_i]); }
END_TEST

static const struct row items[] = {
    { "pub f[T, U: Show + Hash](a, b: Int, c = 1) when a > b -> Int =\n a",
      "pub (fn f [a b: Int c = 1] when (> a b) -> Int a)" },
    { "f(0) = 1 f(n) = 2", "(fn f [0] 1)\n(fn f [n] 2)" },
    { "f(p)\n=\n1", "(fn f [p] 1)" },
    { "side = 12", "(bind side 12)" },
    { "pub x: Int = 1", "pub (bind x : Int 1)" },
    { "var y = 2", "(var y 2)" },
    { "(a, b) = p", "(bind (tuple a b) p)" },
    { "pub const Max = 5", "pub (const Max 5)" },
    { "mvar n: Map[String, Int] = %{}", "(mvar n : Map[String, Int] (map))" },
    { "type E", "(type E)" },
    { "type A = A", "(type A | A)" },
    { "type A = B", "(type A = B)" },
    { "type A = | B", "(type A | B)" },
    { "type A = B(Int)", "(type A | B{Int})" },
    { "type A = B { x: Int }", "(type A | B{x: Int})" },
    { "type A =\n | B\n | C(Int,\n String)", "(type A | B | C{Int, String})" },
    { "type A = B | C", "(type A | B | C)" },
    { "type A = List[B]", "(type A = List[B])" },
    { "type A = M.B", "(type A = M.B)" },
    { "type A = A[Int]", "(type A = A[Int])" },
    { "type A = Int -> String -> ()", "(type A = (Int) -> (String) -> ())" },
    { "type A = ((Int, B)) -> C", "(type A = ((Int, B)) -> C)" },
    { "type A = (() -> C)", "(type A = () -> C)" },
    { "type P[T: Show, u] = {\n x: T,\n private y: [u],\n}", "(type P T:Show u {x: T, private y: List[u]})" },
    { "pub var type P = { x: Int }", "pub (var-type P {x: Int})" },
    { "reactive R = { x: Int }", "(reactive R {x: Int})" },
    { "trait T: A, B\n f(self) -> Int\n ==(self, o) = true\nend",
      "(trait T: A, B (fn f [self] -> Int) (fn == [self o] true))" },
    { "Int: D f(self) = self * 2 end", "(impl Int: D (fn f [self] (* self 2)))" },
    { "List[a]: S when a: S + T, b: U\n f(self) = 1\nend", "(impl List[a]: S when a:S+T b:U (fn f [self] 1))" },
    { "[Int]: S\nend", "(impl List[Int]: S)" },
    { "(A, B): S\nend", "(impl (A, B): S)" },
    { "Int: S\n f(x) = 1\npub g() = 2", "(impl Int: S (fn f [x] 1))\npub (fn g [] 2)" },
    { "pub module M\n module N\n f() = 1\n end\nend", "pub (module M (module N (fn f [] 1)))" },
    { "use a.b.*", "(use a.b *)" },
    { "use a.b.{\nx, Y as z,\n}", "(use a.b x Y=z)" },
    { "use a.b", "(use a b single)" },
    { "use a.b.c as d", "(use a.b c=d single)" },
    { "use m", "error: bare `use m` is not valid — use `use m.*` to import all public names, or "
               "`use m.{SomeName}` to import specific names" },
    { "test \"x\" = 1", "(test \"x\" 1)" },
    { "extern type T", "(extern T)" },
    { "extern f(a: Int) -> String from \"l\"", "(extern f {a: Int} -> String)" },
    { "template t(fn, n) = quote { ~n }", "(template t [fn n] (quote (block (~ n))))" },
    { "@a @b(1, -x)\npub f() = 1", "@(a) @(b 1 (- x)) pub (fn f [] 1)" },
    { "@a\ntype T = {}", "@(a) (type T {})" },
    { "@a\nmvar x: Int = 1", "error: decorators stand only before functions and types" },
    { "pub use a.*", "error: unexpected `pub`: this cannot be public" },
    { "test(x) = 1", "error: 'test' is a reserved keyword" },
    { "f(a,) = 1", "error: expected `pattern`, found `)`" },
    { "import x", "error: unexpected `import` (expected definition)" },
    { "f(x) = x }", "error: unexpected `}` (expected definition)" },
    { "f(x) = receive(1)",
      "error: `receive` requires a block with pattern arms: `receive { pattern -> expr }`" },
    { "f() = {", "error: expected `}`, found end of input" },
    { "f() = match x {}", "error: `match` needs at least one arm: `pattern -> expr`" },
    { "f(a: int) = 1", "(fn f [a: int] 1)" },
    { "f() = g(type: 1)", "error: unexpected `type` (expected expression or statement)" },
    { "x(self, panic, to, from) = self", "(fn x [self panic to from] self)" },
    { "", "" },
    { "\n# only a comment\n", "" },
};

START_TEST(reads_every_item) { ck_assert_dump(items[_i].text, items[_i].dump); }
END_TEST

/* ---- places ---- */

static void check_place(const struct ns_span *span, const char *expected)
{
    ck_assert_uint_eq(span->to - span->from, strlen(expected));
    ck_assert_int_eq(memcmp(span->source->text + span->from, expected, strlen(expected)), 0);
}

START_TEST(knows_where_everything_stands)
{
    struct parsed parsed = parsed_of("# note\npub f(a) = { x = (a + 1).g(2)\n  \"p\\n${q.r}\" }\n");
    const struct ns_item *item = parsed.file->items.items[0];
    const struct ns_expr *body = item->function->body;
    const struct ns_expr *bind = body->block.statements.items[0], *text = body->block.statements.items[1];

    ck_assert_str_eq(parsed.file->source->file, "t.nos");
    check_place(&parsed.file->comments.items[0].span, "# note");
    check_place(&item->function->name.span, "f");
    check_place(&bind->span, "x = (a + 1).g(2)");
    check_place(&bind->bind.value->span, "(a + 1).g(2)");
    check_place(&bind->bind.value->call.name.span, "g");
    check_place(&bind->bind.value->call.receiver->binary.op_span, "+");
    check_place(&text->span, "\"p\\n${q.r}\"");
    check_place(&text->parts.items[1].expr->span, "q.r"); /* behind an escape */
    check_place(&text->parts.items[1].expr->field.name.span, "r");
    parsed_done(&parsed);
}
END_TEST

/* ---- errors ---- */

START_TEST(goes_on_after_errors)
{
    struct parsed parsed = parsed_of("a() = {\n x = 1 +\n}\n"    /* 1 */
                                     "b() = { c = ) ; d = 300u8 }\n" /* 2, 3 */
                                     "type X = 5\n"                  /* 4 */
                                     "ok() = 1\n"
                                     "e(=\n"                         /* 5 */
                                     "module M\n  f(,) = 1\n  g() = 2\nend\n" /* 6 */
                                     "h() = match x { 1 -> 2\n + -> 3\n 4 -> }\n"); /* 7, 8 */

    ck_assert_uint_eq(ns_diag_count(parsed.diag), 8);
    parsed_done(&parsed);
}
END_TEST

START_TEST(stops_after_many_errors)
{
    struct nb_buf text = NB_BUF_INIT;
    struct parsed parsed;

    for (int i = 0; i < 100000; i++)
        nb_buf_text(&text, "f(=\n");
    parsed = parsed_of(nb_buf_cstr(&text));
    ck_assert_uint_eq(ns_diag_count(parsed.diag), NS_DIAG_MAX);
    parsed_done(&parsed);
    nb_buf_done(&text);
}
END_TEST

/* What nests: what is repeated, what stands in the middle, what closes it; and what stands around all. */
static const struct { const char *open, *middle, *close, *before, *behind; } nests[] = {
    { "(", "1", ")", "", "" },
    { "[", "1", "]", "", "" },
    { "{", "1", "}", "", "" },
    { "f(", "1", ")", "", "" },
    { "x.f(", "1", ")", "", "" },
    { "-", "1", "", "", "" },
    { "not ", "1", "", "", "" },
    { "~", "x", "", "", "" },
    { "1 + ", "1", "", "", "" },
    { "1 :: ", "1", "", "", "" },
    { "a |> ", "1", "", "", "" },
    { "", "x", ".y", "", "" },
    { "", "x", "(1)", "", "" },
    { "a => ", "1", "", "", "" },
    { "if a then b else ", "1", "", "", "" },
    { "if ", "a", " then b", "", "" },
    { "match x { a -> ", "1", "}", "", "" },
    { "try ", "1", "", "", "" },
    { "{ x = ", "1", "}", "", "" },
    { "{ if a then ", "1", "}", "", "" },
    { "{ f() = ", "1", "}", "", "" },
    { "%{1: ", "1", "}", "", "" },
    { "return ", "1", "", "", "" },
    { "quote(", "1", ")", "", "" },
    { "Some(", "1", ")", "match x { ", " -> 1 }" },
    { "[a, ", "1", "]", "match x { ", " -> 1 }" },
    { "(", "a, b", ")", "match x { ", " -> 1 }" },
    { "[", "A", "]", "{ x: ", " = 1 }" },
    { "A -> ", "A", "", "{ x: ", " = 1 }" },
    { "module M ", "f() = 1", " end", "1 ", "" },
};

static bool parses_nested(int row, unsigned times)
{
    struct nb_buf text = NB_BUF_INIT;
    struct parsed parsed;
    bool fine;

    nb_buf_printf(&text, "x() = %s", nests[row].before);
    for (unsigned i = 0; i < times; i++)
        nb_buf_text(&text, nests[row].open);
    nb_buf_text(&text, nests[row].middle);
    for (unsigned i = 0; i < times; i++)
        nb_buf_text(&text, nests[row].close);
    nb_buf_text(&text, nests[row].behind);
    parsed = parsed_of(nb_buf_cstr(&text));
    fine = ns_diag_count(parsed.diag) == 0;
    parsed_done(&parsed);
    nb_buf_done(&text);
    return fine;
}

START_TEST(bounds_nesting)
{
    ck_assert(parses_nested(_i, 200));
    ck_assert(!parses_nested(_i, 2000));
    ck_assert(!parses_nested(_i, 20000));
}
END_TEST

START_TEST(bounds_chains_upon_chains)
{
    struct nb_buf text = NB_BUF_INIT;
    struct parsed parsed;

    nb_buf_text(&text, "x() = ((((1");
    for (int i = 0; i < 4; i++) {
        for (int link = 0; link < 300; link++)
            nb_buf_text(&text, " + 1");
        nb_buf_text(&text, ")");
    }
    parsed = parsed_of(nb_buf_cstr(&text));
    ck_assert_str_eq(parsed.dump, "error: this is nested too deeply (more than 1000 levels)");
    parsed_done(&parsed);
    nb_buf_done(&text);
}
END_TEST

START_TEST(allows_long_chains_and_deep_texts_within_the_bound)
{
    struct nb_buf text = NB_BUF_INIT;
    struct parsed parsed;

    nb_buf_text(&text, "x() = 1");
    for (int i = 0; i < 900; i++)
        nb_buf_text(&text, " + 1");
    parsed = parsed_of(nb_buf_cstr(&text));
    ck_assert_uint_eq(ns_diag_count(parsed.diag), 0);
    parsed_done(&parsed);
    nb_buf_done(&text);
}
END_TEST

START_TEST(survives_any_tokens)
{
    static const char *const words[] = {
        "x", "Y", "1", "\"${a}\"", "(", ")", "[", "]", "{", "}", ",", "=", "=>", "->", "|", ".", ":", ";", "\n",
        "if", "then", "else", "match", "when", "try", "catch", "type", "module", "end", "trait", "use", "pub", "var",
        "receive", "after", "for", "to", "while", "do", "spawn", "-", "+", "|>", "<-", "::", "..", "%", "#{", "@", "~",
        "quote", "template", "extern", "test", "const", "mvar", "return", "break", "_", "^", "?", "2i8", "1.5",
    };
    struct nb_buf text = NB_BUF_INIT;

    srand(11);
    for (int round = 0; round < 1000; round++) {
        struct parsed parsed;

        nb_buf_clear(&text);
        for (int i = 0; i < 60; i++)
            nb_buf_printf(&text, "%s ", words[(size_t)rand() % (sizeof words / sizeof *words)]);
        parsed = parsed_of(nb_buf_cstr(&text));
        parsed_done(&parsed);
    }
    nb_buf_done(&text);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof *(table)))

int main(void)
{
    Suite *suite = suite_create("lang/parse");
    TCase *grammar = tcase_create("grammar");
    TCase *errors = tcase_create("errors");

    tcase_add_loop_test(grammar, follows_the_table_of_operators, 0, ROWS(precedence));
    tcase_add_loop_test(grammar, follows_the_table_of_line_feeds, 0, ROWS(newlines));
    tcase_add_loop_test(grammar, reads_every_operand, 0, ROWS(operands));
    tcase_add_loop_test(grammar, reads_every_statement, 0, ROWS(statements));
    tcase_add_loop_test(grammar, reads_every_pattern, 0, ROWS(patterns));
    tcase_add_loop_test(grammar, refuses_what_is_no_pattern, 0, ROWS(pattern_mistakes));
    tcase_add_loop_test(grammar, reads_interpolated_strings, 0, ROWS(strings));
    tcase_add_loop_test(grammar, reads_every_item, 0, ROWS(items));
    tcase_add_test(grammar, knows_where_everything_stands);
    suite_add_tcase(suite, grammar);
    tcase_set_timeout(errors, 30);
    tcase_add_test(errors, goes_on_after_errors);
    tcase_add_test(errors, stops_after_many_errors);
    tcase_add_loop_test(errors, bounds_nesting, 0, ROWS(nests));
    tcase_add_test(errors, bounds_chains_upon_chains);
    tcase_add_test(errors, allows_long_chains_and_deep_texts_within_the_bound);
    tcase_add_test(errors, survives_any_tokens);
    suite_add_tcase(suite, errors);
    return run_suite(suite);
}
