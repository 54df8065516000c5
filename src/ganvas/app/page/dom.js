// Elements of the page. Text enters as text; only pieces that the server has made are markup.

/** An element with attributes, listeners (`onclick`) and children. */
export function h(name, given = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Puts markup of the server's making into an element. */
export function put(element, markup) {
  element.innerHTML = markup;
}

/** A sentence for the person, read out by screen readers. */
export function say(text, isBad = false) {
  const status = document.getElementById("status");
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle("bad", isBad);
}

/** Tells why something failed; what was broken off or overtaken is no failure. */
export function failed(error) {
  if (error.name !== "AbortError" && error.status !== 409) say(error.message, true);
}

/** Steps of the arrow keys, to the right and downwards. */
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** What is shown in the place of something that cannot be: why, and a command that would do. */
export function empty(why, command = "") {
  return h("div", { class: "empty" }, h("p", {}, why), command ? h("pre", { class: "command" }, command) : null);
}

/** A labelled control: the label stands around it. */
export function labelled(text, control) {
  return h("label", { class: "field" }, h("span", {}, text), control);
}

/** Draws a bitmap onto a canvas of its size. */
export function show(canvas, bitmap) {
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
}

/** Gives the person a file. */
export function download(name, content) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: "application/json" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
