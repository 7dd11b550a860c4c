/*
 * dump.c - printing syntax trees.
 */
#include "config.h"

#include "tests/unit/dump.h"

#include "base/assert.h"

static void dump_type(const struct ns_type *type, struct nb_buf *out);
static void dump_pattern(const struct ns_pattern *pattern, struct nb_buf *out);
static void dump_expr(const struct ns_expr *expr, struct nb_buf *out);
static void dump_item(const struct ns_item *item, struct nb_buf *out);

static void dump_name(struct nb_buf *out, const char *name) { nb_buf_text(out, name != NULL ? name : "-"); }

static void dump_string(struct nb_buf *out, const char *text, uint32_t length)
{
    nb_buf_byte(out, '"');
    for (uint32_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte < 0x20 || byte == '"' || byte == '\\')
            nb_buf_printf(out, "\\x%02x", byte);
        else
            nb_buf_byte(out, text[i]);
    }
    nb_buf_byte(out, '"');
}

static void dump_literal(const struct ns_literal *literal, struct nb_buf *out)
{
    static const char *const suffixes[] = {
        [NS_LITERAL_INT] = "",      [NS_LITERAL_INT8] = "i8",    [NS_LITERAL_INT16] = "i16",
        [NS_LITERAL_INT32] = "i32", [NS_LITERAL_UINT8] = "u8",   [NS_LITERAL_UINT16] = "u16",
        [NS_LITERAL_UINT32] = "u32", [NS_LITERAL_UINT64] = "u64",
    };

    switch (literal->kind) {
    case NS_LITERAL_UNIT: nb_buf_text(out, "()"); break;
    case NS_LITERAL_BOOL: nb_buf_text(out, literal->boolean ? "true" : "false"); break;
    case NS_LITERAL_BIGINT: nb_buf_printf(out, "%sn", literal->text); break;
    case NS_LITERAL_DECIMAL: nb_buf_printf(out, "%sd", literal->text); break;
    case NS_LITERAL_FLOAT: nb_buf_printf(out, "%#.17g", literal->real); break;
    case NS_LITERAL_FLOAT32: nb_buf_printf(out, "%#.9gf32", literal->real); break;
    case NS_LITERAL_CHAR: nb_buf_printf(out, "'%u'", (unsigned)literal->character); break;
    case NS_LITERAL_STRING: dump_string(out, literal->text, literal->length); break;
    case NS_LITERAL_UINT64: nb_buf_printf(out, "%lluu64", (unsigned long long)literal->integer); break;
    default: nb_buf_printf(out, "%lld%s", (long long)literal->integer, suffixes[literal->kind]); break;
    }
}

/* ---- types ---- */

static void dump_types(const struct ns_type_list *types, const char *open, const char *close, struct nb_buf *out)
{
    nb_buf_text(out, open);
    for (uint32_t i = 0; i < types->count; i++) {
        if (i > 0)
            nb_buf_text(out, ", ");
        dump_type(types->items[i], out);
    }
    nb_buf_text(out, close);
}

static void dump_fields(const struct ns_field_list *fields, struct nb_buf *out)
{
    nb_buf_byte(out, '{');
    for (uint32_t i = 0; i < fields->count; i++) {
        if (i > 0)
            nb_buf_text(out, ", ");
        if (fields->items[i].is_private)
            nb_buf_text(out, "private ");
        if (fields->items[i].name.text != NULL)
            nb_buf_printf(out, "%s: ", fields->items[i].name.text);
        dump_type(fields->items[i].type, out);
    }
    nb_buf_byte(out, '}');
}

static void dump_type(const struct ns_type *type, struct nb_buf *out)
{
    if (type == NULL) {
        nb_buf_byte(out, '-');
        return;
    }
    switch (type->kind) {
    case NS_TYPE_NAMED:
        dump_name(out, type->named.name);
        if (type->named.arguments.count > 0)
            dump_types(&type->named.arguments, "[", "]", out);
        break;
    case NS_TYPE_VARIABLE: dump_name(out, type->variable); break;
    case NS_TYPE_UNIT: nb_buf_text(out, "()"); break;
    case NS_TYPE_TUPLE: dump_types(&type->items, "(", ")", out); break;
    case NS_TYPE_FUNCTION:
        dump_types(&type->function.parameters, "(", ") -> ", out);
        dump_type(type->function.result, out);
        break;
    case NS_TYPE_RECORD: dump_fields(&type->fields, out); break;
    }
}

