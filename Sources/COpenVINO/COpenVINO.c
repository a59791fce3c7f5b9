// For `dladdr`.
#define _GNU_SOURCE

#include "COpenVINO.h"

#include <dlfcn.h>

#define OPENVINO_LOAD(result, name, parameters)                                                                        \
    {                                                                                                                  \
        void *symbol = dlsym(library, #name);                                                                          \
        if (symbol == NULL) {                                                                                          \
            return #name;                                                                                              \
        }                                                                                                              \
        functions->name = (result(*) parameters)symbol;                                                                \
    }

const char *openvino_bind(void *library, openvino_functions_t *functions) {
    OPENVINO_FUNCTIONS(OPENVINO_LOAD)
    return NULL;
}

const char *openvino_file(const openvino_functions_t *functions) {
    Dl_info information;
    if (dladdr((void *)functions->ov_core_create, &information) == 0) {
        return NULL;
    }
    return information.dli_fname;
}
