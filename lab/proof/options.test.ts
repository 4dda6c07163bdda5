import { expect, test } from "vitest";
import { isWhole, optionsIn } from "./options.ts";

const known = ["kube-proxy-stopped", "etcd-stopped"];

test("without parameters all of it is proved, on three labs", () => {
  expect(optionsIn([], known)).toEqual({ names: [], changed: false, labs: 3 });
});

test("names choose, and so does --changed", () => {
  expect(optionsIn(["etcd-stopped", "--labs", "1"], known)).toEqual({ names: ["etcd-stopped"], changed: false, labs: 1 });
  expect(optionsIn(["--changed"], known)).toEqual({ names: [], changed: true, labs: 3 });
});

test("a run is whole when nothing was chosen", () => {
  const runs = [[], ["--labs", "1"], ["etcd-stopped"], [...known], ["--changed"]];
  expect(runs.map((parameters) => isWhole(optionsIn(parameters, known)))).toEqual([true, true, false, false, false]);
});

test("everything that is wrong is said at once", () => {
  const parse = () => optionsIn(["etcd", "--labs", "none", "--changed"], known);

  expect(parse).toThrow(
    /3 problems.*"etcd" is not in the catalogue.*--labs none: expected a number from 1 to 8.*--changed chooses by itself/s,
  );
});

test.for([["--lab"], ["--labs", "0"], ["--labs", "9"]])("%j is refused", (parameters) => {
  expect(() => optionsIn(parameters, known)).toThrow(/1 problem in the settings/);
});
