// For `dladdr`.
#define _GNU_SOURCE

#include "COnnxRuntime.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/// What the library's only symbol returns.
typedef struct {
    const void *const *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
} api_base_t;

#define ONNXRUNTIME_LOAD(place, result, name, parameters)                                                              \
    if (table[place] == NULL) {                                                                                        \
        return ONNXRUNTIME_INCOMPLETE;                                                                                 \
    }                                                                                                                  \
    functions->name = (result(*) parameters)table[place];

#define ONNXRUNTIME_LOAD_OPTIONAL(place, result, name, parameters)                                                     \
    functions->name = (result(*) parameters)table[place];

/// The number of the interface's newest version that the library has. It is asked by its own version, since the library
/// writes to standard error when it is asked for what it does not have.
static uint32_t newest(const api_base_t *base) {
    unsigned major = 0;
    unsigned minor = 0;
    const char *version = base->get_version();
    if (version == NULL || sscanf(version, "%u.%u", &major, &minor) != 2 || major != 1) {
        return ONNXRUNTIME_API_VERSION;
    }
    return minor;
}

onnxruntime_binding_t onnxruntime_bind(void *library, onnxruntime_functions_t *functions, const char **version) {
    *version = NULL;
    const api_base_t *(*get_base)(void) = (const api_base_t *(*)(void))dlsym(library, "OrtGetApiBase");
    const api_base_t *base = get_base == NULL ? NULL : get_base();
    if (base == NULL) {
        return ONNXRUNTIME_FOREIGN;
    }
    *version = base->get_version();
    const void *const *table = base->get_api(ONNXRUNTIME_API_VERSION);
    if (table == NULL) {
        return ONNXRUNTIME_TOO_OLD;
    }
    memset(functions, 0, sizeof *functions);
    ONNXRUNTIME_FUNCTIONS(ONNXRUNTIME_LOAD)
    // A table of an older version may end before these.
    if (newest(base) >= ONNXRUNTIME_PROVIDER_API_VERSION &&
        (table = base->get_api(ONNXRUNTIME_PROVIDER_API_VERSION)) != NULL) {
        ONNXRUNTIME_PROVIDER_FUNCTIONS(ONNXRUNTIME_LOAD_OPTIONAL)
    }
    if (newest(base) >= ONNXRUNTIME_STREAM_API_VERSION &&
        (table = base->get_api(ONNXRUNTIME_STREAM_API_VERSION)) != NULL) {
        ONNXRUNTIME_STREAM_FUNCTIONS(ONNXRUNTIME_LOAD_OPTIONAL)
    }
    return ONNXRUNTIME_BOUND;
}

const char *onnxruntime_file(const onnxruntime_functions_t *functions) {
    Dl_info information;
    if (dladdr((void *)functions->create_env, &information) == 0) {
        return NULL;
    }
    return information.dli_fname;
}
