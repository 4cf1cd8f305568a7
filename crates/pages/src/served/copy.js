// An element with data-copy="id" copies the text of that element, and then says its data-done for a moment. Without scripts the
// text is there to be selected.
"use strict";
for (const button of document.querySelectorAll("[data-copy]")) {
  const words = button.textContent;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = words; }, 3000);
    } catch {
      // The text is shown below, where it can be selected.
    }
  });
}