/* ---- patterns ---- */

static void dump_patterns(const struct ns_pattern_list *patterns, struct nb_buf *out)
{
    for (uint32_t i = 0; i < patterns->count; i++) {
        nb_buf_byte(out, ' ');
        dump_pattern(patterns->items[i], out);
    }
}

static void dump_constructor_pattern(const struct ns_pattern *pattern, struct nb_buf *out)
{
    nb_buf_text(out, pattern->kind == NS_PATTERN_RECORD ? "(record" : "(ctor ");
    if (pattern->kind == NS_PATTERN_CONSTRUCTOR)
        dump_name(out, pattern->constructor.name);
    dump_patterns(&pattern->constructor.items, out);
    for (uint32_t i = 0; i < pattern->constructor.fields.count; i++) {
        nb_buf_printf(out, " %s: ", pattern->constructor.fields.items[i].name.text);
        dump_pattern(pattern->constructor.fields.items[i].pattern, out);
    }
    nb_buf_text(out, pattern->constructor.open ? " _)" : ")");
}

static void dump_map_pattern(const struct ns_pattern *pattern, struct nb_buf *out)
{
    nb_buf_text(out, "(map");
    for (uint32_t i = 0; i < pattern->map.count; i++) {
        nb_buf_byte(out, ' ');
        dump_pattern(pattern->map.items[i].key, out);
        nb_buf_text(out, ": ");
        dump_pattern(pattern->map.items[i].value, out);
    }
    nb_buf_byte(out, ')');
}

static void dump_pattern_group(const char *name, const struct ns_pattern_list *patterns, struct nb_buf *out)
{
    nb_buf_printf(out, "(%s", name);
    dump_patterns(patterns, out);
    nb_buf_byte(out, ')');
}

static void dump_list_pattern(const struct ns_pattern *pattern, struct nb_buf *out)
{
    nb_buf_text(out, "(list");
    dump_patterns(&pattern->list.items, out);
    if (pattern->list.rest != NULL) {
        nb_buf_text(out, " | ");
        dump_pattern(pattern->list.rest, out);
    }
    nb_buf_byte(out, ')');
}

static void dump_pattern(const struct ns_pattern *pattern, struct nb_buf *out)
{
    switch (pattern->kind) {
    case NS_PATTERN_WILDCARD: nb_buf_byte(out, '_'); break;
    case NS_PATTERN_NAME: dump_name(out, pattern->name); break;
    case NS_PATTERN_LITERAL: dump_literal(&pattern->literal, out); break;
    case NS_PATTERN_RANGE:
        nb_buf_printf(out, "%lld%s%lld", (long long)pattern->range.from, pattern->range.inclusive ? "..=" : "..",
                      (long long)pattern->range.to);
        break;
    case NS_PATTERN_TUPLE: dump_pattern_group("tuple", &pattern->items, out); break;
    case NS_PATTERN_SET: dump_pattern_group("set", &pattern->items, out); break;
    case NS_PATTERN_OR: dump_pattern_group("or", &pattern->items, out); break;
    case NS_PATTERN_LIST: dump_list_pattern(pattern, out); break;
    case NS_PATTERN_CONSTRUCTOR:
    case NS_PATTERN_RECORD: dump_constructor_pattern(pattern, out); break;
    case NS_PATTERN_MAP: dump_map_pattern(pattern, out); break;
    case NS_PATTERN_PIN: nb_buf_printf(out, "^%s", pattern->name); break;
    }
}

/* ---- expressions ---- */

static void dump_exprs(const struct ns_expr_list *exprs, struct nb_buf *out)
{
    for (uint32_t i = 0; i < exprs->count; i++) {
        nb_buf_byte(out, ' ');
        dump_expr(exprs->items[i], out);
    }
}

/* (name a b c), ended by a NULL argument if there are fewer. */
static void dump_group(const char *name, const struct ns_expr *a, const struct ns_expr *b, const struct ns_expr *c,
                       struct nb_buf *out)
{
    const struct ns_expr *parts[] = { a, b, c };

    nb_buf_printf(out, "(%s", name);
    for (int i = 0; i < 3 && parts[i] != NULL; i++) {
        nb_buf_byte(out, ' ');
        dump_expr(parts[i], out);
    }
    nb_buf_byte(out, ')');
}

static void dump_list_group(const char *name, const struct ns_expr_list *exprs, struct nb_buf *out)
{
    nb_buf_printf(out, "(%s", name);
    dump_exprs(exprs, out);
    nb_buf_byte(out, ')');
}

