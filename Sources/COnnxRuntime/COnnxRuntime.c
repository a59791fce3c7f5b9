// For `dladdr`.
#define _GNU_SOURCE

#include "COnnxRuntime.h"

#include <dlfcn.h>

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
    ONNXRUNTIME_FUNCTIONS(ONNXRUNTIME_LOAD)
    return ONNXRUNTIME_BOUND;
}

const char *onnxruntime_file(const onnxruntime_functions_t *functions) {
    Dl_info information;
    if (dladdr((void *)functions->create_env, &information) == 0) {
        return NULL;
    }
    return information.dli_fname;
}
