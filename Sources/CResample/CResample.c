#include "CResample.h"

#include <string.h>

// One version a generation of vector units; the loader picks the machine's. Swift has no word for this yet. It picks
// before a sanitizer's runtime is up, so that there is one version only under those.
#if defined(__x86_64__) && defined(__linux__) && !__has_feature(thread_sanitizer) && !__has_feature(address_sanitizer)
#define EACH_PROCESSOR __attribute__((target_clones("avx512bw", "avx2", "default")))
#else
#define EACH_PROCESSOR
#endif

typedef float pixel __attribute__((vector_size(16)));

EACH_PROCESSOR
void halcyon_blend_rows(
    const uint8_t *const *rows, const float *weights, int32_t count, float *out, int32_t length) {
    for (int32_t i = 0; i < length; i++) out[i] = weights[0] * (float)rows[0][i];
    for (int32_t k = 1; k < count; k++) {
        const uint8_t *restrict row = rows[k];
        float *restrict sum = out;
        float weight = weights[k];
        for (int32_t i = 0; i < length; i++) sum[i] += weight * (float)row[i];
    }
}

void halcyon_blend_columns(
    const float *row, const int32_t *starts, const float *weights, int32_t taps, int32_t width, float *red,
    float *green, float *blue) {
    for (int32_t x = 0; x < width; x++) {
        const float *source = row + 3 * starts[x];
        const float *weight = weights + (intptr_t)x * taps;
        pixel sum = {0, 0, 0, 0};
        for (int32_t k = 0; k < taps; k++) {
            pixel value;
            memcpy(&value, source + 3 * k, sizeof value);
            sum += value * weight[k];
        }
        red[x] = sum[0];
        green[x] = sum[1];
        blue[x] = sum[2];
    }
}
