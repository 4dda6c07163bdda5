/**
 * A fault: a named state of the lab in which something is wrong, how to bring it about and how to end it, and what the suite has to make of
 * it. `inject` and `heal` return when `holds` has seen the state begin, or end.
 */
import type { Instance } from "../instance.ts";

export type Lab = {
  instance: Instance;
  /** Runs a command line on a host, from the outside, so that it works whatever is broken there; returns its stdout. */
  on(host: string, command: string): Promise<string>;
  /** kubectl as admin; returns its stdout. */
  kubectl(...parameters: readonly string[]): Promise<string>;
};

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
  environment?: Readonly<Record<string, string>>;
  /** The ids of the checks that must fail, and of those that cannot look; all others must pass. */
  fails: readonly string[];
  inconclusive: readonly string[];
  /** What the message of each failing check must match. */
  because: RegExp;
  /** Why the run cannot clean up after itself while the state lasts, where it cannot. */
  leaves?: string;
};

/** Every check that goes from the API server through a kubelet into a container. */
export const throughKubelet: readonly string[] = [
  ...["port-forward", "logs-recorded", "logs-followed"],
  ...["exec-version", "exec-streams", "exec-reads", "exec-stdin", "exec-tty"],
];

/** Every check that needs the two Pods, whose readiness is judged by `replicas-ready`. */
export const needingPods: readonly string[] = [
  ...["pod-cidr", "pods-spread", "containers-on-host", "pods-on-bridge", "pod-ip-from-server", "pod-replaced"],
  ...throughKubelet,
  ...["service-endpoints", "node-port-answers", "node-port-every-pod", "no-restarts"],
];

/** A command that says by its exit code whether something is so. */
export const isSo = async (lab: Lab, host: string, condition: string): Promise<boolean> =>
  (await lab.on(host, `if ${condition}; then echo yes; else echo no; fi`)).trim() === "yes";

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
