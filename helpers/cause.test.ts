import { expect, test } from "vitest";
import { apartFromCause, linesOf, type Cause } from "./cause.ts";

const cause: Cause = {
  what: "kube-scheduler is not running on server (inactive).",
  details: { Seen: "server: kube-scheduler: dead", Mend: "ssh server systemctl start kube-scheduler" },
};

test("a cause is read from a message as it was written", () => {
  const message = [...linesOf(cause), "0 of 2 Pods Ready", "  and more: indented"].join("\n");

  expect(message).toMatch(/^Cause: kube-scheduler .*\n {2}Seen: server: .*\n {2}Mend: ssh .*\n0 of 2/);
  expect(apartFromCause(message)).toEqual({ cause, rest: "0 of 2 Pods Ready\n  and more: indented" });
  expect(apartFromCause(linesOf(cause).join("\n"))).toEqual({ cause, rest: "" });
});

test("what is no cause is the check's own message", () => {
  expect(apartFromCause("0 of 2 Pods Ready\nCause: none")).toEqual({ cause: undefined, rest: "0 of 2 Pods Ready\nCause: none" });
});
