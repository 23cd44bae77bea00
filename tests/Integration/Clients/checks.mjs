// Runs named checks one after another and prints one JSON object of how each went: null, or what was wrong.
import { randomUUID } from "node:crypto";

export const [, , baseURL, apiKey, kind, prefix] = process.argv;

const results = {};
let failing = 0;

/** A model that answers as the commands say. */
export const model = (commands = "") => `${prefix}fake${commands && "@" + commands}`;

/** The same for the first request alone; the ones after it are answered plainly. */
export const modelOnce = (commands) => model(`${commands},times=1,marker=${randomUUID()}`);

/** A model at a deployment of its own, which may fail. */
export const failingModel = (commands) => `${prefix}unsound-${++failing}x@${commands}`;

export async function check(name, run) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("It does not end.")), 30_000);
  });
  try {
    await Promise.race([run(), late]);
    results[name] = null;
  } catch (error) {
    results[name] = String(error?.stack ?? error);
  } finally {
    clearTimeout(timer);
  }
}

/** What the script hands on beside the checks. */
export const facts = {};

export async function thrown(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown.");
}

export function report() {
  console.log(JSON.stringify({ results, facts }));
  // What still waits must not keep the process.
  process.exit(0);
}

export const hello = "Hello! How can I assist you today?";

export const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const oslo = "text=%7B%22city%22:%22Oslo%22%7D";

// A picture of one pixel.
export const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";
