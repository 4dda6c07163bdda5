import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";
import { causeLines, diagnose } from "./diagnose.ts";
import { notAnswered } from "./model.ts";
import { all, event, healthy, line, node, said, unit } from "./recorded.ts";
import { rules } from "./rules/index.ts";

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

test("evidence that could not be written is not said to be anywhere", () => {
  const failure = { check: "replicas-ready", message: "0 of 2 Pods Ready" };
  const lines = causeLines(schedulerStopped, failure, { ...presentation, folder: undefined });

  expect(lines.at(-1)).toBe("  Evidence: it could not be written; see SMOKE_EVIDENCE");
});

test.for([
  ["a cause", schedulerStopped, "smoke-report/evidence/server.txt"],
  ["none", healthy(), "smoke-report/evidence/"],
] as const)("the file of a check's objects stands behind that of the evidence, with %s", ([_what, evidence, file]) => {
  const lines = causeLines(
    evidence,
    { check: "replicas-ready", message: "0 of 2 Pods Ready" },
    { ...presentation, judge: "replicas-ready" },
  );

  expect(lines.at(-1)).toBe(`  Evidence: ${file}, smoke-report/evidence/replicas-ready.yaml`);
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
  ["not looked at, because `pod-replaced` failed: the Deployment has no ready Pod any more", "logs-recorded"],
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

const checksOfRules = [...new Set(rules.flatMap(({ explains = [] }) => explains))];
const sectionsOf = Object.entries(healthy().hosts).flatMap(([host, answer]) =>
  "sections" in answer ? Object.keys(answer.sections).map((section) => [host, section] as const) : [],
);
const lost = (host: string, section: string) => said(host, section, () => `${notAnswered} within 3 s`);

test("the recorded hosts have answered a lot", () => {
  expect(sectionsOf.length).toBeGreaterThan(40);
});

// For all that anybody knows, nothing is missing there.
test.for(sectionsOf)("what %s has not told of its %s is no cause", ([host, section]) => {
  const evidence = lost(host, section)(healthy());
  const causes = checksOfRules.flatMap((check) => diagnose(evidence, { check, message: "x" })?.finding.what ?? []);

  expect(causes).toEqual([]);
});

test.for([
  [
    "the processes, by which a static Pod would be seen",
    "processes",
    unit("server", "kube-scheduler", "ActiveState=inactive SubState=dead"),
  ],
  ["what stands in for a unit", "stand-ins", unit("server", "kube-scheduler", "ActiveState=inactive SubState=dead")],
  ["the CNI files", "cni-files", node("server", { ready: "Ready is False (KubeletNotReady: cni plugin not initialized)" })],
] as const)("nothing is missed where a host has not told of %s", ([, section, change]) => {
  const evidence = all(change, ...["server", "node-0", "node-1"].map((host) => lost(host, section)))(healthy());

  expect(diagnose(evidence, { check: "replicas-ready", message: "cni plugin not initialized" })?.finding.what).toBeUndefined();
});

test("what a rule quotes becomes one line", () => {
  const evidence = all(
    unit("server", "etcd", "ActiveState=failed SubState=failed"),
    line("server", "journal", "etcd: panic: no\n space"),
  )(healthy());

  expect(causeLines(evidence, { check: "nodes-ready", message: "x" }, presentation)).toHaveLength(5);
});

type SyntaxNode = { type: string } & Readonly<Record<string, unknown>>;

/** Every node at and below a value of the syntax tree. */
function* nodesIn(value: unknown): Generator<SyntaxNode> {
  if (typeof value !== "object" || value === null) return;
  if ("type" in value) yield value as SyntaxNode;
  for (const child of Object.values(value)) yield* nodesIn(child);
}

/** A property of an object that is written down in a file. */
const propertyOf = ({ properties }: SyntaxNode, name: string): SyntaxNode | undefined =>
  (properties as { key?: { name?: string }; value: SyntaxNode }[]).find(({ key }) => key?.name === name)?.value;

/** The cases of all rules, as they stand in the tests: importing those would run them here. */
const folder = join(import.meta.dirname, "rules");
const writtenCases = readdirSync(folder)
  .filter((name) => name.endsWith(".test.ts"))
  .flatMap((name) => [...nodesIn(parseSync(name, readFileSync(join(folder, name), "utf8")).program.body)])
  .filter(({ type }) => type === "ObjectExpression")
  .map((written) => ({
    rule: propertyOf(written, "rule")?.["value"],
    nearMisses: (propertyOf(written, "butNot")?.["elements"] as unknown[] | undefined)?.length ?? 0,
  }));

/** Rules that one function makes of a table: they differ in a name, and share the near misses of one of them. */
const families = [
  /^(?:etcd|containerd|kubelet|kube-(?:apiserver|controller-manager|scheduler|proxy))-not-running$/,
  /^(?:etcd|containerd|kubelet|kube-(?:apiserver|controller-manager|scheduler|proxy))-suspended$/,
  /^(?:deployment|replicaset|serviceaccount|endpointslice)-controller-off$/,
  /^(?:deployment|replicaset|serviceaccount|endpointslice)-controller-forbidden$/,
];
const familyOf = (id: string): readonly string[] => {
  const family = families.find((pattern) => pattern.test(id));
  return family === undefined ? [id] : rules.map((rule) => rule.id).filter((other) => family.test(other));
};

test("the ids of the rules are unique, and each has a case that it must name, and states in which it must not", () => {
  const ids = rules.map(({ id }) => id);
  const named = new Set(writtenCases.map(({ rule }) => rule));
  const kept = new Set(writtenCases.filter(({ nearMisses }) => nearMisses > 0).map(({ rule }) => rule));

  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  expect(
    ids.filter((id) => !named.has(id)),
    "rules without a case",
  ).toEqual([]);
  expect(
    ids.filter((id) => !familyOf(id).some((other) => kept.has(other))),
    "rules without a near miss",
  ).toEqual([]);
});

test("each file of rules has its test beside it, and each test its rules", () => {
  const names = readdirSync(folder).filter((name) => name !== "index.ts");
  const [tests, sources] = [names.filter((name) => name.endsWith(".test.ts")), names.filter((name) => !name.endsWith(".test.ts"))];

  expect(tests).toEqual(sources.map((name) => name.replace(/\.ts$/, ".test.ts")));
});
