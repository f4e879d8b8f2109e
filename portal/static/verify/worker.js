/* The check runs beside the page, so that the page can show how far it is and still be scrolled. */

import { decided } from "./family.js";
import { verify } from "./verify.js";

let done = null, newest = 0;

class Overtaken extends Error {}

async function check(blob, job) {
  done = null;
  let told = 0;
  const say = (step, so, of) => {
    if (job !== newest) throw new Overtaken();
    if (so && so < of && performance.now() - told < 100) return;
    told = performance.now();
    self.postMessage({ job, step, done: so, of });
  };
  try {
    const began = performance.now();
    const { state, ticket, ...found } = await verify(blob, say);
    done = { state, ticket };
    self.postMessage({ job, ...found, children: ticket.length, seconds: (performance.now() - began) / 1000 });
  } catch (error) {
    if (!(error instanceof Overtaken)) self.postMessage({ job, error: error.word || "bad_unknown_error", values: error.values || { what: String(error) } });
  }
}

self.addEventListener("message", ({ data }) => {
  if (data.find !== undefined) self.postMessage({ found: done && decided(done.state, done.ticket, data.find), asked: data.find });
  else check(data.blob, (newest = data.job));
});
