"""A TensorFlow Lite file without TensorFlow: `brighter` = `image` + [1, 2, 3], written table by table."""

import flatbuffers
import numpy as np

FLOAT32, ADD, ADD_OPTIONS = 0, 0, 11


class _Writer:
    """Flatbuffers are written from the inside out; each method gives the place of what it wrote."""

    def __init__(self):
        self.builder = flatbuffers.Builder(1024)

    def table(self, **slots):
        """`slots`: `place_N=` another table, string or vector, `int_N=`, `byte_N=` for a number, in field N."""
        builder = self.builder
        builder.StartObject(1 + max((int(key.rsplit("_")[1]) for key in slots), default=0))
        for key, value in slots.items():
            kind, field = key.split("_")
            if kind == "place":
                builder.PrependUOffsetTRelativeSlot(int(field), value, 0)
            elif kind == "int":
                builder.PrependInt32Slot(int(field), value, 0)
            else:
                builder.PrependUint8Slot(int(field), value, 0)
        return builder.EndObject()

    def tables(self, places):
        self.builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self.builder.PrependUOffsetTRelative(place)
        return self.builder.EndVector()

    def numbers(self, values):
        return self.builder.CreateNumpyVector(np.asarray(values, np.int32))

    def tensor(self, name, shape, buffer):
        return self.table(
            place_0=self.numbers(shape), byte_1=FLOAT32, int_2=buffer, place_3=self.builder.CreateString(name)
        )


def addition(path, shape=(1, 8, 8, 3)):
    write = _Writer()
    data = write.builder.CreateNumpyVector(np.float32([1, 2, 3]).view(np.uint8))
    buffers = write.tables([write.table(), write.table(place_0=data)])
    tensors = write.tables(
        [write.tensor("image", shape, 0), write.tensor("amount", [3], 1), write.tensor("brighter", shape, 0)]
    )
    operator = write.table(
        int_0=0, place_1=write.numbers([0, 1]), place_2=write.numbers([2]), byte_3=ADD_OPTIONS, place_4=write.table()
    )
    graph = write.table(
        place_0=tensors, place_1=write.numbers([0]), place_2=write.numbers([2]), place_3=write.tables([operator])
    )
    code = write.table(byte_0=ADD, int_2=1, int_3=ADD)
    model = write.table(int_0=3, place_1=write.tables([code]), place_2=write.tables([graph]), place_4=buffers)
    write.builder.Finish(model, b"TFL3")
    path.write_bytes(bytes(write.builder.Output()))
    return path
