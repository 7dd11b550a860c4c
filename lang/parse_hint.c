/*
 * parse_hint.c - advice on what people write who know other languages.
 *
 * The parser says what it expected; that is of little help to those who wrote `let x = 1`. Two things tell what was
 * meant: the token that does not fit, and the words in front of it on its line. Nothing here changes what is parsed.
 */
#include "config.h"

#include <string.h>

#include "lang/parse_private.h"

static const char *const bind =
    "a name is bound without a keyword: `x = …`; what is to be assigned again is `var x = …`";
static const char *const define = "a function is defined without a keyword: `name(parameters) = …`";
static const char *const otherwise = "`else if` goes on with another condition";
static const char *const combine = "conditions are combined by `&&` and `||`";
static const char *const type = "a type is defined by `type Name = { field: Type }` or `type Name = One | Other(Type)`";
static const char *const module = "a module is used by `use module.*` or `use module.{name}`";
static const char *const each = "lists are walked by `xs.each(x => …)`, numbers by `for i = 1 to 9 { … }`";
static const char *const lambda = "a lambda is written `x => …`";
static const char *const choose = "`if condition then one else other` chooses between values";

/* Words that mean something elsewhere. */
static const struct { const char *word; const char *const *advice; } words[] = {
    { "let", &bind },        { "val", &bind },      { "const", &bind },   { "mut", &bind },     { "fn", &define },
    { "def", &define },      { "fun", &define },    { "func", &define },  { "function", &define },
    { "elif", &otherwise },  { "elsif", &otherwise }, { "elseif", &otherwise }, { "and", &combine },
    { "or", &combine },      { "class", &type },    { "struct", &type },  { "enum", &type },
    { "interface", &type },  { "import", &module }, { "include", &module }, { "in", &each },
    { "lambda", &lambda },
};

static const char *advice_on_word(const struct ns_token *token)
{
    if (token->kind != NS_TOKEN_LOWER && !ns_token_is_keyword(token->kind))
        return NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, token->name) == 0)
            return *words[i].advice;
    return NULL;
}

static bool is_condition(const struct ns_token *token)
{
    return token->kind == NS_TOKEN_IF || token->kind == NS_TOKEN_WHILE;
}

/* What a token means that does not fit behind another one, where `what` (may be NULL) should have been. */
static const char *advice_on_tokens(const struct ns_token *before, const struct ns_token *token, const char *what)
{
    bool closes = what != NULL && (strcmp(what, ")") == 0 || strcmp(what, "]") == 0);

    if (token->kind == NS_TOKEN_ASSIGN && (before->kind == NS_TOKEN_EQUAL || before->kind == NS_TOKEN_NOT_EQUAL))
        return "values are compared by `==` and `!=`";
    if (token->kind == NS_TOKEN_GREATER && before->kind == NS_TOKEN_LESS)
        return "values are compared by `==` and `!=`";
    if (token->kind == NS_TOKEN_LEFT_BRACE && before->kind == NS_TOKEN_RIGHT_PAREN)
        return "a function's body follows `=`: `name(parameters) = { … }`";
    if (token->kind == NS_TOKEN_COLON && before->kind == NS_TOKEN_RIGHT_PAREN)
        return "the type of a function's result follows `->`: `name(parameters) -> Type = …`";
    if (token->kind == NS_TOKEN_ARROW && closes)
        return lambda;
    if (token->kind == NS_TOKEN_FAT_ARROW && what != NULL && strcmp(what, "->") == 0)
        return "an arm is written `pattern -> …`";
    return NULL;
}

/* What the words in front of a token on its line mean. */
static const char *advice_on_line(const struct ns_parser *parser, uint32_t at)
{
    const struct ns_token *last = ns_peek_at(parser, at);
    const struct ns_token *token = last;

    for (;; token = ns_peek_at(parser, --at)) {
        const char *advice = advice_on_word(token);

        if (advice != NULL)
            return advice;
        if (token->kind == NS_TOKEN_QUESTION)
            return choose;
        if (last->kind == NS_TOKEN_ASSIGN && is_condition(token))
            return "`=` binds a name; values are compared by `==`";
        if (at == 0 || token->newline_before)
            return NULL;
    }
}

void ns_hint_habits(struct ns_parser *parser, const char *what)
{
    uint32_t at = parser->at < parser->count ? parser->at : parser->count - 1;
    const struct ns_token *token = ns_peek_at(parser, at);
    const char *advice = at > 0 && !token->newline_before ? advice_on_tokens(ns_peek_at(parser, at - 1), token, what)
                                                        : NULL;

    if (advice == NULL)
        advice = advice_on_line(parser, at);
    if (advice != NULL && ns_token_is_keyword(token->kind))
        ns_note(parser->diag, "%s", advice); /* the hint tells that it is one */
    else if (advice != NULL)
        ns_hint(parser->diag, "%s", advice);
}
