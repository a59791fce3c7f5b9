// A form made from a model's metadata.
import { clear, element } from "./text.js";

// Values that a field is filled with at most; more would be no form.
const most = 4096;

function elementCount(shape) {
  return shape.reduce((product, size) => product * size, 1);
}

export function makeFields(parent, inputs) {
  clear(parent);
  for (const input of inputs) {
    const set = element("fieldset");
    set.dataset.name = input.name;
    set.dataset.type = input.datatype;
    set.append(element("legend", `${input.name}: ${input.datatype} [${input.shape.join(", ")}]`));
    const sizes = element("div", undefined, "controls");
    input.shape.forEach((size, index) => {
      const field = element("input");
      field.type = "number";
      field.min = "0";
      field.name = "size";
      field.value = String(size < 0 ? 1 : size);
      field.readOnly = size >= 0;
      if (size >= 0 && index > 0) field.hidden = true;
      const label = element("label", size < 0 ? `dimension ${index + 1} ` : "");
      label.hidden = size >= 0;
      label.append(field);
      sizes.append(label);
      field.addEventListener("change", () => fill(set, false));
    });
    set.append(sizes);
    const label = element("label", input.datatype === "BYTES" ? "One text a line" : "Values, separated by commas");
    const area = element("textarea");
    area.name = "values";
    area.spellcheck = false;
    label.append(area);
    set.append(label);
    if (input.datatype !== "BYTES") {
      const random = element("button", "Random values");
      random.type = "button";
      random.addEventListener("click", () => fill(set, true));
      const buttons = element("div", undefined, "controls");
      buttons.append(random);
      set.append(buttons);
    }
    parent.append(set);
    fill(set, false);
  }
}

function shapeOf(set) {
  return [...set.querySelectorAll("[name=size]")].map((field) => Number(field.value));
}

function fill(set, isRandom) {
  const count = elementCount(shapeOf(set));
  const area = set.querySelector("textarea");
  if (count > most) {
    area.value = "";
    area.placeholder = `${count.toLocaleString("en")} values: left empty, they are all zero`;
    return;
  }
  area.placeholder = "";
  const type = set.dataset.type;
  if (type === "BYTES") {
    area.value = Array.from({ length: count }, () => "text").join("\n");
    return;
  }
  const value = () => {
    if (!isRandom) return type === "BOOL" ? "false" : "0";
    if (type === "BOOL") return String(Math.random() < 0.5);
    return type.startsWith("FP") || type === "BF16" ? Math.random().toFixed(3) : String(Math.floor(Math.random() * 100));
  };
  area.value = Array.from({ length: count }, value).join(", ");
}

function valueOf(text, type, name) {
  if (type === "BOOL") {
    if (text === "true" || text === "1") return true;
    if (text === "false" || text === "0") return false;
    throw new Error(`${name}: a value is true or false, got "${text}"`);
  }
  const value = Number(text);
  if (text === "" || !Number.isFinite(value)) throw new Error(`${name}: "${text}" is no number`);
  return value;
}

// The inputs of a request, or an error in words.
export function readFields(parent) {
  return [...parent.querySelectorAll("fieldset")].map((set) => {
    const { name, type } = set.dataset;
    const shape = shapeOf(set);
    const count = elementCount(shape);
    const text = set.querySelector("textarea").value;
    let data;
    if (type === "BYTES") {
      data = count === 0 ? [] : text.split("\n").slice(0, Math.max(1, text.split("\n").length));
    } else if (text.trim() === "") {
      data = Array(count).fill(type === "BOOL" ? false : 0);
    } else {
      data = text.split(/[\s,]+/).filter((each) => each !== "").map((each) => valueOf(each, type, name));
    }
    if (data.length !== count) throw new Error(`${name}: the shape has ${count} values, ${data.length} were given`);
    return { name, datatype: type, shape, data };
  });
}
