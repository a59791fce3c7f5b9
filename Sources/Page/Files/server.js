// The way to the server: questions, and the stream of its figures, which rests while nobody looks.

const key = { header: "", value: "" };
let refused = () => {};
let stream = null;
let wanted = null;
let waiting = null;
// How long to wait before the stream is asked for again, in milliseconds: longer after each failure.
const patience = { first: 500, longest: 15000 };
let pause = patience.first;

export function setKey(header, value) {
  key.header = header;
  key.value = value;
}

// Called with what the server says where it wants a key.
export function onRefusal(action) {
  refused = action;
}

export async function request(path, options = {}) {
  const headers = new Headers(options.headers);
  if (key.header) headers.set(key.header, key.value);
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  if (response.ok) return response;
  let message = `the server answers with status ${response.status}`;
  try {
    message = (await response.json()).error ?? message;
  } catch { /* It is no JSON: the status has to do. */ }
  if (response.status === 403) refused(message);
  const error = new Error(message);
  error.status = response.status;
  throw error;
}

export async function ask(path, options) {
  return (await request(path, options)).json();
}

// Opens the stream of figures anew, with the batches of a model where one is given.
export function connect(model, take, told) {
  wanted = { model, take, told };
  pause = patience.first;
  open();
}

function close() {
  clearTimeout(waiting);
  waiting = null;
  stream?.abort();
  stream = null;
}

async function open() {
  close();
  if (!wanted || document.hidden) return;
  const { model, take, told } = wanted;
  const mine = new AbortController();
  stream = mine;
  const query = new URLSearchParams({ interval: model ? "250" : "1000" });
  const path = model
    ? `page/events/${encodeURIComponent(model.name)}/versions/${encodeURIComponent(model.version)}` : "page/events";
  try {
    const response = await request(`${path}?${query}`, { signal: mine.signal });
    told("live");
    pause = patience.first;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      rest += value;
      const events = rest.split("\n\n");
      rest = events.pop();
      for (const event of events) {
        if (event.startsWith("data: ")) take(JSON.parse(event.slice(6)));
      }
    }
    told("the server has ended the connection");
  } catch (error) {
    if (mine.signal.aborted) return;
    told(error.status ? error.message : "the server does not answer");
  }
  if (stream !== mine) return;
  waiting = setTimeout(open, pause);
  pause = Math.min(patience.longest, pause * 2);
}

document.addEventListener("visibilitychange", () => {
  if (!wanted) return;
  if (document.hidden) {
    close();
    wanted.told("at rest while this page is hidden");
  } else {
    pause = patience.first;
    open();
  }
});
