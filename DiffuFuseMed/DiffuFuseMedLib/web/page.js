// Keys of the reading workspace, and files from the reader's machine. Everything else is in the templates.
(() => {
  if (window.diffufusemed) return;
  const trigger = (name, args = []) => window.trame.trigger(name, args);
  const typing = (target) => target.closest("input:not([type=range]):not([type=checkbox]), textarea, [contenteditable], .v-overlay__content .v-list");
  const plain = { n: "next", p: "previous", a: "accept", s: "skip", r: "run", b: "toggle_before", u: "toggle_uncertainty", h: "help", Escape: "lay_down" };

  document.addEventListener("keydown", (event) => {
    if (event.target instanceof Element && typing(event.target)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const control = event.ctrlKey || event.metaKey;
    let action = null;
    if (control && key === "z") action = event.shiftKey ? "undo_edit" : "undo";
    else if (control && key === "y") action = "redo";
    else if (control && key === "s") action = "save_scene";
    else if (!control && !event.altKey) action = plain[key] || (key === "?" ? "help" : null);
    if (!action || event.repeat) return;
    event.preventDefault();
    trigger("key", [action]);
  });

  async function upload(list, purpose) {
    const state = window.trame.state;
    const files = [...list];
    if (!files.length) return;
    const form = new FormData();
    for (const file of files) form.append("files", file, file.webkitRelativePath || file.name);
    state.set("uploading", `sending ${files.length} file${files.length > 1 ? "s" : ""}`);
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) state.set("uploading", `sending ${Math.round((100 * event.loaded) / event.total)} %`);
    };
    request.onloadend = () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { answer = {}; }
      state.set("uploading", "");
      if (answer.id) trigger("uploaded", [answer.id, purpose]);
      else trigger("upload_failed", [answer.error || "The files did not arrive: the connection was lost; send them again."]);
    };
    request.open("POST", "/upload");
    request.send(form);
  }

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

  window.diffufusemed = { upload, download, reveal };
})();
