/*
 * crypto.c - natives of digests, passwords and secrets, over nettle and libxcrypt.
 *
 * A digest of a long text is worked out in slices. bcrypt is slow by design and cannot be divided: it runs on the
 * reactor's pool.
 */
#include "config.h"

#include <crypt.h>
#include <nettle/memops.h>
#include <nettle/nettle-meta.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/stress.h"
#include "io/reactor.h"
#include "lib/expect.h"
#include "vm/except.h"
#include "vm/number.h"
#include "vm/string.h"

#define DIGEST_MAGIC 0x0d16e570u

enum {
    SLICE_BYTES = NB_STRESS_OR(100, 256 * 1024), /* about half a millisecond */
    DIGEST_BYTES_MAX = 64,
    COST_MIN = 4,
    COST_MAX = 31,
    SALT_BYTES = 16,
    BCRYPT_LENGTH = 60,
    RANDOM_PART = 256
};

static void append_hex(struct nb_buf *out, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        nb_buf_byte(out, digits[bytes[i] >> 4]);
        nb_buf_byte(out, digits[bytes[i] & 15]);
    }
}

/* ---- digests ---- */

struct digest {
    unsigned magic;
    const struct nettle_hash *algorithm;
    size_t at;           /* how much of the text has gone in */
    max_align_t state[]; /* the algorithm's */
};

static void forget_digest(struct vm_process *process)
{
    struct digest *digest = process->operation;

    process->operation = NULL;
    process->operation_cancel = NULL;
    nb_check_object(digest, DIGEST_MAGIC);
    digest->magic = 0;
    nb_free(digest);
}

/* The digest this process has begun, or a new one. */
static struct digest *digest_of(struct vm_ctx *ctx, const struct nettle_hash *algorithm)
{
    struct digest *digest = ctx->process->operation;

    if (digest != NULL) {
        nb_check_object(digest, DIGEST_MAGIC);
        return digest;
    }
    digest = nb_alloc_zero(sizeof *digest + algorithm->context_size);
    if (digest == NULL)
        return NULL;
    digest->magic = DIGEST_MAGIC;
    digest->algorithm = algorithm;
    algorithm->init(digest->state);
    ctx->process->operation = digest;
    ctx->process->operation_cancel = forget_digest;
    return digest;
}

static enum vm_status answer_digest(struct vm_ctx *ctx, const struct nettle_hash *algorithm, vm_value *args,
                                    vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    uint8_t bytes[DIGEST_BYTES_MAX];
    struct nb_buf text = NB_BUF_INIT;
    struct vm_text given;
    struct digest *digest;
    size_t count;

    if (status != VM_OK)
        return status;
    digest = digest_of(ctx, algorithm);
    if (digest == NULL)
        return VM_NOMEM;
    given = vm_text(args[0]);
    count = given.length - digest->at < SLICE_BYTES ? given.length - digest->at : SLICE_BYTES;
    algorithm->update(digest->state, count, (const uint8_t *)given.bytes + digest->at);
    digest->at += count;
    lib_worked(ctx, 16 + count / 4);
    if (digest->at < given.length)
        return VM_YIELD;
    algorithm->digest(digest->state, algorithm->digest_size, bytes);
    forget_digest(ctx->process);
    append_hex(&text, bytes, algorithm->digest_size);
    return lib_answer_text(ctx, &text, ret);
}

static enum vm_status crypto_sha256(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return answer_digest(ctx, &nettle_sha256, args, ret);
}

static enum vm_status crypto_sha512(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return answer_digest(ctx, &nettle_sha512, args, ret);
}

static enum vm_status crypto_md5(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return answer_digest(ctx, &nettle_md5, args, ret);
}

/* ---- random bytes ---- */

/* Fill with what nobody can guess. False only where the system has none to give. */
static bool fill_random(void *bytes, size_t count)
{
    uint8_t *at = bytes;

    while (count > 0) {
        ssize_t given = getrandom(at, count < RANDOM_PART ? count : RANDOM_PART, 0);

        if (given <= 0)
            return false;
        at += given;
        count -= (size_t)given;
    }
    return true;
}

