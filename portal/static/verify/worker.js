/* The check runs beside the page, so that the page can show how far it is. */

import { decided, verify } from "./verify.js";

let state = null;

self.addEventListener("message", async ({ data }) => {
  if (data.find !== undefined) {
    self.postMessage({ found: state && decided(state, data.find), asked: data.find });
    return;
  }
  try {
    const { steps, ...result } = await verify(new Uint8Array(data.bytes), (step, done, of) => self.postMessage({ step, done, of }));
    state = result.state;
    self.postMessage({ steps, children: state.children.code.length });
  } catch (error) {
    self.postMessage({ error: error.message });
  }
});
