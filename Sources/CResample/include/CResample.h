#pragma once
#include <stdint.h>

/// The weighted sum of `count` rows of `length` bytes, as floats: out[i] = Σ weights[k] · rows[k][i].
void halcyon_blend_rows(
    const uint8_t *const *rows, const float *weights, int32_t count, float *out, int32_t length);

/// The weighted sums of neighbouring pixels of one row of interleaved RGB floats, a plane a channel. Column x takes the
/// pixels starts[x] … starts[x] + taps − 1 with the weights from weights[x · taps]. One float behind the last pixel of
/// the row is read and not used.
void halcyon_blend_columns(
    const float *row, const int32_t *starts, const float *weights, int32_t taps, int32_t width, float *red,
    float *green, float *blue);
