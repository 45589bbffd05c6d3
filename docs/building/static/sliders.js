// Interactive views drawn beforehand: moving a control shows its picture, and sets the other controls back to their start.
for (const figure of document.querySelectorAll("figure.states")) {
  const image = figure.querySelector("img");
  const controls = [...figure.querySelectorAll("[data-pictures]")];
  const pictures = (control) => JSON.parse(control.dataset.pictures);
  const say = (control) => {
    const { said } = pictures(control)[control.value];
    if (control.nextElementSibling?.tagName === "OUTPUT") control.nextElementSibling.value = said;
    if (control.type === "range") control.setAttribute("aria-valuetext", said);
  };
  const show = (moved) => {
    for (const control of controls) {
      if (control !== moved) control.value = control.dataset.start;
      say(control);
    }
    const { src, alt, width } = pictures(moved)[moved.value];
    Object.assign(image, { src, alt, width });
  };
  for (const control of controls) {
    control.value = control.dataset.start; // browsers remember where it stood
    say(control);
    control.addEventListener("input", () => show(control));
    control.addEventListener("pointerenter", () => pictures(control).forEach(({ src }) => (new Image().src = src)), { once: true });
  }
}
