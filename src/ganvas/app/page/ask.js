// Questions to the server, each with the token in a header; answers that have gone out of date are dropped.

import { token } from "/state.js";

/** The name of this tab to the server, which draws for each tab only what it asked for last. */
export const tab = Math.random().toString(36).slice(2);

const MOST_PICTURES = 96;
const pictures = new Map();

/** Why a question has no answer, in a sentence for a person. */
export class NoAnswer extends Error {
  constructor(why, status) {
    super(why);
    this.status = status;
  }
}

async function fetched(path, options) {
  let response;
  try {
    response = await fetch(`/api/${path}`, { ...options, headers: { "X-Ganvas-Token": token(), ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new NoAnswer("The studio does not answer. It was closed, or this page's machine is asleep.", 0);
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new NoAnswer(said.error ?? `The studio answers ${response.status}.`, response.status);
}

const query = (path, given) => `${path}?${new URLSearchParams(given)}`;

/** Values that are read. */
export async function ask(path, given = {}, signal = undefined) {
  return (await fetched(query(path, given), { signal })).json();
}

function posted(body, signal) {
  return { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal };
}

/** Values that are worked out from a body, or a change. */
export async function post(path, body = {}, signal = undefined) {
  return (await fetched(path, posted(body, signal))).json();
}

/** A picture that is worked out from a body, as a bitmap. */
export async function drawn(path, body, signal = undefined) {
  return createImageBitmap(await (await fetched(path, posted(body, signal))).blob());
}

/** The address of a picture that never changes; the last ones are kept. */
export function picture(path, given) {
  const key = query(path, given);
  if (!pictures.has(key)) {
    const address = fetched(key, {}).then((response) => response.blob()).then((blob) => URL.createObjectURL(blob));
    address.catch(() => pictures.delete(key));
    pictures.set(key, address);
    for (const [old, kept] of [...pictures].slice(0, Math.max(pictures.size - MOST_PICTURES, 0))) {
      pictures.delete(old);
      kept.then(URL.revokeObjectURL, () => {});
    }
  }
  return pictures.get(key);
}

/** Listens to a run until the signal says no more; asks again where the stream breaks off. */
export async function listen(run, heard, signal) {
  while (!signal.aborted) {
    try {
      const response = await fetched(query("events", { run }), { signal });
      heard("open");
      await readEvents(response.body.pipeThrough(new TextDecoderStream()).getReader(), heard);
    } catch (error) {
      if (signal.aborted) return;
      heard(error.status === 404 ? "gone" : error.status === 401 ? "refused" : "closed", error.message);
      if (error.status === 404 || error.status === 401) return;
    }
    await new Promise((done) => setTimeout(done, 1500));
  }
}

async function readEvents(reader, heard) {
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const kind = /^event: (.*)$/m.exec(part);
      if (kind) heard(kind[1]);
    }
  }
}

/** One question at a time, and of those that wait only the newest: what `work` is called with last is shown last. */
export function latest(work) {
  let busy = false;
  let waiting = null;
  return async function next(...given) {
    if (busy) {
      waiting = given;
      return;
    }
    busy = true;
    try {
      await work(...given);
    } finally {
      busy = false;
      if (waiting) {
        const again = waiting;
        waiting = null;
        next(...again);
      }
    }
  };
}
