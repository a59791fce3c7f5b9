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
