// The theme's arrows that unfold part of the navigation have no words: a screen reader needs some.
for (const arrow of document.querySelectorAll("summary:has(> .toctree-toggle)")) {
  const link = arrow.parentElement.parentElement.querySelector("a");
  arrow.setAttribute("aria-label", `pages below ${link ? link.textContent.trim() : "this one"}`);
}
