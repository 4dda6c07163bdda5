import { expect, test } from "vitest";
import type { Lab } from "../faults/fault.ts";
import { workOff } from "./lanes.ts";
import type { Provable } from "./prove.ts";

const labNamed = (name: string): (() => Promise<Lab>) => {
  const lab = { instance: { name } } as Lab;
  return async () => lab;
};
const provable = (name: string, prove: Provable["prove"] = async () => []): Provable => ({ name, state: `${name} is so`, prove });
const unheard = (): void => undefined;

test("everything is proved once, and what is not as it should be is told as soon as it is known", async () => {
  const heard: string[] = [];
  const wanted = [provable("one"), provable("two", async () => ["a check passed"]), provable("three")];

  const done = await workOff({ wanted, labs: [labNamed("a"), labNamed("b")], onProved: ({ name }) => void heard.push(name) });

  expect(done.map(({ name, problems }) => [name, ...problems].join(": ")).toSorted()).toEqual(["one", "three", "two: a check passed"]);
  expect(heard.toSorted()).toEqual(["one", "three", "two"]);
});

test("labs work at the same time, and each takes what the others have not", async () => {
  const { promise: other, resolve: release } = Promise.withResolvers<undefined>();
  const seenBy: Record<string, string> = {};
  const on = (name: string, until?: Promise<unknown>) =>
    provable(name, async ({ instance }) => {
      seenBy[name] = instance.name;
      await until;
      if (name === "quick") release(undefined);
      return [];
    });

  await workOff({ wanted: [on("slow", other), on("quick")], labs: [labNamed("a"), labNamed("b")], onProved: unheard });

  expect(seenBy).toEqual({ slow: "a", quick: "b" });
});

test("a lab with a defect ends it all: the error names fault and lab, and nothing more is begun", async () => {
  const begun: string[] = [];
  const wanted = [
    provable("broken", async () => {
      throw new Error("it does not hold once it is injected");
    }),
    provable("later", async () => {
      begun.push("later");
      return [];
    }),
  ];

  const work = workOff({ wanted, labs: [labNamed("a")], onProved: unheard });

  await expect(work).rejects.toThrow('broken, on the lab "a": it does not hold once it is injected');
  expect(begun).toEqual([]);
});

test("a lab that does not boot is such a defect, too", async () => {
  const boot = async () => {
    throw new Error("no network left");
  };

  await expect(workOff({ wanted: [provable("one")], labs: [boot], onProved: unheard })).rejects.toThrow("no network left");
});
