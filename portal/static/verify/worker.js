/* The check runs beside the page, so that the page can show how far it is and still be scrolled. */

import { decided } from "./family.js";
import { readOpening } from "./opening.js";
import { verify } from "./verify.js";

let done = null, newest = 0;

class Overtaken extends Error {}

/* Tells the page how far a job is, ten times a second at most; a newer job ends it. */
function teller(job) {
  let told = 0;
  return (step, so, of) => {
    if (job !== newest) throw new Overtaken();
    if (so && so < of && performance.now() - told < 100) return;
    told = performance.now();
    self.postMessage({ job, step, done: so, of });
  };
}

async function check(blob, job) {
  done = null;
  try {
    const began = performance.now();
    const { state, ticket, open, compare, ...found } = await verify(blob, teller(job));
    done = { state, ticket, open, compare };
    self.postMessage({ job, ...found, isPublic: Boolean(open), compares: Boolean(compare), seconds: (performance.now() - began) / 1000 });
  } catch (error) {
    if (!(error instanceof Overtaken)) self.postMessage({ job, error: error.word || "bad_unknown_error", values: error.values || { what: String(error) } });
  }
}

/* A family's own file against the public one that was checked last. It is read here and goes nowhere. */
async function checkOpening(blob) {
  try {
    if (!done?.open) self.postMessage({ opened: { error: "opening_wants_public" } });
    else self.postMessage({ opened: done.open(readOpening(new Uint8Array(await blob.arrayBuffer()))) });
  } catch (error) {
    self.postMessage({ opened: { error: error.word || "bad_unknown_error", values: error.values || { what: String(error) } } });
  }
}

/* The public file of the same result, written again from the full one that was checked last. */
async function comparePublic(blob, job) {
  try {
    const steps = await done.compare(blob, teller(job));
    self.postMessage({ job, compared: { steps } });
  } catch (error) {
    if (!(error instanceof Overtaken)) self.postMessage({ job, compared: { error: error.word || "bad_unknown_error", values: error.values || { what: String(error) } } });
  }
}

self.addEventListener("message", ({ data }) => {
  if (data.opening) checkOpening(data.opening);
  else if (data.against) comparePublic(data.against, newest);
  else if (data.find !== undefined) self.postMessage({ found: done?.state ? decided(done.state, done.ticket, data.find) : null, asked: data.find });
  else check(data.blob, (newest = data.job));
});
