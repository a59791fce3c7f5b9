// Models that take pictures: how a picture becomes a request, and an answer boxes.

const shown = 0.4;

// How a model wants a picture, from its metadata; null where it takes none.
export function planOf(metadata) {
  if (metadata.inputs.length !== 1) return null;
  const input = metadata.inputs[0];
  const outputs = metadata.outputs.map((output) => output.name);
  const dims = input.shape.slice(-3);
  if (input.datatype === "BYTES") {
    const isPicture = metadata.platform === "image_preprocessing" || (outputs.includes("boxes") && outputs.includes("scores"));
    return isPicture ? { body: (picture) => encodedBody(input, picture) } : null;
  }
  const isLast = dims.length === 3 && dims[2] === 3 && dims[0] > 15 && dims[1] > 15;
  const isFirst = dims.length === 3 && dims[0] === 3 && dims[1] > 15 && dims[2] > 15;
  if (!["UINT8", "FP32"].includes(input.datatype) || !(isLast || isFirst)) return null;
  return { body: (picture) => pixelBody(input, picture, isLast) };
}

function isBatched(input, rank) {
  return input.shape.length > rank;
}

// The file as it is, behind its length.
function encodedBody(input, { bytes }) {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length, true);
  const shape = input.shape.map(() => 1);
  return {
    json: { inputs: [{ name: input.name, datatype: "BYTES", shape, parameters: { binary_data_size: bytes.length + 4 } }] },
    binary: [length, bytes],
  };
}

// The picture's pixels, as large as the model wants them.
function pixelBody(input, { bitmap }, isLast) {
  const dims = input.shape.slice(-3);
  const [height, width] = isLast ? dims : dims.slice(1);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const paper = canvas.getContext("2d", { willReadFrequently: true });
  paper.drawImage(bitmap, 0, 0, width, height);
  const { data } = paper.getImageData(0, 0, width, height);
  const isWhole = input.datatype === "UINT8";
  const values = isWhole ? new Uint8Array(width * height * 3) : new Float32Array(width * height * 3);
  const pixels = width * height;
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const value = data[pixel * 4 + channel];
      values[isLast ? pixel * 3 + channel : channel * pixels + pixel] = isWhole ? value : value / 255;
    }
  }
  const shape = isBatched(input, 3) ? [1, ...dims] : dims;
  return {
    json: {
      inputs: [{ name: input.name, datatype: input.datatype, shape, parameters: { binary_data_size: values.byteLength } }],
    },
    binary: [values],
  };
}

// What an answer says was found, in the picture's own pixels; null where it does not speak of boxes.
export function findings(answer, bitmap) {
  const output = (...names) => (answer.outputs ?? []).find((each) => names.includes(each.name));
  const scores = output("scores", "detection_scores")?.data;
  const boxes = output("boxes")?.data;
  const relative = output("detection_boxes")?.data;
  if (!scores || !(boxes || relative)) return null;
  const labels = output("labels")?.data;
  const classes = output("classes", "detection_classes")?.data;
  const count = output("count", "num_detections")?.data[0] ?? scores.length;
  const found = [];
  for (let index = 0; index < Math.min(count, scores.length); index += 1) {
    if (scores[index] < shown) continue;
    const corner = boxes
      ? boxes.slice(index * 4, index * 4 + 4)
      : [1, 0, 3, 2].map((place) => relative[index * 4 + place] * (place % 2 ? bitmap.width : bitmap.height));
    const label = labels?.[index] ?? (classes ? `class ${classes[index]}` : "object");
    found.push({ corner, score: scores[index], label: String(label) });
  }
  return found;
}

// The picture with boxes around what was found.
export function drawBoxes(canvas, bitmap, boxes) {
  const scale = Math.min(1, 1024 / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  const paper = canvas.getContext("2d");
  paper.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  paper.lineWidth = 3;
  paper.font = "bold 14px system-ui, sans-serif";
  paper.textBaseline = "top";
  for (const { corner, score, label } of boxes) {
    const [left, top, right, bottom] = corner.map((value) => value * scale);
    paper.strokeStyle = "#19c37d";
    paper.strokeRect(left, top, right - left, bottom - top);
    const text = `${label} ${score.toFixed(2)}`.slice(0, 60);
    const width = paper.measureText(text).width + 8;
    paper.fillStyle = "#19c37d";
    paper.fillRect(left, Math.max(0, top - 20), width, 20);
    paper.fillStyle = "#06261a";
    paper.fillText(text, left + 4, Math.max(0, top - 20) + 3);
  }
}