static void dump_arms(const struct ns_arm_list *arms, struct nb_buf *out)
{
    for (uint32_t i = 0; i < arms->count; i++) {
        nb_buf_text(out, " [");
        dump_pattern(arms->items[i].pattern, out);
        if (arms->items[i].guard != NULL) {
            nb_buf_text(out, " when ");
            dump_expr(arms->items[i].guard, out);
        }
        nb_buf_text(out, " -> ");
        dump_expr(arms->items[i].body, out);
        nb_buf_byte(out, ']');
    }
}

static void dump_parts(const struct ns_part_list *parts, struct nb_buf *out)
{
    nb_buf_text(out, "(text");
    for (uint32_t i = 0; i < parts->count; i++) {
        nb_buf_byte(out, ' ');
        if (parts->items[i].expr != NULL)
            dump_expr(parts->items[i].expr, out);
        else
            dump_string(out, parts->items[i].text, parts->items[i].length);
    }
    nb_buf_byte(out, ')');
}

static void dump_call(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_text(out, expr->kind == NS_EXPR_CALL ? "(call " : expr->kind == NS_EXPR_CONSTRUCT ? "(new " : "(method ");
    if (expr->kind == NS_EXPR_CALL) {
        dump_expr(expr->call.callee, out);
    } else {
        if (expr->call.receiver != NULL) {
            dump_expr(expr->call.receiver, out);
            nb_buf_byte(out, ' ');
        }
        dump_name(out, expr->call.name.text);
    }
    if (expr->call.type_arguments.count > 0)
        dump_types(&expr->call.type_arguments, " [", "]", out);
    for (uint32_t i = 0; i < expr->call.arguments.count; i++) {
        nb_buf_byte(out, ' ');
        if (expr->call.arguments.items[i].name.text != NULL)
            nb_buf_printf(out, "%s: ", expr->call.arguments.items[i].name.text);
        dump_expr(expr->call.arguments.items[i].value, out);
    }
    nb_buf_byte(out, ')');
}

static void dump_map(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_text(out, "(map");
    for (uint32_t i = 0; i < expr->map.count; i++) {
        nb_buf_byte(out, ' ');
        dump_expr(expr->map.items[i].key, out);
        nb_buf_text(out, ": ");
        dump_expr(expr->map.items[i].value, out);
    }
    nb_buf_byte(out, ')');
}

static void dump_list(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_text(out, "(list");
    dump_exprs(&expr->list.items, out);
    if (expr->list.tail != NULL) {
        nb_buf_text(out, " | ");
        dump_expr(expr->list.tail, out);
    }
    nb_buf_byte(out, ')');
}

static void dump_try(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_text(out, "(try ");
    dump_expr(expr->try_.body, out);
    if (expr->try_.has_catch)
        nb_buf_text(out, " catch");
    dump_arms(&expr->try_.arms, out);
    if (expr->try_.finally != NULL) {
        nb_buf_text(out, " finally ");
        dump_expr(expr->try_.finally, out);
    }
    nb_buf_byte(out, ')');
}

static void dump_receive(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_text(out, "(receive");
    dump_arms(&expr->receive.arms, out);
    if (expr->receive.timeout != NULL) {
        nb_buf_text(out, " after ");
        dump_expr(expr->receive.timeout, out);
        nb_buf_byte(out, ' ');
        dump_expr(expr->receive.after, out);
    }
    nb_buf_byte(out, ')');
}

static void dump_match(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_text(out, "(match ");
    dump_expr(expr->match.scrutinee, out);
    dump_arms(&expr->match.arms, out);
    nb_buf_byte(out, ')');
}

static void dump_for(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_printf(out, "(for %s ", expr->for_.variable.text);
    dump_expr(expr->for_.from, out);
    nb_buf_byte(out, ' ');
    dump_expr(expr->for_.to, out);
    nb_buf_byte(out, ' ');
    dump_expr(expr->for_.body, out);
    nb_buf_byte(out, ')');
}

static void dump_bind(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_text(out, expr->bind.is_var ? "(var " : "(bind ");
    dump_pattern(expr->bind.pattern, out);
    if (expr->bind.type != NULL) {
        nb_buf_text(out, " : ");
        dump_type(expr->bind.type, out);
    }
    nb_buf_byte(out, ' ');
    dump_expr(expr->bind.value, out);
    nb_buf_byte(out, ')');
}

