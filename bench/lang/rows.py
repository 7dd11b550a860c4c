"""The rows of bench/run lang in Python; see rows.nos."""

import os
import sys
import time
from functools import reduce
from typing import NamedTuple


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def row_fib():
    return fib(35)


def row_loop():
    total = 0
    for i in range(100000000):
        total = total + i
    return total


def row_list():
    numbers = list(range(1, 1000001))
    total = 0
    for _ in range(5):
        tripled = list(map(lambda x: x * 3, numbers))
        even = list(filter(lambda x: x % 2 == 0, tripled))
        total += reduce(lambda a, x: a + x, even, 0)
    return total


def row_string():
    parts = []
    for i in range(1000000):
        parts.append(f"item {i}, ")
    return len("".join(parts))


def row_map():
    m = {}
    for n in range(1000000, 0, -1):
        m[n * 7] = n
    total = 0
    for i in range(1, 1000001):
        total = total + m[i * 7]
    return total


class Body(NamedTuple):
    x: int
    y: int
    vx: int
    vy: int
    steps: int


def row_record():
    body = Body(0, 0, 2, 3, 0)
    for _ in range(5000000):
        body = Body(body.x + body.vx, body.y + body.vy, body.vx, body.vy, body.steps + 1)
    return body.x + body.y + body.steps


def tree(n):
    if n == 0:
        return ("num", 3)
    kind = n % 4
    if kind == 0:
        return ("add", tree(n - 1), tree(n - 1))
    if kind == 1:
        return ("sub", tree(n - 1), ("neg", tree(n - 1)))
    if kind == 2:
        return ("mul", tree(n - 1), ("num", 1))
    return ("add", ("neg", tree(n - 1)), ("num", 5))


def evaluate(e):
    kind = e[0]
    if kind == "num":
        return e[1]
    if kind == "add":
        return evaluate(e[1]) + evaluate(e[2])
    if kind == "sub":
        return evaluate(e[1]) - evaluate(e[2])
    if kind == "mul":
        return evaluate(e[1]) * evaluate(e[2])
    return 0 - evaluate(e[1])


def row_match():
    expr = tree(22)
    total = 0
    for _ in range(1000):
        total += evaluate(expr)
    return total


def row_closure():
    def adder(k):
        return lambda x: x + k

    def twice(f):
        return lambda x: f(f(x))

    f = twice(adder(3))
    x = 0
    for _ in range(5000000):
        x = f(x)
    return x


row = globals().get("row_" + os.environ["ROW"])
if row is None:
    sys.exit()
began = time.process_time()
result = row()
print(round((time.process_time() - began) * 1000), result)
