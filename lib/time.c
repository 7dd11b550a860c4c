/*
 * time.c - natives of time. Dates are those of the proleptic Gregorian calendar, days have 86,400 seconds.
 */
#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "lib/expect.h"
#include "vm/except.h"
#include "vm/number.h"
#include "vm/string.h"

enum { MS_PER_SECOND = 1000, MS_PER_MINUTE = 60000, MS_PER_HOUR = 3600000, MS_PER_DAY = 86400000 };
enum { YEAR_MAX = 262142 }; /* years from -YEAR_MAX to YEAR_MAX are representable */

/* ---- the calendar ---- */

struct date {
    int64_t year, month, day;
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The rest that goes with floor_div: never negative. */
static int64_t floor_rest(int64_t a, int64_t b)
{
    return (a % b + b) % b;
}

/*
 * Days since 1970-01-01. Years are counted from March, so that the leap day is the last: a month m of such a year
 * begins after (153 m + 2) / 5 days, and 400 years have 146,097 days.
 */
static int64_t days_of(struct date date)
{
    int64_t month = (date.month + 9) % 12;
    int64_t year = date.year - (date.month <= 2);
    int64_t era = floor_div(year, 400), of_era = year - era * 400;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + date.day - 1 - 719468;
}

static struct date date_of(int64_t days)
{
    int64_t shifted = days + 719468; /* since 0000-03-01 */
    int64_t era = floor_div(shifted, 146097), of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct date date = { era * 400 + year + (month >= 10), month < 10 ? month + 3 : month - 9,
                         of_year - (153 * month + 2) / 5 + 1 };

    return date;
}

static bool is_date(struct date date)
{
    struct date back;

    if (date.year < -YEAR_MAX || date.year > YEAR_MAX || date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > 31)
        return false;
    back = date_of(days_of(date));
    return back.month == date.month && back.day == date.day;
}

static bool is_time(int64_t hour, int64_t minute, int64_t second)
{
    return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
}

/* ---- making times ---- */

static enum vm_status time_now(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return lib_answer_int(ctx, nb_clock_wall_ms(), ret);
}

static enum vm_status time_now_secs(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return lib_answer_int(ctx, nb_clock_wall_ms() / MS_PER_SECOND, ret);
}

static enum vm_status invalid_date(struct vm_ctx *ctx, struct date date)
{
    return vm_raise_panic(ctx, "Invalid date: %" PRId64 "-%" PRId64 "-%" PRId64, date.year, date.month, date.day);
}

static enum vm_status time_from_date(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "III");
    struct date date;

    if (status != VM_OK)
        return status;
    date = (struct date){ vm_int_of(args[0]), vm_int_of(args[1]), vm_int_of(args[2]) };
    if (!is_date(date))
        return invalid_date(ctx, date);
    return lib_answer_int(ctx, days_of(date) * MS_PER_DAY, ret);
}

/* Any numbers will do, so the sum wraps as Ints do. */
static int64_t ms_of(int64_t hour, int64_t minute, int64_t second)
{
    return (int64_t)((uint64_t)hour * MS_PER_HOUR + (uint64_t)minute * MS_PER_MINUTE +
                     (uint64_t)second * MS_PER_SECOND);
}

static enum vm_status time_from_time(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "III");

    if (status != VM_OK)
        return status;
    return lib_answer_int(ctx, ms_of(vm_int_of(args[0]), vm_int_of(args[1]), vm_int_of(args[2])), ret);
}

static enum vm_status time_from_date_time(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "IIIIII");
    int64_t hour, minute, second;
    struct date date;

    if (status != VM_OK)
        return status;
    date = (struct date){ vm_int_of(args[0]), vm_int_of(args[1]), vm_int_of(args[2]) };
    hour = vm_int_of(args[3]);
    minute = vm_int_of(args[4]);
    second = vm_int_of(args[5]);
    if (!is_date(date))
        return invalid_date(ctx, date);
    if (!is_time(hour, minute, second))
        return vm_raise_panic(ctx, "Invalid time: %" PRId64 ":%" PRId64 ":%" PRId64, hour, minute, second);
    return lib_answer_int(ctx, days_of(date) * MS_PER_DAY + ms_of(hour, minute, second), ret);
}

/* ---- parts of times ---- */

/* A component of args[0] in UTC. */
static enum vm_status answer_date_part(struct vm_ctx *ctx, vm_value *args, int64_t (*part)(struct date), vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");

    if (status != VM_OK)
        return status;
    return lib_answer_int(ctx, part(date_of(floor_div(vm_int_of(args[0]), MS_PER_DAY))), ret);
}

/* How many units of `unit` milliseconds have passed of the one of `whole` in which args[0] lies. */
static enum vm_status answer_units(struct vm_ctx *ctx, vm_value *args, int64_t whole, int64_t unit, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");

    if (status != VM_OK)
        return status;
    return lib_answer_int(ctx, floor_rest(vm_int_of(args[0]), whole) / unit, ret);
}

