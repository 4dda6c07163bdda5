/**
 * For tests: evidence of a real cluster in which all is well, as a run has written it down, and the same with something changed.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { diagnose } from "./diagnose.ts";
import type { APIEvidence, Evidence, HostEvidence } from "./model.ts";
import { redact } from "../redaction/redact.ts";

const folder = join(import.meta.dirname, "recorded");

/** The sections of a file of evidence, by their headings. */
const sectionsIn = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("\n")), section.slice(section.indexOf("\n") + 1).trim()]),
  );

function readAPI(text: string): APIEvidence {
  const { readyz = "", ...parts } = sectionsIn(text);
  const entries = Object.entries(parts).map(([name, lines]): [string, unknown] => {
    const values = lines
      .split("\n")
      .filter(Boolean)
      .map((each): unknown => JSON.parse(each));
    return [name, ["server", "clientCertificate", "service"].includes(name) ? values[0] : values];
  });
  return { ...(Object.fromEntries(entries) as Omit<APIEvidence, "readyz">), readyz };
}

/** Of a lab that is as it should be, while a run is at work. */
export function healthy(): Evidence {
  const hosts = readdirSync(folder)
    .filter((name) => name !== "api.txt")
    .map((name): [string, HostEvidence] => [name.replace(".txt", ""), { sections: sectionsIn(readFileSync(join(folder, name), "utf8")) }]);
  return {
    given: {
      namespace: "smoke-1",
      contextName: "kubernetes-the-hard-way",
      userName: "admin",
      server: "server",
      workers: ["node-0", "node-1"],
      image: "nginx:latest",
      encryption: { provider: "aescbc", keyName: "key1", configurationPath: "/root/encryption-config.yaml" },
      podCIDRs: {},
      serviceCIDRs: [],
      tolerations: [],
    },
    api: readAPI(readFileSync(join(folder, "api.txt"), "utf8")),
    hosts: Object.fromEntries(hosts),
  };
}

/** Evidence, changed. */
export type Change = (evidence: Evidence) => Evidence;

/** A section of a host reads otherwise. */
export const said =
  (host: string, section: string, change: (text: string) => string): Change =>
  (evidence) => {
    const found = evidence.hosts[host];
    const sections = found !== undefined && "sections" in found ? found.sections : {};
    return { ...evidence, hosts: { ...evidence.hosts, [host]: { sections: { ...sections, [section]: change(sections[section] ?? "") } } } };
  };

/** A section of a host has a line more. */
export const line = (host: string, section: string, more: string): Change => said(host, section, (text) => `${text}\n${more}`);

/** A unit of a host is in another state, in which it has no process. */
export const unit = (host: string, name: string, state: string): Change =>
  all(
    said(host, "units", (text) =>
      text.replace(new RegExp(`^(.*Id=${name}\\.service .*)ActiveState=active SubState=running`, "m"), `$1${state}`),
    ),
    ...["processes", "flags"].map((section) => said(host, section, (text) => text.replace(new RegExp(`^${name} .*\n?`, "gm"), ""))),
  );

/** The API says something else. */
export const api =
  (change: (evidence: APIEvidence) => Partial<APIEvidence>): Change =>
  (evidence) => ({ ...evidence, api: { ...evidence.api, ...change(evidence.api) } });

/** Each of the run's Pods is otherwise. */
export const pods = (change: Partial<APIEvidence["pods"][number]>): Change =>
  api((seen) => ({ pods: seen.pods.map((pod) => ({ ...pod, ...change })) }));

/** A Node is otherwise. */
export const node = (name: string, change: Partial<APIEvidence["nodes"][number]>): Change =>
  api((seen) => ({ nodes: seen.nodes.map((one) => (one.name === name ? { ...one, ...change } : one)) }));

/** An Event about the Pod on a Node. */
export const event = (nodeName: string, reason: string, message: string): Change =>
  api((seen) => ({
    events: [...seen.events, { object: `Pod/${seen.pods.find((pod) => pod.nodeName === nodeName)?.name}`, reason, message }],
  }));

/** Several changes, one after the other. */
export const all =
  (...changes: readonly Change[]): Change =>
  (evidence) =>
    changes.reduce((changed, change) => change(changed), evidence);

/** What a check says that does not know why. */
const wrong = "what is wrong: expected [ 'something' ] to deeply equal []";

/** A state in which a rule has to name the cause. `butNot` are states that look like it, and in which it must not. */
export type Case = {
  rule: string;
  check: string;
  message?: string;
  change?: Change;
  cause: RegExp;
  butNot?: readonly Partial<Pick<Case, "check" | "message" | "change">>[];
};

const same: Change = (evidence) => evidence;

/** What hosts have said, as it is kept. */
const filtered = (hosts: Evidence["hosts"]): Evidence["hosts"] =>
  Object.fromEntries(
    Object.entries(hosts).map(([host, answer]): [string, HostEvidence] => {
      if ("unreachable" in answer) return [host, { unreachable: redact(answer.unreachable) }];
      return [host, { sections: Object.fromEntries(Object.entries(answer.sections).map(([name, text]) => [name, redact(text)])) }];
    }),
  );

/** A command that can be pasted: in one pair of quotes, or without a sentence in it. What is to be said besides stands behind a `#`. */
const pasteable = /^(?:ssh \S+|kubectl) (?:'[^']*'|(?!')(?:(?![;,?] |  # ).)*)(?:  # .*)?$/;

/**
 * The rule that names the cause, and the cause. No rule may need what the filter takes out.
 * @throws where what mends it begins like a command, and goes on as none
 */
export function causeOf({ check, message = wrong, change = same }: Pick<Case, "check" | "message" | "change">): {
  rule: string;
  cause: string;
} {
  const evidence = change(healthy());
  const diagnosis = diagnose({ ...evidence, hosts: filtered(evidence.hosts) }, { check, message: redact(message) });
  const { mend = "" } = diagnosis?.finding ?? {};
  if (/^(?:ssh|kubectl) /.test(mend) && !pasteable.test(mend)) throw new Error(`${diagnosis?.rule.id}: this cannot be pasted: ${mend}`);
  return { rule: diagnosis?.rule.id ?? "none", cause: diagnosis?.finding.what ?? "" };
}

/** The rules that name the cause where this one must not: where all is well, and in the states that only look like it. */
export const lookalikes = ({ check, butNot = [] }: Case): string[] => [
  causeOf({ check }).rule,
  ...butNot.map((other) => causeOf({ check, ...other }).rule),
];
