#!/usr/bin/env bash
# Converts NVIDIA's PeopleNet for this machine, and puts it into the three repositories of this example.
#
#     convert_peoplenet.sh MODEL [FLAG...]
#
# MODEL is the file from NVIDIA's catalogue: the ONNX file, or the older .etlt, whose key is `tlt_encode` unless KEY says
# otherwise. PEOPLENET_MODEL may name it instead. The flags below are those that NVIDIA's tao-converter takes for this
# model; FLAGs come after them, and the last one of a kind counts: `-t int8 -c PICTURES` for instance.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../../.." && pwd)"

model="${1:-${PEOPLENET_MODEL:-}}"
if [[ -z $model || $model == -* ]]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
shift || true

# The converter of this clone, unless HALCYON names a program that has it as its command `convert`.
converter=("${HALCYON:-}" convert)
if [[ -z ${HALCYON:-} ]]; then
    "$root/Scripts/build" halcyon-convert >&2
    converter=("$root/.build/release/halcyon-convert")
fi

key=()
if [[ $model == *.etlt ]]; then
    key=(-k "${KEY:-tlt_encode}")
fi

# Converted once, beside its places; then each repository gets it by renaming.
work="$(mktemp -d "$here/.converting-XXXXXX")"
trap 'rm -rf "$work"' EXIT
"${converter[@]}" "${key[@]}" -d 3,544,960 -i nchw -t fp16 -b 16 -m 64 -o output_cov/Sigmoid,output_bbox/BiasAdd \
    --environment "$root/.deps/convert" -e "$work/model.xml" "$@" "$model" | grep -v '^written: '

for repository in "$here"/../model_repository_*; do
    version="$repository/peoplenet/1"
    # What was compiled from another model, and the file that names the weights, go before the weights change.
    rm -f "$version/model.blob.json" "$version/model.blob" "$version/model.xml"
    for file in model.bin model.blob model.blob.json model.xml; do
        if [[ -e $work/$file ]]; then
            cp "$work/$file" "$version/$file.partial"
            mv "$version/$file.partial" "$version/$file"
        fi
    done
    echo "placed: $(cd "$version" && pwd)/model.xml"
done
