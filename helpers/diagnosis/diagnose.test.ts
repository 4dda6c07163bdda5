import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { causeLines, diagnose } from "./diagnose.ts";
import { all, event, healthy, line, unit } from "./recorded.ts";
import { rules } from "./rules.ts";

const presentation = { folder: "smoke-report/evidence", ready: (command: string) => command.replace(/^ssh (\S+)/, "ssh root@$1") };
const schedulerStopped = unit("server", "kube-scheduler", "ActiveState=inactive SubState=dead")(healthy());

test("the cause stands in front, with what shows it, what mends it, the guide's chapter and the file of the evidence", () => {
  const lines = causeLines(schedulerStopped, { check: "replicas-ready", message: "0 of 2 Pods Ready" }, presentation);

  expect(lines).toEqual([
    "Cause: kube-scheduler is not running on server (inactive).",
    "  Seen: server: systemctl show kube-scheduler: ActiveState=inactive SubState=dead",
    "  Mend: ssh root@server systemctl start kube-scheduler",
    "  Guide: 08 Bootstrapping the Kubernetes Control Plane",
    "  Evidence: smoke-report/evidence/server.txt",
  ]);
});

test("where no rule matches it says so, and shows what is nearest", () => {
  const warned = event("node-1", "BackOff", "Back-off restarting")(healthy());

  const lines = causeLines(warned, { check: "secret-read-back", message: "something" }, presentation);

  expect(lines).toEqual([
    expect.stringMatching(
      /^Cause: none of the \d+ known causes matches; nearest evidence: Pod\/nginx-[\w-]+: BackOff, Back-off restarting\.$/,
    ),
    "  Evidence: smoke-report/evidence/",
  ]);
  const [first] = causeLines(healthy(), { check: "secret-read-back", message: "something" }, presentation);
  expect(first).toMatch(/nearest evidence: every unit runs, every Node is Ready, and no Event warns\.$/);
});

test.for([
  ["not looked at, because `replicas-ready` failed: 0 of 2 Pods Ready", "exec-version"],
  ["not looked at, because the Deployment has no ready Pod any more: see `pod-replaced`", "logs-recorded"],
] as const)("what was not looked at has the cause of what kept it from that: %s", ([message, check]) => {
  expect(diagnose(schedulerStopped, { check, message })?.rule.id).toBe("kube-scheduler-not-running");
  expect(diagnose(schedulerStopped, { check, message: "something else" })).toBeUndefined();
});

test("of a unit that is down and what comes of it, the unit is named", () => {
  const evidence = all(
    unit("node-1", "containerd", "ActiveState=inactive SubState=dead"),
    unit("node-1", "kubelet", "ActiveState=inactive SubState=dead"),
    event("node-1", "FailedCreatePodSandBox", "failed to create"),
  )(healthy());

  expect(diagnose(evidence, { check: "replicas-ready", message: "1 of 2 Pods Ready" })?.rule.id).toBe("containerd-not-running");
});

test("where all is well no rule sees anything in the evidence, whichever check fails", () => {
  const checks = [...new Set(rules.flatMap(({ explains = [] }) => explains)), "secret-read-back", "service-ports"];

  const causes = checks.map((check) =>
    diagnose(healthy(), { check, message: "what is wrong: expected [ 'something' ] to deeply equal []" }),
  );

  expect(checks.length).toBeGreaterThan(20);
  expect(causes.flatMap((diagnosis) => diagnosis ?? [])).toEqual([]);
});

test("what a rule quotes becomes one line", () => {
  const evidence = all(
    unit("server", "etcd", "ActiveState=failed SubState=failed"),
    line("server", "journal", "etcd: panic: no\n space"),
  )(healthy());

  expect(causeLines(evidence, { check: "nodes-ready", message: "x" }, presentation)).toHaveLength(5);
});

test("the ids of the rules are unique, and each has a case that it must name, and states in which it must not", () => {
  const ids = rules.map(({ id }) => id);
  const tests = readdirSync(import.meta.dirname).filter((name) => /^rules-.*\.test\.ts$/.test(name));
  const cases = tests.map((name) => readFileSync(join(import.meta.dirname, name), "utf8")).join("\n");

  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  const general = /-(not-running|suspended|off|forbidden|silent)$/;
  expect(ids.filter((id) => !general.test(id) && !cases.includes(`rule: "${id}"`))).toEqual([]);
});
