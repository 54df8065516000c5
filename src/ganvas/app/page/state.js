// State of the page: all of it is in the address, so that back, forward, a reload and a second tab find it again.

/** @returns {{screen: string, given: URLSearchParams}} What the address says. */
export function read() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  if (path.startsWith("t=")) return { screen: "runs", given: new URLSearchParams(path) };
  return { screen: path || "runs", given: new URLSearchParams(query) };
}

/** The token, which only the address holds. */
export const token = () => read().given.get("t") ?? "";

/** The address of a screen. */
export function address(screen, given = {}) {
  const query = new URLSearchParams(Object.entries(given).filter(([, value]) => value !== null && value !== ""));
  query.set("t", token());
  return `#/${screen}?${query}`;
}

/** Goes to a screen as a new entry of the browser's history. */
export function go(screen, given = {}) {
  location.hash = address(screen, given);
}

/** Changes a part of the state; it is no new entry of the history, which would be full of a slider's steps. */
export function note(changes) {
  const { screen, given } = read();
  const all = { ...Object.fromEntries(given), ...changes };
  history.replaceState(null, "", address(screen, all));
  dispatchEvent(new Event("noted"));
}
