#include "CTriton.h"

// By name only: a program that lacks the rooms in which some of them are made has no address for those. What stands in their
// place returns an error, as all of them do but those that every program has.
#define X(name)                                                                                               \
    extern void halcyon_address_##name(void) __asm__(#name) __attribute__((weak));                            \
    static TRITONSERVER_Error *halcyon_without_##name(void) {                                                 \
        return TRITONSERVER_ErrorNew(                                                                         \
            TRITONSERVER_ERROR_UNSUPPORTED,                                                                   \
            #name " is not offered by this program; docs/triton-backends.md says which functions are, where"); \
    }
#include "Names.inc"
#undef X

size_t halcyon_triton_functions(halcyon_triton_function *functions, size_t room) {
    size_t count = 0;
#define X(name)                                                                                                \
    if (count < room) {                                                                                        \
        bool is_offered = halcyon_address_##name != 0;                                                         \
        functions[count] = (halcyon_triton_function){                                                          \
            #name,                                                                                             \
            is_offered ? (const void *)halcyon_address_##name : (const void *)halcyon_without_##name, is_offered}; \
    }                                                                                                          \
    count++;
#include "Names.inc"
#undef X
    return count;
}
