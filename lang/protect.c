/*
 * protect.c - names that a program may not give to its own functions (01 §13.3).
 */
#include "config.h"

#include "lang/unit.h"
#include "lang/words.h"

#include <string.h>

static const char builtin_names[] =
    " println print eprintln eprint flushStdout flushStderr show toString copy hash inspect assert assert_eq assertType"
    " sleep vmStats self spawn send receive throw sqrt sin cos tan floor ceil round abs min max pow log log10 length "
    "len"
    " head tail init last nth push pop get set slice concat reverse sort map filter fold any all find position unique"
    " flatten zip unzip take drop split join range replicate toIntList intListRange empty isEmpty sum product maximum"
    " minimum indexOf sortBy intersperse spanList groupBy transpose pairwise isSorted isSortedBy takeWhile dropWhile"
    " partition flatMap zipWith enumerate optUnwrap optUnwrapOr optMap optFlatMap optIsSome optIsNone resUnwrap"
    " resUnwrapOr resMap resMapErr resFlatMap resIsOk resIsErr resToOption newInt64Array newFloat64Array"
    " newFloat32Array sumInt64Array asInt8 asInt16 asInt32 asInt64 asInt asUInt8 asUInt16 asUInt32 asUInt64 asFloat32"
    " asFloat64 asFloat asBigInt toBigInt toChar eval typeInfo typeOf reactiveId tagOf reflect jsonToType fromJson"
    " makeRecord makeVariant makeRecordByName makeVariantByName jsonToTypeByName typeNameOf requestToType ";

static const char library_names[] =
    " contains count each elem enumerateFrom findIndices foldl foldr fst snd group insertAt interleave remove removeAt"
    " scanl span splitAt nthHelper mapAcc filterAcc reverseAcc groupAcc groupByAcc replicateAcc indexOfAcc"
    " findIndicesAcc positionAcc ";

bool ns_is_builtin_name(const char *name)
{
    return ns_words_have(builtin_names, name);
}

bool ns_is_protected_library_name(const char *name)
{
    return ns_words_have(library_names, name);
}
