// What a reader's eye sees of the axial view, noted in the page itself: when each picture was decoded, and what it
// showed. Read by reader.py; nothing here touches the workspace.
(() => {
  const SIDE = 192;  // pixels: averaging hides what JPEG does, not what the sliders do
  const CHANGED = 2;  // gray values RMS: more than between two JPEG qualities of one picture
  const WATCH_MS = 30;
  const ASK_MS = 5;
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";

  const probe = { moved: 0, since: [], keeping: null, count: 0, latest: null, changedAt: 0, calmAt: 0, ends: {}, texts: new Set(), shares: new Set() };
  window.benchProbe = probe;

  const frameOf = (element) => {
    for (let up = element; up; up = up.parentElement) {
      const name = up.querySelector(":scope .view-name");
      if (name) return name.textContent.trim() === "Axial" ? up : null;
    }
    return null;
  };

  const grayOf = (image) => {
    pen.drawImage(image, 0, 0, SIDE, SIDE);
    const { data } = pen.getImageData(0, 0, SIDE, SIDE);
    const gray = new Uint8Array(SIDE * SIDE);
    for (let n = 0; n < gray.length; n++) gray[n] = 0.299 * data[4 * n] + 0.587 * data[4 * n + 1] + 0.114 * data[4 * n + 2];
    return gray;
  };

  const rms = (a, b) => {
    let sum = 0;
    for (let n = 0; n < a.length; n++) sum += (a[n] - b[n]) ** 2;
    return Math.sqrt(sum / a.length);
  };

  document.addEventListener("load", async (event) => {
    const image = event.target;
    if (!(image instanceof HTMLImageElement) || !frameOf(image)) return;
    try { await image.decode(); } catch { return; }  // the next picture took its place
    const at = performance.now();
    const gray = grayOf(image);
    if (!probe.latest || rms(gray, probe.latest) > CHANGED) probe.changedAt = at;
    probe.latest = gray;
    probe.count += 1;
    probe.since.push({ at, place: probe.place(gray) });
    if (probe.keeping) probe.keeping.push({ at: performance.timeOrigin + at, gray });
  }, true);

  window.addEventListener("mousemove", (event) => { probe.moved = event.timeStamp; probe.since = []; probe.calmAt = 0; }, true);

  setInterval(() => {
    const image = document.querySelector("#stage img");
    const frame = image && frameOf(image);
    const stale = !frame || frame.querySelector(".view-note");
    if (stale) probe.calmAt = 0;
    else if (!probe.calmAt) probe.calmAt = performance.now();
    const words = document.querySelector("#run-state")?.textContent.trim();
    const bar = document.querySelector("#section-lesion .v-progress-linear__determinate");
    if (words && bar) { probe.texts.add(words); probe.shares.add(bar.style.width); }
  }, WATCH_MS);

  // Where a picture lies between those of a slider's two ends: 0 at the low one, 1 at the high one.
  probe.place = (gray) => {
    const { low, high } = probe.ends;
    if (!low || !high) return null;
    let along = 0, length = 0;
    for (let n = 0; n < gray.length; n++) {
      const step = high[n] - low[n];
      along += (gray[n] - low[n]) * step;
      length += step * step;
    }
    return length ? along / length : null;
  };

  probe.keep = () => { probe.keeping = []; };
  probe.kept = () => {
    const pictures = (probe.keeping || []).map(({ at, gray }) => [at, btoa(String.fromCharCode(...gray))]);
    probe.keeping = null;
    return pictures;
  };
  probe.forget = () => { probe.ends = {}; };
  probe.mark = (end) => { probe.ends[end] = probe.latest; };
  probe.reach = () => (probe.ends.low && probe.ends.high ? rms(probe.ends.low, probe.ends.high) : 0);
  probe.now = () => performance.timeOrigin + performance.now();
  probe.calm = () => ({
    notStale_ms: probe.calmAt ? performance.now() - probe.calmAt : 0,
    unchanged_ms: probe.latest ? performance.now() - probe.changedAt : 0,
    bright: probe.latest ? probe.latest.reduce((sum, value) => sum + value, 0) / probe.latest.length : 0,
  });

  // The longest wait for an answer, in ms: one question after the other, each when the one before was answered.
  probe.ask = () => {
    const asked = { longest: 0, going: true };
    const go = async () => {
      while (asked.going) {
        const at = performance.now();
        await window.trame.trigger("at_rest");
        asked.longest = Math.max(asked.longest, performance.now() - at);
        await new Promise((soon) => setTimeout(soon, ASK_MS));
      }
    };
    asked.ended = go();
    probe.asked = asked;
  };
  probe.answered = async () => {
    probe.asked.going = false;
    await probe.asked.ended;
    return probe.asked.longest;
  };

  // Whether a picture came since the last move.
  probe.any = (timeout_ms) => new Promise((answer) => {
    const until = performance.now() + timeout_ms;
    const look = () => {
      if (probe.since.length || performance.now() > until) answer(probe.since.length > 0);
      else setTimeout(look, 4);
    };
    look();
  });

  // The first picture since the last move whose place is `least` beyond `from`, to the other side when negative; null
  // when none came in time.
  probe.next = (from, least, timeout_ms) => new Promise((answer) => {
    const until = performance.now() + timeout_ms;
    const beyond = ({ place }) => place !== null && (place - from) * Math.sign(least) >= Math.abs(least);
    const look = () => {
      const found = probe.since.find(beyond);
      if (found) answer({ ms: found.at - probe.moved, place: found.place });
      else if (performance.now() > until) answer(null);
      else setTimeout(look, 4);
    };
    look();
  });
})();
