/*
 * decoder.h - from Json values to values of declared types: the walk that both sets of rules share.
 *
 * There are two: those of jsonToType (decode.c), which take whatever scalar they find, and those of fromJsonValue
 * (decode_strict.c), which check everything. Each decides what one Json value becomes: a result at once, or a frame
 * whose parts the walk then hands back to it. Private to these three files.
 */
#ifndef LIB_DECODER_H
#define LIB_DECODER_H

#include "base/arena.h"
#include "lib/json.h"
#include "vm/cursor.h"
#include "vm/types.h"

struct lib_bindings;

/** A type to decode into, and what the type parameters in it stand for. */
struct lib_target { const struct vm_shape *shape; const struct lib_bindings *bindings; };

/** What the parameters of a generic type stand for. */
struct lib_bindings { unsigned count; struct lib_target targets[]; };

/** Where the Json values for the parts of a value come from. */
enum lib_supply {
    LIB_SUPPLY_ITEMS,    /* the source is a list of them */
    LIB_SUPPLY_FIELDS,   /* a list of pairs, by name; one that is missing is an error … */
    LIB_SUPPLY_OPTIONAL, /* … or Null */
    LIB_SUPPLY_ITSELF,   /* the source is the only one */
    LIB_SUPPLY_PAYLOAD,  /* what stands with a constructor: list, pairs or the value itself (04 §3.6) */
    LIB_SUPPLY_ENTRIES,  /* a list of pairs: keys and values in turn */
};

enum lib_result { LIB_RESULT_LIST, LIB_RESULT_TUPLE, LIB_RESULT_MAP, LIB_RESULT_DATA };

/** A value whose parts are being decoded: its source is on top of `sources`, its parts so far are results. */
struct lib_frame {
    enum lib_result result;
    enum lib_supply supply;
    uint32_t next, count;
    struct lib_target target;                      /* what it is decoded into; DATA: with the bindings inside of it */
    const struct vm_type_constructor *constructor; /* DATA */
};

/** The shape of what no type is known of. */
extern const struct vm_shape lib_any_shape;

struct lib_decoder;
/** Push what a Json value becomes, or open a frame. */
typedef enum vm_status lib_decode_rule(struct lib_decoder *decoder, struct lib_target target, vm_value json);

struct lib_decoder {
    struct vm_ctx *ctx;
    const struct vm_types *types;
    lib_decode_rule *rule;
    struct nb_arena *arena;        /* shapes and bindings that are only known now; made when needed */
    struct lib_stack *results, sources;
    struct vm_stack frames;
    struct lib_frame frames_in_place[8];
    uint64_t steps;
};

void lib_decoder_init(struct lib_decoder *decoder, struct vm_ctx *ctx, struct lib_stack *results,
                      lib_decode_rule *rule);
void lib_decoder_done(struct lib_decoder *decoder);
/** Decode all that was begun. */
enum vm_status lib_decoder_run(struct lib_decoder *decoder);

/** The shape of a type name that came at run time; what is too long for a name is nobody's. */
const struct vm_shape *lib_decoder_shape(struct lib_decoder *decoder, struct vm_text name);
/** What a target stands for, if it is a type parameter. */
struct lib_target lib_target_resolved(struct lib_target target);
/** Append the target's text, with type parameters replaced. */
void lib_target_text(struct nb_buf *out, struct lib_target target);

/** Open a frame; the source is a list, a list of pairs or a Json value, as the frame's supply says. */
enum vm_status lib_decoder_open(struct lib_decoder *decoder, struct lib_frame frame, vm_value source);
/** The same for a constructor of the target's declared type; it may have no fields. */
enum vm_status lib_decoder_open_data(struct lib_decoder *decoder, struct lib_target target,
                                     const struct vm_type_constructor *constructor, enum lib_supply supply,
                                     vm_value source);
enum vm_status lib_decoder_push(struct lib_decoder *decoder, vm_value value);
/** The number converted to a class, as toInt8() and its like do. */
enum vm_status lib_decoder_push_number(struct lib_decoder *decoder, vm_value number, uint32_t class_key);

/** The constructor of a declared type with that name, NULL if it has none. */
const struct vm_type_constructor *lib_find_constructor(const struct vm_type *type, struct vm_text name);
/** For messages: the name of the constructor a Json value was built with. */
const char *lib_json_name(vm_value json);

/** jsonToType's rules for a field and for the target as a whole. */
lib_decode_rule lib_decode_field, lib_decode_whole;
/** fromJsonValue's. */
lib_decode_rule lib_decode_strictly;

#endif
