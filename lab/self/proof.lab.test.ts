/**
 * Every check goes red for a fault and is green again afterwards, on a lab of its own: those few faults of the catalogue that together
 * redden all checks. `npm run proof` goes through the whole of it.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Lab } from "../faults/fault.ts";
import { faults } from "../faults/index.ts";
import { chosenInstance } from "../instance.ts";
import { coveringFaults } from "../proof/covering.ts";
import { bootedLab } from "../proof/lab.ts";
import { provableFault } from "../proof/prove.ts";
import { ownLab } from "./own-lab.ts";

const name = "selfproof";
const { begin, end } = ownLab(chosenInstance({ LAB_NAME: name }));
let lab: Lab;

beforeAll(async () => {
  await begin();
  lab = await bootedLab(name);
});
afterAll(end);

test.for(coveringFaults(faults).map(provableFault))(
  "$name is seen by exactly its checks, for its reason and with its cause, and all are green again",
  async ({ prove }) => {
    expect(await prove(lab)).toEqual([]);
  },
);
