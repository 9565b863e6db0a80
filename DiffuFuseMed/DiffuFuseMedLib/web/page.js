// Keys of the reading workspace, and files from the reader's machine. Everything else is in the templates.
(() => {
  if (window.diffufusemed) return;
  const trigger = (name, args = []) => window.trame.trigger(name, args);
  const typing = (target) =>
    target.closest("input:not([type=range], [type=checkbox], [type=file]), textarea, [contenteditable], .v-overlay__content .v-list");
  const dialog = () => document.querySelector(".v-dialog.v-overlay--active");
  const plain = { n: "next", p: "previous", a: "accept", s: "skip", r: "run", b: "toggle_before", u: "toggle_uncertainty", w: "drag_windows", h: "help", Escape: "lay_down",
    1: "outline_1", 2: "outline_2", 3: "outline_3", 4: "outline_4", 0: "none_of_these" };
  // An outline is shown, or was asked for and the server is about to show it.
  let outlined = 0;
  const ghost = () => (window.trame.state.get("s_choice") ?? null) !== null || Date.now() - outlined < 2000;

  // Enter presses what the keyboard reached last; an outline that is shown, by its key or its button, is taken by it.
  const pressed = (target) => target.closest?.("button:not(.choice.shown), a, summary, [role=button], [role=combobox], [tabindex='0']");
  const isOutline = (action) => action.startsWith("outline_");

  function actionOf(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") return event.shiftKey ? "redo" : "undo";
      return { y: "redo", s: "save_scene" }[key];
    }
    if (event.altKey) return null;
    if (key === "Enter") return ghost() && !pressed(event.target) ? "take" : null;
    return plain[key] || (key === "?" ? "help" : null);
  }

  document.addEventListener("keydown", (event) => {
    const action = actionOf(event);
    if (!action || event.repeat) return;
    // Nobody types Esc, and a browser's own Ctrl+S would offer to save the page.
    const number = event.target instanceof Element && event.target.matches("input[type=number]");
    const typed = action !== "save_scene" && !(action === "lay_down" && number);
    if (typed && event.target instanceof Element && typing(event.target)) return;
    const asked = dialog(); // answered first: nobody sees what a key does behind it
    if (asked && !(action === "help" && asked.querySelector(".keys"))) {
      if (action === "save_scene") event.preventDefault();
      return;
    }
    event.preventDefault();
    if (isOutline(action)) {
      outlined = Date.now();
      document.activeElement?.blur(); // so that Enter takes it, and presses no button behind it
    } else if (action !== "save_scene") outlined = 0;
    trigger("key", [action]);
  });

  // Files: [file, its path in what was chosen or dropped].
  const chosen = (list) => [...list].map((file) => [file, file.webkitRelativePath || file.name]);

  async function within(entry) {
    if (entry.isFile) return [[await new Promise((done, failed) => entry.file(done, failed)), entry.fullPath.slice(1)]];
    const reader = entry.createReader(), found = [];
    for (;;) { // gives a hundred at a time
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) break;
      found.push(...some);
    }
    return (await Promise.all(found.map(within))).flat();
  }

  // The entries have to be taken at once: the drop's data is gone after the event.
  async function dropped(transfer, purpose) {
    const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry());
    try {
      send((await Promise.all(entries.filter(Boolean).map(within))).flat(), purpose);
    } catch {
      trigger("upload_failed", ["What was dropped cannot be read here: choose the files with the button instead."]);
    }
  }

  const isScene = ([file]) => file.name.toLowerCase().endsWith(".mrb");

  function send(files, purpose) {
    if (!files.length) return trigger("upload_failed", ["There is no file in what you chose: choose images or a folder with images."]);
    const say = (words) => window.trame.state.set("uploading", words);
    const form = new FormData();
    for (const [file, path] of files) form.append("files", file, path);
    say(`sending ${files.length} file${files.length > 1 ? "s" : ""}`);
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) say(`sending ${Math.round((100 * event.loaded) / event.total)} %`);
    };
    request.upload.onload = () => say("sent, being unpacked");
    request.onloadend = () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { answer = {}; }
      say("");
      if (answer.id) trigger("uploaded", [answer.id, files.every(isScene) ? "scene" : purpose]);
      else trigger("upload_failed", [answer.error || "The files did not arrive: the connection was lost; send them again."]);
    };
    request.open("POST", "/upload");
    request.send(form);
  }

  const upload = (list, purpose) => { if (list.length) send(chosen(list), purpose); };

  // Files may be dropped anywhere: elsewhere a browser would leave the page for the file.
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (on) => document.body.classList.toggle("dragging", on);
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) mark(false); });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(false);
    dropped(event.dataTransfer, "case");
  });

  function download(url) {
    const link = document.createElement("a");
    link.href = url;
    link.download = "";
    document.body.append(link);
    link.click();
    link.remove();
  }

  const reveal = (id) => document.getElementById(id)?.scrollIntoView({ block: "nearest" });

  // The tour at the first visit of this browser; its state is on the server, so wait until the page is connected.
  const SEEN = "diffufusemed-tour-seen";
  const whenReady = (action) => (document.querySelector("#panel") ? action() : setTimeout(() => whenReady(action), 300));
  if (!localStorage.getItem(SEEN)) whenReady(() => { localStorage.setItem(SEEN, "1"); trigger("key", ["tour"]); });

  // trame keeps a value back until the one before was answered, but no event: a button pressed right after a drag would
  // come before the drag's last value. Connections keep the order, so what is kept back goes first.
  function sendValues({ client, state }) {
    const keys = [...state.dirtyKeys].filter((key) => ["holding", "threshold"].includes(key) || key.startsWith("p_"));
    if (!keys.length || !client.isConnected()) return;
    for (const key of keys) state.dirtyKeys.delete(key);
    const changes = keys.map((key) => ({ key, value: state.get(key) }));
    client.getRemote().Trame.updateState(changes).catch(() => state.dirty(...keys));
  }

  // A page that is being left has closed its connection: what moves in it to the end would be errors on the console.
  let leaving = false;
  addEventListener("beforeunload", () => { leaving = true; });

  function valuesFirst(trame) {
    const send = trame.trigger;
    trame.trigger = async (...event) => {
      await new Promise((done) => setTimeout(done)); // what the same click has set is on its way by then
      if (leaving) return;
      sendValues(trame);
      return send.apply(trame, event);
    };
  }
  whenReady(() => valuesFirst(window.trame));

  // Apply says at once that it was heard, however busy the server is, and cannot be pressed a second time until then.
  async function apply() {
    window.trame.state.set("asked_to_apply", true);
    try { await trigger("key", ["apply"]); } finally { window.trame.state.set("asked_to_apply", false); }
  }

  window.diffufusemed = { upload, download, reveal, apply };
})();
