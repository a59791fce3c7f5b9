// A response cache: a list in memory. What it is told decides how it behaves: {"behaviour": "fails"} does not set up, "none"
// gives no cache, "broken" answers every question with an error, "wrong" gives each answer for any question. Every function
// that a cache may call is called, once wrongly.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "triton/core/tritoncache.h"

#include "checks.h"

struct answer {
    struct answer *next;
    char *key;
    size_t count;
    void *bytes[8];
    size_t sizes[8];
};

struct cache {
    struct answer *first;
    const char *behaviour;
    FILE *journal;
};

static void note(struct cache *cache, const char *what) {
    if (cache->journal) fprintf(cache->journal, "%s\n", what), fflush(cache->journal);
}

// The text that stands behind a name in the configuration, which is all that this needs of JSON.
static char *value(const char *config, const char *name) {
    const char *found = strstr(config, name);
    if (!found) return strdup("");
    found += strlen(name) + 2;
    found += strspn(found, " \"");
    return strndup(found, strcspn(found, "\""));
}

#ifndef WITHOUT_INITIALIZE
EXPORT TRITONSERVER_Error *TRITONCACHE_CacheInitialize(TRITONCACHE_Cache **cache, const char *config) {
    uint32_t major = 0, minor = 0;
    DO(TRITONCACHE_ApiVersion(&major, &minor));
    FAILS(TRITONCACHE_ApiVersion(NULL, &minor));
    FAILS(TRITONCACHE_CacheEntryNew(NULL));
    TRITONCACHE_CacheEntry *entry = NULL;
    DO(TRITONCACHE_CacheEntryNew(&entry));
    DO(TRITONCACHE_CacheEntryDelete(entry));
    FAILS(TRITONCACHE_CacheEntryDelete(entry));
    char *behaviour = value(config, "behaviour"), *journal = value(config, "journal");
    if (strcmp(behaviour, "fails") == 0) {
        return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INVALID_ARG, "this cache does not like its settings");
    }
    if (strcmp(behaviour, "none") == 0) return NULL;
    struct cache *made = calloc(1, sizeof *made);
    made->behaviour = behaviour;
    made->journal = *journal ? fopen(journal, "a") : NULL;
    note(made, "initialize");
    *cache = (TRITONCACHE_Cache *)made;
    return NULL;
}
#endif

EXPORT TRITONSERVER_Error *TRITONCACHE_CacheFinalize(TRITONCACHE_Cache *pointer) {
    struct cache *cache = (struct cache *)pointer;
    note(cache, "finalize");
    if (cache->journal) fclose(cache->journal);
    free(cache);
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONCACHE_CacheLookup(
    TRITONCACHE_Cache *pointer, const char *key, TRITONCACHE_CacheEntry *entry, TRITONCACHE_Allocator *allocator) {
    struct cache *cache = (struct cache *)pointer;
    note(cache, "look up");
    if (strcmp(cache->behaviour, "broken") == 0) {
        return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNAVAILABLE, "the cache's store is gone");
    }
    for (struct answer *answer = cache->first; answer; answer = answer->next) {
        if (strcmp(answer->key, key) != 0 && strcmp(cache->behaviour, "wrong") != 0) continue;
        TRITONSERVER_BufferAttributes *attributes = NULL;
        DO(TRITONSERVER_BufferAttributesNew(&attributes));
        for (size_t index = 0; index < answer->count; index++) {
            DO(TRITONSERVER_BufferAttributesSetByteSize(attributes, answer->sizes[index]));
            DO(TRITONCACHE_CacheEntryAddBuffer(entry, answer->bytes[index], attributes));
        }
        FAILS(TRITONCACHE_CacheEntryAddBuffer(entry, NULL, attributes));
        FAILS(TRITONCACHE_CacheEntryAddBuffer(entry, answer->bytes[0], NULL));
        DO(TRITONSERVER_BufferAttributesDelete(attributes));
        FAILS(TRITONCACHE_Copy(NULL, entry));
        FAILS(TRITONCACHE_Copy(allocator, NULL));
        FAILS(TRITONCACHE_Copy((TRITONCACHE_Allocator *)entry, entry));
        DO(TRITONCACHE_Copy(allocator, entry));
        note(cache, "found");
        return NULL;
    }
    return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_NOT_FOUND, "no such answer");
}

EXPORT TRITONSERVER_Error *TRITONCACHE_CacheInsert(
    TRITONCACHE_Cache *pointer, const char *key, TRITONCACHE_CacheEntry *entry, TRITONCACHE_Allocator *allocator) {
    struct cache *cache = (struct cache *)pointer;
    note(cache, "insert");
    struct answer *answer = calloc(1, sizeof *answer);
    DO(TRITONCACHE_CacheEntryBufferCount(entry, &answer->count));
    FAILS(TRITONCACHE_CacheEntryBufferCount(entry, NULL));
    if (answer->count > 8) return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNSUPPORTED, "that is much");
    // Nobody has said yet where the bytes are to be.
    FAILS(TRITONCACHE_Copy(allocator, entry));
    TRITONSERVER_BufferAttributes *attributes = NULL;
    DO(TRITONSERVER_BufferAttributesNew(&attributes));
    void *base = NULL;
    FAILS(TRITONCACHE_CacheEntryGetBuffer(entry, answer->count, &base, attributes));
    FAILS(TRITONCACHE_CacheEntryGetBuffer(entry, 0, NULL, attributes));
    FAILS(TRITONCACHE_CacheEntryGetBuffer(entry, 0, &base, NULL));
    for (size_t index = 0; index < answer->count; index++) {
        DO(TRITONCACHE_CacheEntryGetBuffer(entry, index, &base, attributes));
        DO(TRITONSERVER_BufferAttributesByteSize(attributes, &answer->sizes[index]));
        answer->bytes[index] = malloc(answer->sizes[index]);
        DO(TRITONCACHE_CacheEntrySetBuffer(entry, index, answer->bytes[index], index ? NULL : attributes));
    }
    FAILS(TRITONCACHE_CacheEntrySetBuffer(entry, answer->count, answer->bytes[0], NULL));
    FAILS(TRITONCACHE_CacheEntrySetBuffer(entry, 0, NULL, NULL));
    DO(TRITONSERVER_BufferAttributesDelete(attributes));
    DO(TRITONCACHE_Copy(allocator, entry));
    answer->key = strdup(key);
    answer->next = cache->first;
    cache->first = answer;
    return NULL;
}