static enum vm_status crypto_random_bytes(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    struct nb_buf text = NB_BUF_INIT;
    int64_t left;

    if (status != VM_OK)
        return status;
    left = vm_int_of(args[0]);
    if (left > (int64_t)(VM_STRING_MAX / 2))
        return VM_NOMEM;
    lib_worked(ctx, left > 0 ? 16 * (uint64_t)left : 0);
    while (left > 0 && !text.failed) {
        uint8_t part[RANDOM_PART];
        size_t count = left < RANDOM_PART ? (size_t)left : RANDOM_PART;

        if (!fill_random(part, count)) {
            nb_buf_done(&text);
            return vm_raise_panic(ctx, "no random bytes available");
        }
        append_hex(&text, part, count);
        left -= (int64_t)count;
    }
    return lib_answer_text(ctx, &text, ret);
}

/* ---- UUIDs ---- */

static enum vm_status uuid_v4(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct nb_buf text = NB_BUF_INIT;
    uint8_t bytes[16];

    (void)args;
    if (!fill_random(bytes, sizeof bytes))
        return vm_raise_panic(ctx, "no random bytes available");
    bytes[6] = (bytes[6] & 0x0f) | 0x40; /* version 4 … */
    bytes[8] = (bytes[8] & 0x3f) | 0x80; /* … of the variant of RFC 4122 */
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            nb_buf_byte(&text, '-');
        append_hex(&text, bytes + i, 1);
    }
    return lib_answer_text(ctx, &text, ret);
}

/* Whether a text has the form of a pattern in which x stands for a hexadecimal digit. */
static bool has_form(struct vm_text text, const char *form)
{
    if (text.length != strlen(form))
        return false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

        if (form[i] == 'x' ? !hex : c != form[i])
            return false;
    }
    return true;
}

#define UUID_FORM "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

static enum vm_status uuid_is_valid(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    static const char *const forms[] = { UUID_FORM, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "{" UUID_FORM "}",
                                         ("urn:uuid:" UUID_FORM) };
    enum vm_status status = lib_expect(ctx, args, "S");
    bool valid = false;

    if (status != VM_OK)
        return status;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        valid = valid || has_form(vm_text(args[0]), forms[i]);
    *ret = vm_from_bool(valid);
    return VM_OK;
}

/* ---- passwords ---- */

struct bcrypt {
    struct io_operation operation;
    char *password; /* nb_alloc'ed, as is … */
    char *setting;  /* … a hash, or only method, cost and salt */
    struct crypt_data data;
    bool ok; /* data.output is the hash */
};

static void bcrypt_work(struct io_operation *operation)
{
    struct bcrypt *bcrypt = (struct bcrypt *)operation;
    const char *hash = crypt_r(bcrypt->password, bcrypt->setting, &bcrypt->data);

    bcrypt->ok = hash != NULL && hash[0] != '*';
}

static void wipe(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    nb_free(secret);
}

static void bcrypt_free(struct io_operation *operation)
{
    struct bcrypt *bcrypt = (struct bcrypt *)operation;

    wipe(bcrypt->password);
    nb_free(bcrypt->setting);
    explicit_bzero(&bcrypt->data, sizeof bcrypt->data);
    nb_free(bcrypt);
}

/* Hash a password on the pool: VM_PARK. */
static enum vm_status bcrypt_submit(struct vm_ctx *ctx, struct vm_text password, const char *setting)
{
    struct bcrypt *bcrypt = nb_alloc_zero(sizeof *bcrypt);

    if (bcrypt == NULL)
        return VM_NOMEM;
    io_operation_init(&bcrypt->operation, bcrypt_work, bcrypt_free);
    bcrypt->password = nb_strndup(password.bytes, password.length);
    bcrypt->setting = nb_strndup(setting, strlen(setting));
    if (bcrypt->password == NULL || bcrypt->setting == NULL) {
        bcrypt_free(&bcrypt->operation);
        return VM_NOMEM;
    }
    return io_submit(ctx, &bcrypt->operation);
}

