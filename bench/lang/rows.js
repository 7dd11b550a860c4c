// The rows of bench/run lang in JavaScript; see rows.nos.
'use strict';

const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));

const tree = (n) => {
    if (n === 0) return ['num', 3];
    const kind = n % 4;
    if (kind === 0) return ['add', tree(n - 1), tree(n - 1)];
    if (kind === 1) return ['sub', tree(n - 1), ['neg', tree(n - 1)]];
    if (kind === 2) return ['mul', tree(n - 1), ['num', 1]];
    return ['add', ['neg', tree(n - 1)], ['num', 5]];
};

const evaluate = (e) => {
    switch (e[0]) {
        case 'num': return e[1];
        case 'add': return evaluate(e[1]) + evaluate(e[2]);
        case 'sub': return evaluate(e[1]) - evaluate(e[2]);
        case 'mul': return evaluate(e[1]) * evaluate(e[2]);
        default: return 0 - evaluate(e[1]);
    }
};

const rows = {
    fib: () => fib(35),
    loop: () => {
        let sum = 0;
        for (let i = 0; i < 100000000; i++) sum = sum + i;
        return sum;
    },
    list: () => {
        const numbers = Array.from({ length: 1000000 }, (_, i) => i + 1);
        let sum = 0;
        for (let k = 0; k < 5; k++) {
            sum += numbers.map((x) => x * 3).filter((x) => x % 2 === 0).reduce((a, x) => a + x, 0);
        }
        return sum;
    },
    string: () => {
        const parts = [];
        for (let i = 0; i < 1000000; i++) parts.push(`item ${i}, `);
        return parts.join('').length;
    },
    map: () => {
        const m = new Map();
        for (let n = 1000000; n > 0; n--) m.set(n * 7, n);
        let sum = 0;
        for (let i = 1; i <= 1000000; i++) sum = sum + m.get(i * 7);
        return sum;
    },
    record: () => {
        let body = { x: 0, y: 0, vx: 2, vy: 3, steps: 0 };
        for (let i = 0; i < 5000000; i++) {
            body = { x: body.x + body.vx, y: body.y + body.vy, vx: body.vx, vy: body.vy, steps: body.steps + 1 };
        }
        return body.x + body.y + body.steps;
    },
    match: () => {
        const expr = tree(22);
        let sum = 0;
        for (let i = 0; i < 1000; i++) sum += evaluate(expr);
        return sum;
    },
    closure: () => {
        const adder = (k) => (x) => x + k;
        const twice = (f) => (x) => f(f(x));
        const f = twice(adder(3));
        let x = 0;
        for (let i = 0; i < 5000000; i++) x = f(x);
        return x;
    },
};

const row = rows[process.env.ROW];
if (row !== undefined) {
    const began = process.cpuUsage();
    const result = row();
    console.log(Math.round(process.cpuUsage(began).user / 1000), result);
}