static void dump_assignment(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_text(out, "(set ");
    if (expr->kind == NS_EXPR_ASSIGN_FIELD) {
        dump_expr(expr->assign_field.object, out);
        nb_buf_printf(out, " .%s ", expr->assign_field.name.text);
        dump_expr(expr->assign_field.value, out);
    } else {
        dump_expr(expr->assign_index.object, out);
        dump_exprs(&expr->assign_index.indices, out);
        nb_buf_byte(out, ' ');
        dump_expr(expr->assign_index.value, out);
    }
    nb_buf_byte(out, ')');
}

static void dump_function(const char *word, const struct ns_function *function, struct nb_buf *out)
{
    nb_buf_printf(out, "(%s ", word);
    if (function->name.text != NULL)
        nb_buf_printf(out, "%s ", function->name.text);
    nb_buf_byte(out, '[');
    for (uint32_t i = 0; i < function->parameters.count; i++) {
        const struct ns_parameter *parameter = &function->parameters.items[i];

        if (i > 0)
            nb_buf_byte(out, ' ');
        dump_pattern(parameter->pattern, out);
        if (parameter->type != NULL) {
            nb_buf_text(out, ": ");
            dump_type(parameter->type, out);
        }
        if (parameter->value != NULL) {
            nb_buf_text(out, " = ");
            dump_expr(parameter->value, out);
        }
    }
    nb_buf_byte(out, ']');
    if (function->guard != NULL) {
        nb_buf_text(out, " when ");
        dump_expr(function->guard, out);
    }
    if (function->return_type != NULL) {
        nb_buf_text(out, " -> ");
        dump_type(function->return_type, out);
    }
    if (function->body != NULL) {
        nb_buf_byte(out, ' ');
        dump_expr(function->body, out);
    }
    nb_buf_byte(out, ')');
}

static void dump_spawn(const struct ns_expr *expr, struct nb_buf *out)
{
    static const char *const words[] = { "spawn", "spawn_link", "spawn_monitor" };

    dump_group(words[expr->spawn.kind], expr->spawn.body, NULL, NULL, out);
}

static void dump_selection(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_text(out, "(. ");
    dump_expr(expr->kind == NS_EXPR_FIELD ? expr->field.object : expr->tuple_field.object, out);
    if (expr->kind == NS_EXPR_FIELD)
        nb_buf_printf(out, " %s)", expr->field.name.text);
    else
        nb_buf_printf(out, " %u)", expr->tuple_field.position);
}

static void dump_index(const struct ns_expr *expr, struct nb_buf *out)
{
    nb_buf_text(out, "(index ");
    dump_expr(expr->index.object, out);
    dump_exprs(&expr->index.indices, out);
    nb_buf_byte(out, ')');
}

