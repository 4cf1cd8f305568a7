// Keys of the till. Digits, Enter, F2 F3 F4; Esc never cancels money. Every key presses a button that is on the page, so
// the page works without this file.
"use strict";
(() => {
  const amount = document.getElementById("amount");
  const fits = (text) => /^\d{0,8}(\.\d{0,2})?$/.test(text);
  const type = (key) => {
    const text = key === "back" ? amount.value.slice(0, -1) : amount.value + key;
    if (fits(text)) amount.value = text;
  };
  if (amount) {
    for (const key of document.querySelectorAll("#pad button[name=key]")) {
      key.addEventListener("click", (event) => { event.preventDefault(); type(key.value); });
    }
  }
  document.addEventListener("keydown", (event) => {
    const pressed = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (pressed) { event.preventDefault(); pressed.click(); return; }
    const typing = event.target.closest("input,select,textarea,button,summary,a");
    if (!amount || typing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (/^[0-9.]$/.test(event.key)) type(event.key);
    else if (event.key === "Backspace") type("back");
    else if (event.key === "Enter") document.getElementById("pad").requestSubmit();
    else return;
    event.preventDefault();
  });
  // A double click on a form that was sent sends nothing; the server would take it once all the same.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });
  const waiting = document.querySelector("[data-reload]");
  if (waiting) setTimeout(() => location.reload(), Number(waiting.dataset.reload));
})();
