#include "TritonLibrary.h"

// What the library is made of comes with the rooms that it depends on; here is only how it is linked (exports.map).
const char halcyon_triton_library[] = "libtritonserver.so";
