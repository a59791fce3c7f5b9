// A model's instances as lanes, with what they executed as bars, and above them how many requests waited.

const height = { waiting: 44, lane: 34, axis: 20, gap: 6 };

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// How many requests waited at each change, as steps of time and number.
function waitingSteps(batches, from) {
  const changes = [];
  for (const batch of batches) {
    for (const request of batch.requests) {
      if (batch.start_ns <= from) continue;
      changes.push([request.arrival_ns, 1], [batch.start_ns, -1]);
    }
  }
  changes.sort((left, right) => left[0] - right[0] || left[1] - right[1]);
  let count = 0;
  return changes.map(([time, change]) => [time, (count = Math.max(0, count + change))]);
}

// Draws the last seconds, and says what it drew.
export function drawLanes(canvas, { batches, names, count, now, seconds }) {
  const from = now - seconds * 1e9;
  const shown = batches.filter((batch) => batch.end_ns > from);
  const lanes = Math.max(1, count, ...shown.map((batch) => batch.instance + 1));
  const tall = height.waiting + height.gap + lanes * height.lane + height.axis;
  const wide = canvas.clientWidth || 600;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(wide * scale) || canvas.height !== Math.round(tall * scale)) {
    canvas.width = Math.round(wide * scale);
    canvas.height = Math.round(tall * scale);
    canvas.style.height = `${tall}px`;
  }
  const paper = canvas.getContext("2d");
  paper.setTransform(scale, 0, 0, scale, 0, 0);
  paper.clearRect(0, 0, wide, tall);
  paper.font = "12px system-ui, sans-serif";
  paper.textBaseline = "middle";
  const left = Math.min(130, wide / 4);
  const x = (time) => left + Math.min(1, Math.max(0, (time - from) / (now - from))) * (wide - left - 6);

  paper.fillStyle = color("--quiet");
  paper.fillText("waiting", 6, height.waiting / 2, left - 10);
  const steps = waitingSteps(batches, from);
  const most = Math.max(1, ...steps.map(([, number]) => number));
  const y = (number) => height.waiting - 4 - (number / most) * (height.waiting - 16);
  paper.fillStyle = color("--wait");
  let largest = 0;
  for (let index = 0; index < steps.length; index += 1) {
    const [time, number] = steps[index];
    const end = index + 1 < steps.length ? steps[index + 1][0] : time;
    if (number === 0 || end <= from) continue;
    largest = Math.max(largest, number);
    paper.fillRect(x(time), y(number), Math.max(1, x(end) - x(time)), height.waiting - 4 - y(number));
  }
  if (largest > 0) {
    paper.fillStyle = color("--quiet");
    paper.textAlign = "right";
    paper.fillText(String(most), left - 6, 8);
    paper.textAlign = "left";
  }

  for (let lane = 0; lane < lanes; lane += 1) {
    const top = height.waiting + height.gap + lane * height.lane;
    paper.fillStyle = color("--quiet");
    paper.fillText(names(lane), 6, top + height.lane / 2, left - 12);
    paper.fillStyle = color("--line");
    paper.fillRect(left, top + height.lane - 3, wide - left - 6, 1);
  }
  for (const batch of shown) {
    const top = height.waiting + height.gap + batch.instance * height.lane + 4;
    const start = x(batch.start_ns);
    const width = Math.max(2, x(batch.end_ns) - start - 1);
    paper.fillStyle = color(batch.failed ? "--bad" : "--bar");
    paper.fillRect(start, top, width, height.lane - 10);
    const text = String(batch.size);
    if (width > 8 * text.length + 4) {
      paper.fillStyle = color("--bar-front");
      paper.fillText(text, start + 4, top + (height.lane - 10) / 2);
    }
  }
  paper.fillStyle = color("--quiet");
  paper.fillText(`${seconds} s ago`, left, tall - 9);
  paper.textAlign = "right";
  paper.fillText("now", wide - 6, tall - 9);
  paper.textAlign = "left";
  if (shown.length === 0) return `Nothing was executed in the last ${seconds} s.`;
  const sizes = shown.slice(-8).map((batch) => batch.size).join(", ");
  return `${shown.length} batches in the last ${seconds} s; the sizes of the last: ${sizes}.`;
}
