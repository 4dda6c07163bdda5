import { expect, test } from "vitest";
import { apartFromByHand, ConformanceError, errorOf, InconclusiveError, reasonOf, SettingsError, verdictOf, withByHand } from "./errors.ts";

test.for([
  ["ConformanceError", ConformanceError],
  ["InconclusiveError", InconclusiveError],
] as const)("a %s keeps its name, its cause, and the lines to try by hand", ([name, Kind]) => {
  const cause = new Error("ECONNREFUSED");

  const error = new Kind("node-0 did not answer", { cause, byHand: ["ssh root@node-0", "curl --head http://node-0/"] });

  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name, cause });
  expect(error.message).toBe("node-0 did not answer\nBy hand:\n  ssh root@node-0\n  curl --head http://node-0/");
});

test("without lines to try there is the sentence alone", () => {
  expect(new ConformanceError("wrong").message).toBe("wrong");
  expect(withByHand("wrong", [])).toBe("wrong");
});

test.for([
  ["ConformanceError", new ConformanceError("wrong"), "fail"],
  ["InconclusiveError", new InconclusiveError("not seen"), "inconclusive"],
  ["other error", new TypeError("x is not a function"), "inconclusive"],
  ["string", "gone", "inconclusive"],
] as const)("a %s means the verdict $2", ([_what, thrown, verdict]) => {
  expect(verdictOf(thrown)).toBe(verdict);
});

test("a failure becomes again the error that it was", () => {
  expect(errorOf({ message: "wrong", verdict: "fail" })).toStrictEqual(new ConformanceError("wrong"));
  expect(errorOf({ message: "not seen", verdict: "inconclusive" })).toStrictEqual(new InconclusiveError("not seen"));
});

test("a SettingsError counts its problems, and lists every one", () => {
  const error = new SettingsError(["A is wrong.", "B is missing."]);
  expect(error).toMatchObject({ name: "SettingsError", problems: ["A is wrong.", "B is missing."] });
  expect(error.message).toBe("2 problems in the settings:\n  - A is wrong.\n  - B is missing.");
  expect(new SettingsError(["A is wrong."]).message).toBe("1 problem in the settings:\n  - A is wrong.");
});

const bundled = new AggregateError([new Error("connect ECONNREFUSED ::1:80"), new Error("connect ECONNREFUSED 127.0.0.1:80")]);

test.for([
  ["an error of several lines", new Error("first\nsecond"), "first"],
  [
    "one with a cause",
    new Error("fetch failed", { cause: new Error("connect ECONNREFUSED 127.0.0.1:80") }),
    "fetch failed (connect ECONNREFUSED 127.0.0.1:80)",
  ],
  ["one that quotes its cause", new Error("fetch failed: no route", { cause: new Error("no route") }), "fetch failed: no route"],
  ["one whose cause is no error", new Error("stopped", { cause: "SIGTERM" }), "stopped"],
  ["one that bundles several", bundled, "connect ECONNREFUSED ::1:80, connect ECONNREFUSED 127.0.0.1:80"],
  [
    "one with such a cause",
    new Error("fetch failed", { cause: new AggregateError([new Error("no"), new Error("no")]) }),
    "fetch failed (no)",
  ],
  ["a string", "out of order", "out of order"],
  ["nothing", undefined, "undefined"],
] as const)("the reason of %s", ([_what, thrown, reason]) => {
  expect(reasonOf(thrown)).toBe(reason);
});

test("a message is taken apart as it was put together", () => {
  const lines = ["ssh root@node-0", "curl --head http://node-0/"];

  expect(apartFromByHand(withByHand("node-0 did not answer\nat all", lines))).toEqual({
    sentence: "node-0 did not answer\nat all",
    byHand: lines,
  });
  expect(apartFromByHand("node-0 did not answer")).toEqual({ sentence: "node-0 did not answer", byHand: undefined });
});
