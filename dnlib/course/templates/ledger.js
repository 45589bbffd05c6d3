const table = document.querySelector(".ledger"), body = table.tBodies[0], rows = [...body.rows];
const filter = document.querySelector(".filter"), said = filter.querySelector("[role=status]");

function show() {
  const wanted = Object.fromEntries(new FormData(filter)), text = wanted.text.trim().toLowerCase();
  for (const row of rows) {
    const fits = ["source", "chapter", "verdict"].every(name => !wanted[name] || wanted[name] === row.dataset[name]);
    row.hidden = !(fits && (row.id + " " + row.textContent).toLowerCase().includes(text));
  }
  said.textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length} claims`;
}

function order(first, second, sign) {  // numbers before texts; what has no key comes last, whichever way
  if (first === "" || second === "") return (first === "") - (second === "");
  return sign * (isNaN(first) || isNaN(second) ? first.localeCompare(second) : first - second);
}

function sort(head, column) {
  const sign = head.ariaSort === "ascending" ? -1 : 1;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  const key = row => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
  body.append(...rows.sort((one, other) => order(key(one), key(other), sign)));
}

[...table.tHead.rows[0].cells].forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  button.onclick = () => sort(head, column);
  head.append(button);
});
filter.oninput = show;
filter.onreset = () => setTimeout(show);
filter.onsubmit = event => event.preventDefault();
filter.hidden = false;
window.onhashchange = () => {  // a link to a claim that is filtered out
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (row?.hidden) { filter.reset(); setTimeout(() => row.scrollIntoView()); }
};
show();