static int64_t year_part(struct date date) { return date.year; }
static int64_t month_part(struct date date) { return date.month; }
static int64_t day_part(struct date date) { return date.day; }

static enum vm_status time_year(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return answer_date_part(ctx, args, year_part, ret);
}

static enum vm_status time_month(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return answer_date_part(ctx, args, month_part, ret);
}

static enum vm_status time_day(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return answer_date_part(ctx, args, day_part, ret);
}

static enum vm_status time_hour(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return answer_units(ctx, args, MS_PER_DAY, MS_PER_HOUR, ret);
}

static enum vm_status time_minute(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return answer_units(ctx, args, MS_PER_HOUR, MS_PER_MINUTE, ret);
}

static enum vm_status time_second(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return answer_units(ctx, args, MS_PER_MINUTE, MS_PER_SECOND, ret);
}

/* Broken down by the system; false when the year is beyond what it knows. */
static bool broken_down(int64_t ms, bool local, struct tm *ret)
{
    time_t seconds = (time_t)floor_div(ms, MS_PER_SECOND);

    return (local ? localtime_r(&seconds, ret) : gmtime_r(&seconds, ret)) != NULL;
}

static enum vm_status time_weekday(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    struct tm tm;

    if (status != VM_OK)
        return status;
    if (!broken_down(vm_int_of(args[0]), true, &tm))
        return vm_raise_panic(ctx, "Time out of range");
    return lib_answer_int(ctx, tm.tm_wday, ret);
}

/* ---- texts ---- */

/* The fraction of a second: %f, %3f %6f %9f, the same behind a point (%.3f), and %.f, which is nothing when there is
 * none. How many bytes of a directive are one; 0 if it is another. */
static size_t fraction_length(const char *directive)
{
    size_t length = directive[0] == '.';

    length += directive[length] == '3' || directive[length] == '6' || directive[length] == '9';
    return directive[length] == 'f' ? length + 1 : 0;
}

/* How many digits a fraction's directive wants; 0: it does not say. */
static size_t fraction_digits(const char *directive, size_t length)
{
    return length >= 2 && isdigit((unsigned char)directive[length - 2]) ? (size_t)(directive[length - 2] - '0') : 0;
}

static void append_fraction(struct nb_buf *out, const char *directive, size_t length, int64_t ms)
{
    bool point = directive[0] == '.';
    size_t digits = fraction_digits(directive, length);

    if (point && digits == 0 && ms == 0)
        return;
    if (digits == 0)
        digits = point ? 3 : 9;
    if (point)
        nb_buf_byte(out, '.');
    nb_buf_printf(out, "%03" PRId64, ms);
    nb_buf_append(out, "000000", digits - 3);
}

/* Four digits at least, so that texts sort like the dates they stand for. */
static void append_year(struct nb_buf *out, const struct tm *tm)
{
    int64_t year = (int64_t)tm->tm_year + 1900;

    nb_buf_printf(out, "%s%04" PRId64, year < 0 ? "-" : year > 9999 ? "+" : "", year < 0 ? -year : year);
}

/* What the system knows, with the flags (%-d, %^a, %:z) that it takes. Returns how many bytes were used. */
static size_t append_common(struct nb_buf *out, const char *directive, const struct tm *tm)
{
    size_t flags = strspn(directive, "-_0^#:");
    size_t length = directive[flags] == '\0' ? flags : flags + 1;
    char format[8] = "%", text[128];

    if (directive[flags] == '\0' || length + 2 > sizeof format) {
        nb_buf_byte(out, '%');
        nb_buf_append(out, directive, length);
        return length;
    }
    memcpy(format + 1, directive, length);
    nb_buf_append(out, text, strftime(text, sizeof text, format, tm));
    return length;
}

/* One directive, from behind its %. Returns how many bytes of it were used. */
static size_t append_directive(struct nb_buf *out, const char *directive, int64_t ms, const struct tm *tm)
{
    size_t fraction = fraction_length(directive);

    if (fraction != 0) {
        append_fraction(out, directive, fraction, floor_rest(ms, MS_PER_SECOND));
        return fraction;
    }
    switch (directive[0]) {
    case 'Y':
        append_year(out, tm);
        return 1;
    case 'F':
        append_year(out, tm);
        nb_buf_printf(out, "-%02d-%02d", tm->tm_mon + 1, tm->tm_mday);
        return 1;
    case 's':
        nb_buf_printf(out, "%" PRId64, floor_div(ms, MS_PER_SECOND));
        return 1;
    default:
        return append_common(out, directive, tm);
    }
}

static enum vm_status formatted(struct vm_ctx *ctx, vm_value *args, bool local, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "IS");
    struct nb_buf out = NB_BUF_INIT, copy = NB_BUF_INIT;
    const char *format;
    struct tm tm;
    int64_t ms;

    if (status != VM_OK)
        return status;
    ms = vm_int_of(args[0]);
    if (!broken_down(ms, local, &tm))
        return vm_raise_panic(ctx, "Time out of range");
    if (!local)
        tm.tm_zone = "UTC";
    format = vm_string_cstring(args[1], &copy);
    out.failed = copy.failed;
    while (*format != '\0' && !out.failed)
        if (*format != '%')
            nb_buf_byte(&out, *format++);
        else
            format += 1 + append_directive(&out, format + 1, ms, &tm);
    nb_buf_done(&copy);
    return lib_answer_text(ctx, &out, ret);
}

