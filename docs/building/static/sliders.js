// Interactive views drawn beforehand: moving a control shows its picture. Where no picture was drawn for the others as they
// stand, these are set back to their start.
for (const figure of document.querySelectorAll("figure.states")) {
  const image = figure.querySelector("img");
  const controls = [...figure.querySelectorAll("[data-start]")];
  const pictures = JSON.parse(figure.dataset.pictures); // by the positions of all controls
  const shown = () => pictures[controls.map(({ value }) => value).join("-")];
  const say = (control) => {
    if (control.type !== "range") return;
    const said = control.dataset.said.split(" ")[control.value];
    control.nextElementSibling.value = said;
    control.setAttribute("aria-valuetext", said);
  };
  for (const control of controls) {
    control.value = control.dataset.start; // browsers remember where it stood
    say(control);
    control.addEventListener("input", () => {
      if (!shown()) controls.filter((other) => other !== control).forEach((other) => (other.value = other.dataset.start));
      controls.forEach(say);
      Object.assign(image, shown());
    });
  }
  const load = () => Object.values(pictures).forEach(({ src }) => (new Image().src = src));
  figure.querySelector(".knobs").addEventListener("pointerenter", load, { once: true });
}
