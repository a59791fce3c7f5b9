// Triton's C interface, as Halcyon offers it: what a cache of responses is called with, and what it may call. The names,
// types and values are those of Triton's published interface, version 0.3; the words are ours. See tritonserver.h for what
// all functions have in common.
#ifndef HALCYON_TRITON_CORE_TRITONCACHE_H
#define HALCYON_TRITON_CORE_TRITONCACHE_H

#include "triton/core/tritonserver.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TRITONCACHE_API_VERSION_MAJOR 0
#define TRITONCACHE_API_VERSION_MINOR 3

typedef struct TRITONCACHE_Cache TRITONCACHE_Cache;
typedef struct TRITONCACHE_CacheEntry TRITONCACHE_CacheEntry;
typedef struct TRITONCACHE_Allocator TRITONCACHE_Allocator;

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONCACHE_ApiVersion(uint32_t *major, uint32_t *minor);

// MARK: Entries: lists of buffers

TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONCACHE_CacheEntryNew(TRITONCACHE_CacheEntry **entry);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONCACHE_CacheEntryDelete(TRITONCACHE_CacheEntry *entry);
TRITONSERVER_DECLSPEC TRITONSERVER_Error *
TRITONCACHE_CacheEntryBufferCount(TRITONCACHE_CacheEntry *entry, size_t *count);
// Copies no bytes: they must live as long as the entry is used. Of the attributes, size and type of memory count.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONCACHE_CacheEntryAddBuffer(
    TRITONCACHE_CacheEntry *entry, void *base, TRITONSERVER_BufferAttributes *buffer_attributes);
// Fills in the attributes, which are the caller's.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONCACHE_CacheEntryGetBuffer(
    TRITONCACHE_CacheEntry *entry, size_t index, void **base, TRITONSERVER_BufferAttributes *buffer_attributes);
// Puts another address in a buffer's place, and attributes where they are not NULL.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *TRITONCACHE_CacheEntrySetBuffer(
    TRITONCACHE_CacheEntry *entry, size_t index, void *new_base, TRITONSERVER_BufferAttributes *buffer_attributes);
// Only inside of the cache's functions below: from the cache's buffers of an entry to the server's, or the other way.
TRITONSERVER_DECLSPEC TRITONSERVER_Error *
TRITONCACHE_Copy(TRITONCACHE_Allocator *allocator, TRITONCACHE_CacheEntry *entry);

// MARK: What a cache offers: all of these

typedef TRITONSERVER_Error *(*TRITONCACHE_CacheInitializeFn_t)(TRITONCACHE_Cache **cache, const char *config);
typedef TRITONSERVER_Error *(*TRITONCACHE_CacheFinalizeFn_t)(TRITONCACHE_Cache *cache);
// NOT_FOUND where there is none.
typedef TRITONSERVER_Error *(*TRITONCACHE_CacheLookupFn_t)(
    TRITONCACHE_Cache *cache, const char *key, TRITONCACHE_CacheEntry *entry, TRITONCACHE_Allocator *allocator);
// ALREADY_EXISTS where there is one.
typedef TRITONSERVER_Error *(*TRITONCACHE_CacheInsertFn_t)(
    TRITONCACHE_Cache *cache, const char *key, TRITONCACHE_CacheEntry *entry, TRITONCACHE_Allocator *allocator);

#ifdef __cplusplus
}
#endif

#endif
