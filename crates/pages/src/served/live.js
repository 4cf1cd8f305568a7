// Keeps a page live: elements with data-live="URL" follow a stream of server-sent events whose data is their new HTML, made by
// the server; each event's name is the id of the element it replaces. data-due counts down. Without scripts, reload the page.
"use strict";
(() => {
  const root = document.querySelector("[data-live]");
  if (root) {
    const stream = new EventSource(root.dataset.live);
    const offline = document.getElementById("offline");
    stream.onopen = () => { if (offline) offline.hidden = true; };
    stream.onerror = () => { if (offline) offline.hidden = false; };
    stream.onmessage = (event) => {
      const parts = JSON.parse(event.data);
      for (const [id, html] of Object.entries(parts)) {
        const part = document.getElementById(id);
        if (part && part.innerHTML !== html && !part.contains(document.activeElement)) part.innerHTML = html;
      }
    };
  }
  setInterval(() => {
    for (const time of document.querySelectorAll("[data-due]")) {
      const left = Math.ceil((Number(time.dataset.due) - Date.now()) / 1000);
      if (left >= 0 && left < 3600) time.textContent = left + " s";
    }
  }, 250);
})();