static void dump_expr(const struct ns_expr *expr, struct nb_buf *out)
{
    if (expr == NULL) {
        nb_buf_byte(out, '-');
        return;
    }
    switch (expr->kind) {
    case NS_EXPR_LITERAL: dump_literal(&expr->literal, out); break;
    case NS_EXPR_INTERPOLATION: dump_parts(&expr->parts, out); break;
    case NS_EXPR_NAME:
    case NS_EXPR_UPPER: dump_name(out, expr->name); break;
    case NS_EXPR_WILDCARD: nb_buf_byte(out, '_'); break;
    case NS_EXPR_LIST: dump_list(expr, out); break;
    case NS_EXPR_RANGE_LIST: dump_group("range", expr->range.from, expr->range.to, NULL, out); break;
    case NS_EXPR_TUPLE: dump_list_group("tuple", &expr->items, out); break;
    case NS_EXPR_MAP: dump_map(expr, out); break;
    case NS_EXPR_SET: dump_list_group("set", &expr->items, out); break;
    case NS_EXPR_LAMBDA: dump_function("lambda", expr->function, out); break;
    case NS_EXPR_UNARY: dump_group(ns_operator_text(expr->unary.op), expr->unary.operand, NULL, NULL, out); break;
    case NS_EXPR_BINARY:
        dump_group(ns_operator_text(expr->binary.op), expr->binary.left, expr->binary.right, NULL, out);
        break;
    case NS_EXPR_PIPE: dump_group("|>", expr->pair.left, expr->pair.right, NULL, out); break;
    case NS_EXPR_SEND: dump_group("<-", expr->pair.left, expr->pair.right, NULL, out); break;
    case NS_EXPR_CALL:
    case NS_EXPR_METHOD_CALL:
    case NS_EXPR_CONSTRUCT: dump_call(expr, out); break;
    case NS_EXPR_FIELD:
    case NS_EXPR_TUPLE_FIELD: dump_selection(expr, out); break;
    case NS_EXPR_INDEX: dump_index(expr, out); break;
    case NS_EXPR_QUESTION: dump_group("?", expr->operand, NULL, NULL, out); break;
    case NS_EXPR_BLOCK: dump_list_group("block", &expr->block.statements, out); break;
    case NS_EXPR_IF:
        dump_group("if", expr->conditional.condition, expr->conditional.then, expr->conditional.otherwise, out);
        break;
    case NS_EXPR_MATCH: dump_match(expr, out); break;
    case NS_EXPR_TRY: dump_try(expr, out); break;
    case NS_EXPR_WHILE: dump_group("while", expr->while_.condition, expr->while_.body, NULL, out); break;
    case NS_EXPR_FOR: dump_for(expr, out); break;
    case NS_EXPR_BREAK: dump_group("break", expr->operand, NULL, NULL, out); break;
    case NS_EXPR_CONTINUE: nb_buf_text(out, "(continue)"); break;
    case NS_EXPR_RETURN: dump_group("return", expr->operand, NULL, NULL, out); break;
    case NS_EXPR_SPAWN: dump_spawn(expr, out); break;
    case NS_EXPR_RECEIVE: dump_receive(expr, out); break;
    case NS_EXPR_QUOTE: dump_group("quote", expr->operand, NULL, NULL, out); break;
    case NS_EXPR_SPLICE: dump_group("~", expr->operand, NULL, NULL, out); break;
    case NS_EXPR_BIND: dump_bind(expr, out); break;
    case NS_EXPR_ASSIGN_FIELD:
    case NS_EXPR_ASSIGN_INDEX: dump_assignment(expr, out); break;
    case NS_EXPR_LOCAL_FUNCTION: dump_function("fn", expr->function, out); break;
    }
}

/* ---- items ---- */

static void dump_parameters(const struct ns_type_parameter_list *parameters, struct nb_buf *out)
{
    for (uint32_t i = 0; i < parameters->count; i++) {
        nb_buf_printf(out, " %s", parameters->items[i].name.text);
        for (uint32_t j = 0; j < parameters->items[i].bounds.count; j++)
            nb_buf_printf(out, "%s%s", j == 0 ? ":" : "+", parameters->items[i].bounds.items[j].text);
    }
}

static void dump_type_item(const struct ns_item *item, struct nb_buf *out)
{
    nb_buf_printf(out, "(%s %s", item->type.is_reactive ? "reactive" : item->type.is_var ? "var-type" : "type",
                  item->type.name.text);
    dump_parameters(&item->type.parameters, out);
    switch (item->type.kind) {
    case NS_DEFINE_EMPTY: break;
    case NS_DEFINE_RECORD:
        nb_buf_byte(out, ' ');
        dump_fields(&item->type.fields, out);
        break;
    case NS_DEFINE_VARIANT:
        for (uint32_t i = 0; i < item->type.constructors.count; i++) {
            nb_buf_printf(out, " | %s", item->type.constructors.items[i].name.text);
            if (item->type.constructors.items[i].payload != NS_PAYLOAD_NONE)
                dump_fields(&item->type.constructors.items[i].fields, out);
        }
        break;
    case NS_DEFINE_ALIAS:
        nb_buf_text(out, " = ");
        dump_type(item->type.alias, out);
        break;
    }
    nb_buf_byte(out, ')');
}

static void dump_methods(const struct ns_function_list *methods, struct nb_buf *out)
{
    for (uint32_t i = 0; i < methods->count; i++) {
        nb_buf_byte(out, ' ');
        dump_function("fn", methods->items[i], out);
    }
    nb_buf_byte(out, ')');
}

static void dump_trait(const struct ns_item *item, struct nb_buf *out)
{
    nb_buf_printf(out, "(trait %s", item->trait.name.text);
    for (uint32_t i = 0; i < item->trait.supertraits.count; i++)
        nb_buf_printf(out, "%s%s", i == 0 ? ": " : ", ", item->trait.supertraits.items[i].text);
    dump_methods(&item->trait.methods, out);
}