static enum vm_status time_format(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return formatted(ctx, args, true, ret);
}

static enum vm_status time_format_utc(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return formatted(ctx, args, false, ret);
}

/* Read the digits of a fraction, down to milliseconds. Advances over them; false: they are not there. */
static bool read_fraction(const char **text, const char *directive, size_t length, int64_t *ret_ms)
{
    size_t wanted = fraction_digits(directive, length), count = 0;
    int64_t ms = 0;

    *ret_ms = 0;
    if (directive[0] == '.' && **text != '.')
        return wanted == 0; /* %.f is nothing when there is none */
    *text += directive[0] == '.';
    for (; count < (wanted == 0 ? 9 : wanted) && isdigit((unsigned char)**text); count++, ++*text)
        if (count < 3)
            ms = ms * 10 + (**text - '0');
    if (count == 0 || (wanted != 0 && count != wanted))
        return false;
    for (; count < 3; count++)
        ms *= 10;
    *ret_ms = ms;
    return true;
}

static const char *find_fraction(const char *format)
{
    for (; *format != '\0'; format++)
        if (format[0] == '%' && fraction_length(format + 1) != 0)
            return format;
        else if (format[0] == '%' && format[1] != '\0')
            format++;
    return NULL;
}

/* strptime knows no fractions: one is read and taken out of text and format. False: the text does not fit. */
static bool take_fraction(struct nb_buf *text, struct nb_buf *format, int64_t *ret_ms)
{
    const char *begin = nb_buf_cstr(text), *place = find_fraction(nb_buf_cstr(format)), *digits, *behind;
    size_t at = place == NULL ? 0 : (size_t)(place - nb_buf_cstr(format)), length, from;
    struct tm scratch = { 0 };

    *ret_ms = 0;
    if (place == NULL)
        return true;
    length = fraction_length(place + 1);
    format->data[at] = '\0';
    digits = strptime(begin, format->data, &scratch);
    format->data[at] = '%';
    behind = digits;
    if (digits == NULL || !read_fraction(&behind, place + 1, length, ret_ms))
        return false;
    from = (size_t)(digits - begin);
    memmove(text->data + from, behind, strlen(behind) + 1);
    memmove(format->data + at, place + 1 + length, strlen(place + 1 + length) + 1);
    return true;
}

/* Read a text by a format; date and time must both be there and make sense. */
static bool parse_time(const char *text, const char *format, int64_t *ret_ms)
{
    enum { UNSET = -1 };
    struct tm tm = { .tm_mday = UNSET, .tm_mon = UNSET, .tm_hour = UNSET, .tm_min = UNSET };
    const char *end = strptime(text, format, &tm);
    struct date date;

    if (end == NULL || *end != '\0')
        return false;
    date = (struct date){ (int64_t)tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday };
    if (!is_date(date) || !is_time(tm.tm_hour, tm.tm_min, tm.tm_sec))
        return false;
    *ret_ms = days_of(date) * MS_PER_DAY + ms_of(tm.tm_hour, tm.tm_min, tm.tm_sec) -
              (int64_t)tm.tm_gmtoff * MS_PER_SECOND;
    return true;
}

static enum vm_status time_parse(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");
    struct nb_buf text = NB_BUF_INIT, format = NB_BUF_INIT;
    int64_t ms = 0, fraction = 0;
    bool parsed;

    if (status != VM_OK)
        return status;
    vm_string_cstring(args[0], &text);
    vm_string_cstring(args[1], &format);
    parsed = !text.failed && !format.failed && take_fraction(&text, &format, &fraction) &&
             parse_time(text.data, format.data, &ms);
    if (text.failed || format.failed)
        status = VM_NOMEM;
    nb_buf_done(&text);
    nb_buf_done(&format);
    if (status != VM_OK)
        return status;
    return lib_answer(parsed ? lib_some(ctx, vm_from_small(ms + fraction)) : LIB_NOTHING, ret);
}

static enum vm_status time_timezone(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct tm tm;

    (void)args;
    return lib_answer_cstr(ctx, broken_down(nb_clock_wall_ms(), true, &tm) ? tm.tm_zone : "UTC", ret);
}

static enum vm_status time_timezone_offset(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct tm tm;

    (void)args;
    return lib_answer_int(ctx, broken_down(nb_clock_wall_ms(), true, &tm) ? tm.tm_gmtoff / 60 : 0, ret);
}

static enum vm_status time_same(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");

    *ret = args[0];
    return status;
}

#define LIB_TABLE "lib/time.def"
#define LIB_REGISTER lib_register_time
#include "lib/table.h"
