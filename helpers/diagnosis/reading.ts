/**
 * How rules read evidence: by host and section, line by line.
 */
import { normaliseAddress } from "../cidr.ts";
import { cniConfigurationOf, type CNIConfiguration } from "../cni-configuration.ts";
import { replicas } from "../workload.ts";
import { notAnswered, type APIEvidence, type Evidence, type Finding, type LeaseEvidence, type PodEvidence } from "./model.ts";
import { standsInFor } from "./stand-ins.ts";

/** What a host printed for a section, or that it has not answered; nothing where it was not asked. */
export function section({ hosts }: Evidence, host: string, name: string): string {
  const found = hosts[host];
  return found !== undefined && "sections" in found ? (found.sections[name] ?? "") : "";
}

/** Whether a host has printed a section. Who makes something of what is missing from it has to know. */
export function hasAnswered(evidence: Evidence, host: string, ...names: readonly string[]): boolean {
  return names.every((name) => !section(evidence, host, name).startsWith(notAnswered));
}

/** What a host printed for a section, line by line, without those that are empty. */
export function linesOf(evidence: Evidence, host: string, name: string): string[] {
  if (!hasAnswered(evidence, host, name)) return [];
  return section(evidence, host, name)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** What stands at the end of a section of which a host had more to say. */
export const cutShort = "... and more";

/** Hosts that have answered. */
export const hostsOf = ({ hosts }: Evidence): string[] => Object.keys(hosts).filter((name) => "sections" in (hosts[name] ?? {}));

/** Hosts that have answered and are Nodes: they run a kubelet, or the API says so. */
export function workersOf(evidence: Evidence): string[] {
  const named = new Set([...evidence.given.workers, ...evidence.api.nodes.map(({ name }) => name)]);
  return hostsOf(evidence).filter((host) => named.has(host));
}

/** What the first host says of which `look` makes something. */
export function firstOf(hosts: readonly string[], look: (host: string) => Finding | undefined): Finding | undefined {
  for (const host of hosts) {
    const finding = look(host);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** What is made of the first line of a section that matches, on the first host that has one. */
export const lineOnFirst = (
  evidence: Evidence,
  { hosts, name, matches }: { hosts: readonly string[]; name: string; matches: (line: string) => boolean },
  tell: (host: string, line: string) => Finding,
): Finding | undefined =>
  firstOf(hosts, (host) => {
    const line = linesOf(evidence, host, name).find(matches);
    return line === undefined ? undefined : tell(host, line);
  });

/** The Pods that count: those that have not ended and are not on their way out. */
export const livePods = ({ pods }: APIEvidence): readonly PodEvidence[] =>
  pods.filter(({ phase, isTerminating }) => !isTerminating && phase !== "Failed" && phase !== "Succeeded");

/** Whether there are fewer Pods than the Deployment is to have. */
export const lacksPods = ({ api }: Evidence): boolean => livePods(api).length < replicas;

type Unit = { name: string; load: string; active: string; sub: string; pid: string; line: string };

/** The units of a host that are installed there. */
function unitsOf(evidence: Evidence, host: string): Unit[] {
  return linesOf(evidence, host, "units").map((line) => {
    const property = (name: string): string => new RegExp(`\\b${name}=(\\S*)`).exec(line)?.[1] ?? "";
    const name = property("Id").replace(/\.service$/, "");
    const [load, active, sub, pid] = [property("LoadState"), property("ActiveState"), property("SubState"), property("MainPID")];
    return { name, load, active, sub, pid, line };
  });
}

const ofControlPlane = new Set(["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]);

/** Where a unit is looked for: those of the control plane on `server` first, and the others there last. */
export const hostsFor = (evidence: Evidence, unit: string): string[] => {
  const isLast = (host: string): boolean => (host === evidence.given.server) !== ofControlPlane.has(unit);
  return hostsOf(evidence).toSorted((one, other) => Number(isLast(one)) - Number(isLast(other)));
};

/** Units of a host that are missed: they do not run though they may, and nothing else does their part. */
export const missedUnitsOf = (evidence: Evidence, host: string): Unit[] =>
  unitsOf(evidence, host).filter(
    ({ name, load, active, pid }) =>
      active !== "active" &&
      load !== "masked" &&
      hasAnswered(evidence, host, "processes", "stand-ins") &&
      !hasProcessBesides(evidence, host, name, pid) &&
      !linesOf(evidence, host, "stand-ins").some((process) => standsInFor(name, process)) &&
      !runsElsewhere(evidence, host, name),
  );

/** Whether a program runs by other means than its unit, as in a static Pod. A process that has ended meanwhile has no state any more. */
const hasProcessBesides = (evidence: Evidence, host: string, name: string, pidOfUnit: string): boolean =>
  linesOf(evidence, host, "processes").some((line) => {
    const [process, pid, state = "Z"] = line.split(" ");
    return process === name && pid !== pidOfUnit && !["X", "Z"].includes(state);
  });

/** Whether another host does the part of a unit of the control plane: one that was left behind on a Node is not missed. */
const runsElsewhere = (evidence: Evidence, host: string, name: string): boolean =>
  ofControlPlane.has(name) && hostsOf(evidence).some((other) => other !== host && hasProcessBesides(evidence, other, name, ""));

/** The last line of a unit's journal that tells of an error, else of its end. */
export function lastComplaint(evidence: Evidence, host: string, unit: string): string | undefined {
  const journal = linesOf(evidence, host, "journal").filter((line) => line.startsWith(`${unit}: `));
  return journal.findLast((line) => /: [EF]\d{4} |\b(error|fatal|panic|failed)\b/i.test(line)) ?? journal.at(-1);
}

/**
 * A flag of a process on a host, as its command line has it; undefined where it does not run, or runs without. Of several the last one
 * counts, and one without a value is empty.
 */
export function flagOf(evidence: Evidence, host: string, process: string, flag: string): string | undefined {
  const prefix = `${process} --${flag}`;
  return linesOf(evidence, host, "flags")
    .findLast((line) => line === prefix || line.startsWith(`${prefix}=`) || line.startsWith(`${prefix} `))
    ?.slice(prefix.length + 1);
}

/** Whether a flag of yes or no says yes: without a value it does. https://pkg.go.dev/strconv#ParseBool */
export const isOn = (evidence: Evidence, host: string, process: string, flag: string): boolean =>
  ["", "1", "t", "true"].includes(flagOf(evidence, host, process, flag)?.toLowerCase() ?? "false");

/** Whether a process runs on a host, by its command line. */
export const runsOn = (evidence: Evidence, host: string, process: string): boolean =>
  linesOf(evidence, host, "flags").some((line) => line.startsWith(`${process} `));

/** The CNI files of a host, in the order of their names. */
export const cniFilesOf = (evidence: Evidence, host: string): { path: string; text: string }[] =>
  linesOf(evidence, host, "cni-files").map((line) => {
    const [path = ""] = line.split(" ", 1);
    return { path, text: line.slice(path.length + 1) };
  });

/** The CNI configuration of a host; undefined where it has none, or one that is not valid. */
export function cniOf(evidence: Evidence, host: string): CNIConfiguration | undefined {
  try {
    return cniConfigurationOf(cniFilesOf(evidence, host));
  } catch {
    return undefined;
  }
}

/** How much longer a Lease was not renewed than the others: a clock that is wrong makes all of them old. */
export const secondsBehindOthers = ({ api }: Evidence, { secondsSinceRenewal }: LeaseEvidence): number =>
  secondsSinceRenewal - Math.min(...api.leases.map((lease) => lease.secondsSinceRenewal));

/** The first line of a text, as far as anybody reads. */
export const firstLine = (text: string): string => shortened(text.split("\n", 1)[0] ?? "");

/**
 * A line, cut where it is longer than anybody reads.
 * @param at what in it matters; of a long line, that is shown, with a little of what stands before it
 */
export function shortened(line: string, at = 0, length = 240): string {
  if (line.length <= length) return line;
  const from = at < length / 2 ? 0 : at - length / 4;
  return `${from > 0 ? "…" : ""}${line.slice(from, from + length)}${from + length < line.length ? "…" : ""}`;
}

/** The address of a Node, by the API, else empty. */
export const addressOfNode = ({ api }: Evidence, name: string): string => api.nodes.find((node) => node.name === name)?.internalIP ?? "";

/** The addresses of a host, each with the interface that has it. */
export const addressesOn = (evidence: Evidence, host: string): { device: string; address: string; line: string }[] =>
  linesOf(evidence, host, "addresses").flatMap((line) => {
    const [, device, address] = /^(\S+) ([^/\s]+)/.exec(line) ?? [];
    return device === undefined || address === undefined ? [] : [{ device, address, line }];
  });

/** The interface that has the address of a Node, at which others come in. */
export function ownDevice(evidence: Evidence, host: string): string | undefined {
  const own = normaliseAddress(addressOfNode(evidence, host));
  return own === undefined ? undefined : addressesOn(evidence, host).find(({ address }) => normaliseAddress(address) === own)?.device;
}

/** The Node of a Pod of the run. */
export const nodeOfPod = ({ api }: Evidence, pod: string): string => api.pods.find(({ name }) => name === pod)?.nodeName ?? "";

/** The Pod subnets that a Node gives addresses from, where its CNI file says so. */
export const podSubnetsOf = (evidence: Evidence, host: string): readonly string[] => {
  const cni = cniOf(evidence, host);
  return cni?.type === "bridge" && cni.ipam.type === "host-local" ? cni.ipam.subnets : [];
};
