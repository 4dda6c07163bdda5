/**
 * A fault: a named state of the lab in which something is wrong, how to bring it about and how to end it, and what the suite has to make of
 * it. `inject` and `heal` return when `holds` has seen the state begin, or end.
 */
import { join } from "node:path";
import { byNodePort, inEtcd, throughKubelet } from "../../helpers/diagnosis/checks.ts";
import { until } from "../../helpers/until.ts";
import type { Instance } from "../instance.ts";
import { runSuite } from "../operator.ts";

export type Lab = {
  instance: Instance;
  /** Runs a command line on a host, from the outside, so that it works whatever is broken there; returns its stdout. */
  on(host: string, command: string): Promise<string>;
  /** kubectl as admin; returns its stdout. */
  kubectl(...parameters: readonly string[]): Promise<string>;
};

type Environment = Readonly<Record<string, string>>;

export type Because = RegExp | Readonly<Record<string, RegExp>>;

export type Fault = {
  /** The state, and not the act: `kube-scheduler-stopped`. */
  name: string;
  /** The same as a sentence. */
  state: string;
  inject(lab: Lab): Promise<unknown>;
  heal(lab: Lab): Promise<unknown>;
  /** The lab's own look at whether the state is there, by another way than the suite's. */
  holds(lab: Lab): Promise<boolean>;
  /** What the run is given, where that is the fault. */
  environment?: Environment | ((lab: Lab) => Environment);
  /** The ids of the checks that must fail, and of those that cannot look; all others must pass. */
  fails: readonly string[];
  inconclusive: readonly string[];
  /** What the message of each failing check must match, in the check's own words: one pattern for all of them, or one by the id of each. */
  because: Because;
  /** What the diagnosis must name as the cause, first, in the message of each check that did not pass. */
  cause?: RegExp;
  /** Why the run cannot clean up after itself while the state lasts, where it cannot. */
  leaves?: string;
  /** What the run exits with, where it ends before anything is looked at; `because` is then held against all that it says. */
  exitCode?: number;
};

/** A state by itself: how it is brought about, how it is ended, and how it shows. */
export type Armed = Pick<Fault, "inject" | "heal" | "holds">;

/** What the run is given while the state lasts. */
export const environmentOf = ({ environment = {} }: Fault, lab: Lab): Environment =>
  typeof environment === "function" ? environment(lab) : environment;

/** A file on this machine that the run is given in place of the right one. */
export const givenFile = ({ instance }: Lab, name: string): string => join(instance.folder, `given-${name}`);

/** Removes what runs have left, as a person does it who was told to. */
export async function removeRuns({ instance }: Lab): Promise<void> {
  const { exitCode, output } = await runSuite(instance, { command: ["npm", "run", "cleanup"] });
  if (exitCode !== 0) throw new Error(`"npm run cleanup" exited ${exitCode}, expected 0:\n${output}`);
}

/** Waits for something that the system takes its time for, between `inject` and the state, or between `heal` and its end. */
export async function untilSo(what: string, condition: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  await until({ what, timeoutMs, describe: () => "it is not so", error: (sentence) => new Error(sentence) }, condition, Boolean);
}

/** Every check that needs the two Pods, whose readiness is judged by `replicas-ready`. */
export const needingPods: readonly string[] = [
  ...["pod-cidr", "pods-spread", "containers-on-host", "pods-on-bridge", "pod-ip-from-server", "pod-replaced"],
  ...throughKubelet,
  ...["service-endpoints", ...byNodePort, "no-restarts"],
];

/** Every check that needs the run's namespace: all but that of the workers. */
export const needingRun: readonly string[] = ["secret-read-back", ...inEtcd, "replicas-ready", ...needingPods, "service-ports"];

export const everyCheck: readonly string[] = ["nodes-ready", ...needingRun];

/** A command that says by its exit code whether something is so. */
export const isSo = async (lab: Lab, host: string, condition: string): Promise<boolean> =>
  (await lab.on(host, `if ${condition}; then echo yes; else echo no; fi`)).trim() === "yes";

/** A script of `sh` stands in a program's place on some hosts. It may call the real one, which is at `<path>.real` meanwhile. */
export function programIs(hosts: readonly string[], path: string, script: string): Pick<Fault, "inject" | "heal"> {
  const onEach = (lab: Lab, command: string): Promise<unknown> => Promise.all(hosts.map((host) => lab.on(host, command)));
  return {
    inject: (lab) => onEach(lab, `mv ${path} ${path}.real && cat > ${path} <<'END' && chmod +x ${path}\n#!/bin/sh\n${script}\nEND\n`),
    heal: (lab) => onEach(lab, `mv ${path}.real ${path}`),
  };
}

/** A unit that does not run. */
export function unitStopped(host: string, unit: string, judged: Pick<Fault, "fails" | "inconclusive" | "because"> & Partial<Fault>): Fault {
  return {
    name: `${unit}-stopped${host === "server" ? "" : `-on-${host}`}`,
    state: `${unit} is stopped on ${host}`,
    inject: (lab) => lab.on(host, `systemctl stop ${unit}`),
    heal: (lab) => lab.on(host, `systemctl start ${unit}`),
    holds: (lab) => isSo(lab, host, `! systemctl is-active --quiet ${unit}`),
    ...judged,
  };
}
