// The page: what the server says of itself, live. Everything that comes from the server is text, and only ever put
// where text goes.
import { connect, ask, onRefusal, setKey } from "./server.js";
import { drawLanes } from "./lanes.js";
import { byId, clear, duration, element, figure, place, row } from "./text.js";
import { TryOut } from "./tryout.js";

const state = { states: [], live: new Map(), batches: [], instances: [], selected: null };
const tryOut = new TryOut();

const reasons = {
  unbatched: "each request runs by itself",
  full: "it was full",
  preferred_size: "it had a preferred size, or could reach none any more",
  delay_expired: "the oldest had waited as long as max_queue_delay allows",
  latency_budget: "its requests would not have kept their latency budget otherwise",
  instance_free: "an instance was free, and these were all that waited",
  shape_boundary: "the others that waited had other shapes",
  strategy: "the model's own batching did not let the next request in",
  draining: "the model was being stopped",
};

// The address of a model's own view: #/NAME/VERSION, with both encoded.
function selection() {
  const parts = location.hash.split("/");
  if (parts.length !== 3 || parts[0] !== "#") return null;
  try {
    return { name: decodeURIComponent(parts[1]), version: decodeURIComponent(parts[2]) };
  } catch {
    return null;
  }
}

function address(model) {
  return `#/${encodeURIComponent(model.name)}/${encodeURIComponent(model.version)}`;
}

function keyOf(model) {
  return JSON.stringify([model.name, model.version]);
}

// MARK: Overview

function isReady(model) {
  return model.state === "READY";
}

// Those of the repositories, and those that serve and are in none.
function models() {
  const all = new Map(state.states.map((model) => [keyOf(model), model]));
  for (const [key, live] of state.live) {
    if (!all.has(key)) all.set(key, { name: live.name, version: live.version, state: "READY", reason: "" });
  }
  return [...all.values()];
}

function showOverview() {
  const rows = models().map((model) => {
    const live = state.live.get(keyOf(model));
    const name = element("td", undefined, "name");
    if (model.version) {
      const link = element("a", model.name);
      link.href = address(model);
      name.append(link, ` ${model.version}`);
    } else {
      name.append(model.name);
    }
    const word = model.state ? model.state.toLowerCase() : "not loaded";
    const cell = element("td", word, `state ${isReady(model) ? "ready" : model.reason ? "failed" : ""}`);
    if (model.reason && model.reason !== "unloaded") cell.append(element("div", model.reason, "quiet"));
    const numbers = live
      ? [figure(live.rate), duration(live.p50), duration(live.p99), figure(live.waiting),
        `${live.busy} of ${live.instances}`, figure(live.meanBatch)]
      : ["", "", "", "", "", ""];
    return row([name, cell, ...numbers.map((text) => element("td", text, "number"))], keyOf(model));
  });
  place(byId("models").tBodies[0], rows);
  byId("none").hidden = rows.length > 0;
}

// MARK: One model

function showFigures(live) {
  const list = byId("figures");
  const pairs = [
    ["Requests/s", figure(live.rate)], ["p50", duration(live.p50)], ["p99", duration(live.p99)],
    ["Waiting", figure(live.waiting)], ["Busy", `${live.busy} of ${live.instances}`],
    ["Mean batch", figure(live.meanBatch)], ["Errors", figure(live.failures)],
  ];
  if (list.children.length !== pairs.length) {
    clear(list);
    for (const [name] of pairs) {
      const box = element("div");
      box.append(element("dt", name), element("dd"));
      list.append(box);
    }
  }
  pairs.forEach(([, value], index) => {
    list.children[index].lastChild.textContent = value || "–";
  });
}

function showBars(table, pairs) {
  const most = Math.max(1, ...pairs.map(([, count]) => count));
  place(table.tBodies[0], pairs.map(([name, count]) => {
    const bar = element("progress");
    bar.max = most;
    bar.value = count;
    bar.setAttribute("aria-label", `${name}: ${count}`);
    const last = element("td");
    last.append(bar);
    return row([element("td", name), element("td", figure(count), "number"), last]);
  }));
}

function why(batch) {
  let text = reasons[batch.reason] ?? batch.reason;
  if (batch.left_waiting > 0) text += `; ${batch.left_waiting} went on waiting`;
  if (batch.failed) text += "; it failed";
  return text;
}

function instanceName(index) {
  return state.instances[index] || `instance ${index}`;
}

function showBatches() {
  const rows = state.batches.slice(-20).reverse().map((batch) => {
    const waits = batch.requests.map((request) => (batch.start_ns - request.arrival_ns) / 1000);
    const [least, most] = [duration(Math.min(...waits)), duration(Math.max(...waits))];
    const waited = waits.length === 0 ? "" : least === most ? most : `${least} to ${most}`;
    return row([
      element("td", String(batch.number), "number"), element("td", instanceName(batch.instance)),
      element("td", String(batch.size), "number"), element("td", waited, "number"),
      element("td", duration((batch.end_ns - batch.start_ns) / 1000), "number"), element("td", why(batch), "why"),
    ], String(batch.number));
  });
  place(byId("batches").tBodies[0], rows);
}

