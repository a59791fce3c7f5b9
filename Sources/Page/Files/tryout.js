// Try a model: a picture for one that takes pictures, a form for any other; up to 16 requests at once.
import { ask, request } from "./server.js";
import { byId, clear, duration, element } from "./text.js";
import { drawBoxes, findings, planOf } from "./pictures.js";
import { makeFields, readFields } from "./fields.js";

export class TryOut {
  constructor() {
    this.plan = null;
    this.picture = null;
    const [file, drop] = [byId("file"), byId("drop")];
    file.addEventListener("change", () => file.files[0] && this.#take(file.files[0]));
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.add("over");
      });
    }
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      const dropped = event.dataTransfer.files[0];
      if (dropped) this.#take(dropped);
    });
    byId("camera").addEventListener("click", () => this.#camera());
    byId("shot").addEventListener("click", () => this.#shot());
    byId("count").addEventListener("input", () => {
      byId("many").textContent = byId("count").value;
    });
    byId("try").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  close() {
    this.#stopCamera();
    this.model = null;
    this.plan = null;
  }

  async open(model) {
    this.close();
    this.model = model;
    this.picture = null;
    byId("file").value = "";
    for (const id of ["picture", "inputs", "result", "answer"]) byId(id).hidden = true;
    clear(byId("found"));
    this.#say("");
    byId("send").disabled = true;
    try {
      const metadata = await ask(this.#path("v2"));
      if (this.model !== model) return;
      this.metadata = metadata;
      this.plan = planOf(metadata);
      byId("picture").hidden = !this.plan;
      byId("inputs").hidden = Boolean(this.plan);
      if (!this.plan) makeFields(byId("inputs"), metadata.inputs);
      byId("send").disabled = Boolean(this.plan);
    } catch (error) {
      this.#say(error.message);
    }
  }

  #path(root) {
    return `${root}/models/${encodeURIComponent(this.model.name)}/versions/${encodeURIComponent(this.model.version)}`;
  }

  #say(text) {
    byId("outcome").textContent = text;
  }

  // MARK: Pictures

  async #take(file) {
    this.#say("");
    clear(byId("found"));
    byId("answer").hidden = true;
    try {
      const bitmap = await createImageBitmap(file);
      this.picture = { bitmap, bytes: new Uint8Array(await file.arrayBuffer()) };
      drawBoxes(byId("result"), bitmap, []);
      byId("result").hidden = false;
      byId("send").disabled = false;
    } catch {
      this.picture = null;
      byId("send").disabled = true;
      this.#say(`"${file.name}" is no picture that this browser can read: choose a JPEG or PNG file`);
    }
  }

  async #camera() {
    if (this.stream) return this.#stopCamera();
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      const video = byId("video");
      video.srcObject = this.stream;
      await video.play();
      video.hidden = false;
      byId("shot").hidden = false;
      byId("camera").textContent = "Stop the camera";
    } catch (error) {
      this.#stopCamera();
      this.#say(navigator.mediaDevices
        ? `the camera can't be used: ${error.message}`
        : "browsers let a page use the camera over https, or on the machine itself: open http://localhost here");
    }
  }

  #stopCamera() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    byId("video").srcObject = null;
    byId("video").hidden = true;
    byId("shot").hidden = true;
    byId("camera").textContent = "Use the camera";
  }

  #shot() {
    const video = byId("video");
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => blob && this.#take(new File([blob], "camera.jpg")), "image/jpeg", 0.92);
  }

  // MARK: Sending

  async #send() {
    if (!this.model || (this.plan && !this.picture)) return;
    const count = Number(byId("count").value);
    const send = byId("send");
    send.disabled = true;
    this.#say(count === 1 ? "sending" : `sending ${count} requests at once`);
    clear(byId("found"));
    byId("answer").hidden = true;
    try {
      const body = this.plan ? this.plan.body(this.picture) : { json: { inputs: readFields(byId("inputs")) } };
      const answer = await this.#post(body, count);
      this.#show(answer);
    } catch (error) {
      this.#say(error.message);
    }
    send.disabled = false;
  }

  async #post({ json, binary }, count) {
    const head = new TextEncoder().encode(JSON.stringify(json));
    const headers = { "Content-Type": binary ? "application/octet-stream" : "application/json" };
    if (binary) headers["Inference-Header-Content-Length"] = String(head.length);
    const body = binary ? new Blob([head, ...binary]) : head;
    const response = await request(`${this.#path("page")}/infer?requests=${count}`, { method: "POST", headers, body });
    return response.json();
  }

  #show({ answer, requests }) {
    const times = requests.map((each) => each.microseconds).sort((left, right) => left - right);
    const errors = requests.filter((each) => each.error);
    let text = times.length === 1
      ? `answered in ${duration(times[0])}`
      : `${times.length} answers: the first after ${duration(times[0])}, the last after ${duration(times.at(-1))}`;
    if (errors.length > 0) text += `; ${errors.length} failed: ${errors[0].error}`;
    this.#say(text);
    if (!answer) return;
    const boxes = this.plan ? findings(answer, this.picture.bitmap) : null;
    if (boxes) {
      drawBoxes(byId("result"), this.picture.bitmap, boxes);
      for (const box of boxes) {
        byId("found").append(element("li", `${box.label} ${box.score.toFixed(2)}`));
      }
      if (boxes.length === 0) byId("found").append(element("li", "nothing was found"));
      return;
    }
    byId("answer").textContent = (answer.outputs ?? []).map((output) => {
      const values = output.data.slice(0, 200).map(String).join(", ");
      return `${output.name} ${output.datatype} [${output.shape.join(", ")}]\n${values}${output.data.length > 200 ? ", …" : ""}`;
    }).join("\n\n");
    byId("answer").hidden = false;
  }
}
