/**
 * Every check goes red for its faults, names their causes, and is green again afterwards, and legal clusters are green: the whole
 * catalogue, on two labs of its own. Each test waits for its own of what these work off side by side.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { chosenInstance } from "../instance.ts";
import { provables } from "../proof/catalogue.ts";
import { workOff } from "../proof/lanes.ts";
import { greenLab } from "../proof/prove.ts";
import { ownLab } from "./own-lab.ts";

const names = ["selfproof", "selfproof2"];
const owned = names.map((name) => ownLab(chosenInstance({ LAB_NAME: name })));
const outcomes = new Map(provables.map(({ name }) => [name, Promise.withResolvers<readonly string[]>()]));
let working: Promise<unknown> = Promise.resolve();

/** What is wrong with a lab is the outcome of everything that was still to come. */
function stopAll(defect: unknown): void {
  for (const { promise, reject } of outcomes.values()) {
    // Node ends a process in which a rejection is not waited for yet.
    promise.catch(() => undefined);
    reject(defect);
  }
}

beforeAll(async () => {
  for (const { begin } of owned) await begin();
  working = workOff({
    wanted: provables,
    labs: names.map((name) => () => greenLab(name)),
    onProved: ({ name, problems, seconds }) => {
      process.stderr.write(`${problems.length === 0 ? "proved" : "NOT PROVED"} ${name}, ${seconds} s\n`);
      outcomes.get(name)?.resolve(problems);
    },
  }).catch(stopAll);
});
afterAll(async () => {
  await working;
  for (const { end } of owned) await end();
});

test.for(provables)("$name: $state", async ({ name }) => {
  expect(await outcomes.get(name)?.promise).toEqual([]);
});
