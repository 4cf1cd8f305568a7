(async () => {
  const main = document.getElementById("main");
  for (;;) {
    try {
      const query = new URLSearchParams({ lang: main.dataset.lang, seen: main.dataset.seen });
      const answer = await fetch("/next?" + query);
      const seen = answer.headers.get("x-seen");
      const html = await answer.text();
      if (answer.ok && seen !== main.dataset.seen) {
        const held = document.activeElement && document.activeElement.closest("form");
        main.innerHTML = html;
        main.dataset.seen = seen;
        if (held) {
          const same = main.querySelector(`form[action="${held.getAttribute("action")}"] button`);
          if (same) same.focus();
        }
      }
    } catch {
      await new Promise((later) => setTimeout(later, 2000));
    }
  }
})();
