-- The rows of bench/run lang in Lua; see rows.nos.

local function fib(n)
    if n < 2 then return n end
    return fib(n - 1) + fib(n - 2)
end

local function map(list, f)
    local out = {}
    for i = 1, #list do out[i] = f(list[i]) end
    return out
end

local function filter(list, f)
    local out, n = {}, 0
    for i = 1, #list do
        local x = list[i]
        if f(x) then
            n = n + 1
            out[n] = x
        end
    end
    return out
end

local function fold(list, acc, f)
    for i = 1, #list do acc = f(acc, list[i]) end
    return acc
end

local function tree(n)
    if n == 0 then return { "num", 3 } end
    local kind = n % 4
    if kind == 0 then return { "add", tree(n - 1), tree(n - 1) } end
    if kind == 1 then return { "sub", tree(n - 1), { "neg", tree(n - 1) } } end
    if kind == 2 then return { "mul", tree(n - 1), { "num", 1 } } end
    return { "add", { "neg", tree(n - 1) }, { "num", 5 } }
end

local function eval(e)
    local kind = e[1]
    if kind == "num" then return e[2] end
    if kind == "add" then return eval(e[2]) + eval(e[3]) end
    if kind == "sub" then return eval(e[2]) - eval(e[3]) end
    if kind == "mul" then return eval(e[2]) * eval(e[3]) end
    return 0 - eval(e[2])
end

local rows = {}

function rows.fib() return fib(35) end

function rows.loop()
    local sum = 0
    for i = 0, 99999999 do sum = sum + i end
    return sum
end

function rows.list()
    local numbers = {}
    for i = 1, 1000000 do numbers[i] = i end
    local sum = 0
    for _ = 1, 5 do
        local tripled = map(numbers, function(x) return x * 3 end)
        local even = filter(tripled, function(x) return x % 2 == 0 end)
        sum = sum + fold(even, 0, function(a, x) return a + x end)
    end
    return sum
end

function rows.string()
    local parts = {}
    for i = 0, 999999 do parts[#parts + 1] = "item " .. i .. ", " end
    return #table.concat(parts)
end

function rows.map()
    local m = {}
    for n = 1000000, 1, -1 do m[n * 7] = n end
    local sum = 0
    for i = 1, 1000000 do sum = sum + m[i * 7] end
    return sum
end

function rows.record()
    local body = { x = 0, y = 0, vx = 2, vy = 3, steps = 0 }
    for _ = 1, 5000000 do
        body = { x = body.x + body.vx, y = body.y + body.vy, vx = body.vx, vy = body.vy, steps = body.steps + 1 }
    end
    return body.x + body.y + body.steps
end

function rows.match()
    local expr = tree(22)
    local sum = 0
    for _ = 1, 1000 do sum = sum + eval(expr) end
    return sum
end

function rows.closure()
    local function adder(k) return function(x) return x + k end end
    local function twice(f) return function(x) return f(f(x)) end end
    local f = twice(adder(3))
    local x = 0
    for _ = 1, 5000000 do x = f(x) end
    return x
end

local row = rows[os.getenv("ROW")]
if row == nil then return end
local began = os.clock()
local result = row()
print(string.format("%.0f %.0f", (os.clock() - began) * 1000, result))
