import { expect, test } from "vitest";
import { judgeIn, notLookedAt } from "./not-looked-at.ts";

test("what is said is read again, all lines of it", () => {
  const error = notLookedAt("replicas-ready", "0 of 2 Pods Ready\nBy hand:\n  kubectl get pods", new Error("why"));
  expect(error).toMatchObject({ name: "InconclusiveError", cause: { message: "why" } });
  expect(judgeIn(error.message)).toEqual({ judge: "replicas-ready", reason: "0 of 2 Pods Ready\nBy hand:\n  kubectl get pods" });
});

test("the message of a check that looked names no judge, even where it quotes one", () => {
  expect(judgeIn("node-0: broken; not looked at, because `replicas-ready` failed: 0 of 2")).toBeUndefined();
});