/* The pool's part is done, or NULL: not yet begun, or (*ret_status VM_PARK) under way. */
static struct bcrypt *bcrypt_result(struct vm_ctx *ctx, enum vm_status *ret_status)
{
    struct io_operation *operation = io_operation_of(ctx);

    *ret_status = VM_OK;
    if (operation == NULL)
        return NULL;
    if (io_is_done(operation))
        return (struct bcrypt *)operation;
    *ret_status = io_park(ctx);
    return NULL;
}

static enum vm_status bcrypt_begin(struct vm_ctx *ctx, const vm_value *args)
{
    struct vm_text password = vm_text(args[0]);
    int64_t cost = vm_int_of(args[1]);
    char salt[SALT_BYTES], setting[CRYPT_GENSALT_OUTPUT_SIZE];

    if (cost < COST_MIN || cost > COST_MAX)
        return vm_raise_panic(ctx, "bcrypt error: Invalid cost: %lld, must be between %d and %d", (long long)cost,
                              COST_MIN, COST_MAX);
    if (memchr(password.bytes, '\0', password.length) != NULL)
        return vm_raise_panic(ctx, "bcrypt error: the password contains a NUL character");
    if (!fill_random(salt, sizeof salt) ||
        crypt_gensalt_rn("$2b$", (unsigned long)cost, salt, sizeof salt, setting, sizeof setting) == NULL)
        return vm_raise_panic(ctx, "bcrypt error: no salt");
    return bcrypt_submit(ctx, password, setting);
}

static enum vm_status crypto_bcrypt_hash(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SI");
    const struct bcrypt *done;

    if (status != VM_OK)
        return status;
    done = bcrypt_result(ctx, &status);
    if (status != VM_OK)
        return status;
    if (done == NULL)
        return bcrypt_begin(ctx, args);
    if (done->ok)
        status = lib_answer(vm_string(ctx, done->data.output, strlen(done->data.output)), ret);
    else
        status = vm_raise_panic(ctx, "bcrypt error: the hash cannot be computed");
    io_finish(ctx);
    return status;
}

/* $2b$12$ and 53 characters; a and y name the same method. Anything else would make libcrypt use another method. */
static bool is_bcrypt_hash(struct vm_text hash)
{
    static const char form[] = "$2?$dd$";

    if (hash.length != BCRYPT_LENGTH || memchr("aby", hash.bytes[2], 3) == NULL)
        return false;
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd' ? hash.bytes[i] < '0' || hash.bytes[i] > '9' : form[i] != '?' && hash.bytes[i] != form[i])
            return false;
    }
    return memchr(hash.bytes, '\0', hash.length) == NULL;
}

static enum vm_status crypto_bcrypt_verify(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");
    char setting[BCRYPT_LENGTH + 1] = "";
    const struct bcrypt *done;
    struct vm_text password, hash;

    if (status != VM_OK)
        return status;
    done = bcrypt_result(ctx, &status);
    if (status != VM_OK)
        return status;
    password = vm_text(args[0]);
    hash = vm_text(args[1]);
    if (done == NULL) {
        *ret = VM_FALSE;
        if (!is_bcrypt_hash(hash) || memchr(password.bytes, '\0', password.length) != NULL)
            return VM_OK;
        memcpy(setting, hash.bytes, BCRYPT_LENGTH);
        return bcrypt_submit(ctx, password, setting);
    }
    *ret = vm_from_bool(done->ok && strlen(done->data.output) == hash.length &&
                        memeql_sec(done->data.output, hash.bytes, hash.length));
    io_finish(ctx);
    return VM_OK;
}

#define LIB_TABLE "lib/crypto.def"
#define LIB_REGISTER lib_register_crypto
#include "lib/table.h"