static void dump_implementation(const struct ns_item *item, struct nb_buf *out)
{
    nb_buf_text(out, "(impl ");
    dump_type(item->implementation.type, out);
    nb_buf_printf(out, ": %s", item->implementation.trait.text);
    if (item->implementation.conditions.count > 0)
        nb_buf_text(out, " when");
    dump_parameters(&item->implementation.conditions, out);
    dump_methods(&item->implementation.methods, out);
}

static void dump_value(const char *word, const struct ns_item *item, struct nb_buf *out)
{
    nb_buf_printf(out, "(%s ", word);
    if (item->value.pattern != NULL)
        dump_pattern(item->value.pattern, out);
    else
        dump_name(out, item->value.name.text);
    if (item->value.type != NULL) {
        nb_buf_text(out, " : ");
        dump_type(item->value.type, out);
    }
    nb_buf_byte(out, ' ');
    dump_expr(item->value.value, out);
    nb_buf_byte(out, ')');
}

static void dump_module(const struct ns_item *item, struct nb_buf *out)
{
    nb_buf_printf(out, "(module %s", item->module.name.text);
    for (uint32_t i = 0; i < item->module.items.count; i++) {
        nb_buf_byte(out, ' ');
        dump_item(item->module.items.items[i], out);
    }
    nb_buf_byte(out, ')');
}

static void dump_use(const struct ns_item *item, struct nb_buf *out)
{
    nb_buf_text(out, "(use ");
    for (uint32_t i = 0; i < item->use.path.count; i++)
        nb_buf_printf(out, "%s%s", i == 0 ? "" : ".", item->use.path.items[i].text);
    if (item->use.all)
        nb_buf_text(out, " *");
    for (uint32_t i = 0; i < item->use.items.count; i++) {
        nb_buf_printf(out, " %s", item->use.items.items[i].name.text);
        if (item->use.items.items[i].alias.text != NULL)
            nb_buf_printf(out, "=%s", item->use.items.items[i].alias.text);
    }
    nb_buf_text(out, item->use.single ? " single)" : ")");
}

static void dump_extern(const struct ns_item *item, struct nb_buf *out)
{
    nb_buf_printf(out, "(extern %s", item->extern_.name.text);
    if (item->kind == NS_ITEM_EXTERN_FUNCTION) {
        nb_buf_byte(out, ' ');
        dump_fields(&item->extern_.parameters, out);
        nb_buf_text(out, " -> ");
        dump_type(item->extern_.result, out);
    }
    nb_buf_byte(out, ')');
}

static void dump_test(const struct ns_item *item, struct nb_buf *out)
{
    nb_buf_text(out, "(test ");
    dump_literal(&item->test.name, out);
    nb_buf_byte(out, ' ');
    dump_expr(item->test.body, out);
    nb_buf_byte(out, ')');
}

static void dump_item(const struct ns_item *item, struct nb_buf *out)
{
    for (uint32_t i = 0; i < item->decorators.count; i++) {
        nb_buf_printf(out, "@(%s", item->decorators.items[i].name.text);
        dump_exprs(&item->decorators.items[i].arguments, out);
        nb_buf_text(out, ") ");
    }
    if (item->is_public)
        nb_buf_text(out, "pub ");
    switch (item->kind) {
    case NS_ITEM_FUNCTION: dump_function("fn", item->function, out); break;
    case NS_ITEM_TEMPLATE: dump_function("template", item->function, out); break;
    case NS_ITEM_TYPE: dump_type_item(item, out); break;
    case NS_ITEM_TRAIT: dump_trait(item, out); break;
    case NS_ITEM_IMPLEMENTATION: dump_implementation(item, out); break;
    case NS_ITEM_MVAR: dump_value("mvar", item, out); break;
    case NS_ITEM_CONST: dump_value("const", item, out); break;
    case NS_ITEM_BINDING: dump_value(item->value.is_var ? "var" : "bind", item, out); break;
    case NS_ITEM_MODULE: dump_module(item, out); break;
    case NS_ITEM_USE: dump_use(item, out); break;
    case NS_ITEM_TEST: dump_test(item, out); break;
    case NS_ITEM_EXTERN_TYPE:
    case NS_ITEM_EXTERN_FUNCTION: dump_extern(item, out); break;
    }
}

void dump_file(const struct ns_file *file, struct nb_buf *out)
{
    for (uint32_t i = 0; i < file->items.count; i++) {
        dump_item(file->items.items[i], out);
        nb_buf_byte(out, '\n');
    }
}