function showLanes(now) {
  if (byId("hold").checked) return;
  const text = drawLanes(byId("lanes"), {
    batches: state.batches, names: (index) => instanceName(index), count: state.instanceCount ?? 1, now,
    seconds: Number(byId("span").value),
  });
  byId("lanes-text").textContent = text;
}

function showModel() {
  const { name, version } = state.selected;
  const known = models().find((model) => model.name === name && model.version === version);
  const live = state.live.get(keyOf(state.selected));
  byId("model-title").textContent = `${name}, version ${version}`;
  const reason = byId("reason");
  reason.hidden = !known || isReady(known);
  reason.textContent = known && !isReady(known) ? `${known.state || "not loaded"}: ${known.reason}` : "";
  if (!live) return;
  showFigures(live);
  const isEnsemble = live.steps.length > 0;
  byId("batching").hidden = isEnsemble || !live.keeps;
  const steps = byId("steps");
  if (steps.hidden === isEnsemble) {
    clear(steps);
    steps.hidden = !isEnsemble;
    steps.append("Its steps have batches of their own: ");
    live.steps.forEach((step, index) => {
      const target = models().find((model) => model.name === step && model.version);
      const link = element(target ? "a" : "span", step);
      if (target) link.href = address(target);
      steps.append(index > 0 ? ", " : "", link);
    });
  }
  if (isEnsemble) return;
  showBars(byId("sizes"), live.sizes.map(([size, count]) => [String(size), count]));
  showBars(byId("reasons"), live.reasons.map(([word, count]) => [reasons[word] ?? word, count]));
}

function select() {
  const before = state.selected && keyOf(state.selected);
  state.selected = selection();
  const after = state.selected && keyOf(state.selected);
  byId("overview").hidden = state.selected !== null;
  byId("model").hidden = state.selected === null;
  document.title = state.selected ? `${state.selected.name} – Halcyon` : "Halcyon";
  if (before === after) return;
  state.batches = [];
  state.instances = [];
  clear(byId("figures"));
  byId("steps").hidden = true;
  byId("batching").hidden = true;
  for (const table of ["sizes", "reasons", "batches"]) place(byId(table).tBodies[0], []);
  if (state.selected) {
    showModel();
    tryOut.open(state.selected);
  } else {
    tryOut.close();
    showOverview();
  }
  connect(state.selected, take, told);
}

// MARK: What comes

// A moment's figures; rates are those since the moment before.
function take(event) {
  const before = state.live;
  state.live = new Map();
  for (const model of event.models) {
    const key = keyOf(model);
    const last = before.get(key);
    const seconds = last ? (event.now_ns - last.now) / 1e9 : 0;
    const since = (name) => Math.max(0, model[name] - last[name]);
    state.live.set(key, {
      ...model, now: event.now_ns,
      rate: seconds > 0 ? since("requests") / seconds : 0,
      meanBatch: last && since("executions") > 0 ? since("inferences") / since("executions") : last?.meanBatch ?? 0,
    });
  }
  if (event.recording) {
    const recording = event.recording;
    state.instances = recording.instances;
    state.instanceCount = recording.instance_count;
    if (recording.batches.length > 0) {
      state.batches = state.batches.concat(recording.batches).slice(-2000);
      showBatches();
    }
  }
  if (state.selected) {
    showModel();
    showLanes(event.now_ns);
  } else {
    showOverview();
  }
}

function told(text) {
  byId("connection").textContent = text;
}

async function lookAtRepository() {
  if (!document.hidden) {
    try {
      const answer = await ask("v2/repository/index", { method: "POST" });
      state.states = answer.map((model) => ({
        name: model.name, version: model.version ?? "", state: model.state ?? "", reason: model.reason ?? "",
      }));
      if (state.selected) showModel(); else showOverview();
    } catch { /* What serves is in the figures all the same. */ }
  }
  setTimeout(lookAtRepository, 3000);
}

onRefusal((message) => {
  byId("key").hidden = false;
  byId("notice").hidden = false;
  byId("notice").textContent = message;
});

byId("key").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  setKey(String(form.get("header")), String(form.get("value")));
  event.target.reset();
  byId("key").hidden = true;
  byId("notice").hidden = true;
  connect(state.selected, take, told);
});

addEventListener("hashchange", () => {
  select();
  byId("main").focus();
});

ask("v2").then((server) => {
  byId("server").textContent = `${server.name} ${server.version}`;
}, () => {});
byId("overview").hidden = false;
state.selected = { name: "", version: "" };
select();
lookAtRepository();
