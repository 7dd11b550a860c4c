%% The rows of bench/run lang in Erlang; see rows.nos.
-module(rows).
-export([main/0]).
-record(body, {x, y, vx, vy, steps}).

fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).

loop(100000000, Sum) -> Sum;
loop(I, Sum) -> loop(I + 1, Sum + I).

list(_, 0, Sum) -> Sum;
list(Numbers, N, Sum) ->
    Tripled = lists:map(fun(X) -> X * 3 end, Numbers),
    Even = lists:filter(fun(X) -> X rem 2 =:= 0 end, Tripled),
    list(Numbers, N - 1, Sum + lists:foldl(fun(X, A) -> A + X end, 0, Even)).

string(-1, Parts) -> byte_size(iolist_to_binary(Parts));
string(N, Parts) -> string(N - 1, [[<<"item ">>, integer_to_binary(N), <<", ">>] | Parts]).

fill(M, 0) -> M;
fill(M, N) -> fill(maps:put(N * 7, N, M), N - 1).

look(_, 0, Sum) -> Sum;
look(M, N, Sum) -> look(M, N - 1, Sum + maps:get(N * 7, M)).

move(Body, 0) -> Body;
move(#body{x = X, y = Y, vx = VX, vy = VY, steps = Steps} = Body, N) ->
    move(Body#body{x = X + VX, y = Y + VY, steps = Steps + 1}, N - 1).

tree(0) -> {num, 3};
tree(N) ->
    case N rem 4 of
        0 -> {add, tree(N - 1), tree(N - 1)};
        1 -> {sub, tree(N - 1), {neg, tree(N - 1)}};
        2 -> {mul, tree(N - 1), {num, 1}};
        _ -> {add, {neg, tree(N - 1)}, {num, 5}}
    end.

eval({num, N}) -> N;
eval({add, A, B}) -> eval(A) + eval(B);
eval({sub, A, B}) -> eval(A) - eval(B);
eval({mul, A, B}) -> eval(A) * eval(B);
eval({neg, A}) -> 0 - eval(A).

evals(_, 0, Sum) -> Sum;
evals(Expr, N, Sum) -> evals(Expr, N - 1, Sum + eval(Expr)).

adder(K) -> fun(X) -> X + K end.
twice(F) -> fun(X) -> F(F(X)) end.
apply_all(_, X, 0) -> X;
apply_all(F, X, N) -> apply_all(F, F(X), N - 1).

relay(_, 0) -> ok;
relay(Next, N) ->
    receive
        Token ->
            Next ! Token,
            relay(Next, N - 1)
    end.

ring(Next, 0, _) -> Next;
ring(Next, N, Rounds) -> ring(spawn(fun() -> relay(Next, Rounds) end), N - 1, Rounds).

rounds(_, 0, Token) -> Token;
rounds(First, N, Token) ->
    First ! Token + 1,
    receive Back -> rounds(First, N - 1, Back) end.

ponger() ->
    receive
        {From, N} ->
            From ! N + 1,
            ponger()
    end.

pinger(_, 0, Last) -> Last;
pinger(To, N, Last) ->
    To ! {self(), Last},
    receive K -> pinger(To, N - 1, K) end.

collect(0, Sum) -> Sum;
collect(N, Sum) -> receive K -> collect(N - 1, Sum + K) end.

spawn_some(_, 0) -> ok;
spawn_some(Me, N) ->
    spawn(fun() -> Me ! N end),
    spawn_some(Me, N - 1).

spawns(0, Sum) -> Sum;
spawns(N, Sum) ->
    spawn_some(self(), 1000),
    spawns(N - 1, collect(1000, Sum)).

run("fib") -> fib(35);
run("loop") -> loop(0, 0);
run("list") -> list(lists:seq(1, 1000000), 5, 0);
run("string") -> string(999999, []);
run("map") -> look(fill(#{}, 1000000), 1000000, 0);
run("record") -> B = move(#body{x = 0, y = 0, vx = 2, vy = 3, steps = 0}, 5000000), B#body.x + B#body.y + B#body.steps;
run("match") -> evals(tree(22), 1000, 0);
run("closure") -> apply_all(twice(adder(3)), 0, 5000000);
run("ring") -> rounds(ring(self(), 999, 1000), 1000, 0);
run("ping") -> pinger(spawn(fun ponger/0), 1000000, 0);
run("spawn") -> spawns(1000, 0).

main() ->
    Began = erlang:monotonic_time(microsecond),
    Result = run(os:getenv("ROW")),
    io:format("~p ~p~n", [(erlang:monotonic_time(microsecond) - Began) div 1000, Result]),
    halt().
