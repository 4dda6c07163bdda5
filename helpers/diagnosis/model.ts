/**
 * What a diagnosis is made of: evidence of the cluster, a failure to explain, and rules that find its cause in the evidence.
 */
import type { Toleration } from "../config.ts";

/** What the API says, as far as it was heard in time. Every object is cut down to what a rule or a reader looks at. */
export type APIEvidence = {
  /** The address in the kubeconfig. */
  server: string;
  /** Of the kubeconfig's user: from when till when its certificate is valid; empty where it has none. */
  clientCertificate: string;
  /** What was asked and not answered, and why. */
  unanswered: readonly string[];
  readyz: string;
  nodes: readonly NodeEvidence[];
  pods: readonly PodEvidence[];
  /** About the run's objects, the latest last. */
  events: readonly EventEvidence[];
  leases: readonly LeaseEvidence[];
  deployment: readonly string[];
  service: { selector: Readonly<Record<string, string>>; nodePort: number; clusterIP: string; sessionAffinity: string } | undefined;
  /** `podIP:port` of what the EndpointSlices hold. */
  endpoints: readonly string[];
  /** Who keeps the run's Secret from going when it is deleted. */
  secretFinalizers: readonly string[];
};

export type NodeEvidence = {
  name: string;
  internalIP: string;
  /** `True`, or the condition in words. */
  ready: string;
  /** What else is true of it, such as `DiskPressure: kubelet has disk pressure`; none of it is on a Node that is well. */
  pressures: readonly string[];
  unschedulable: boolean;
  /** In the notation of `kubectl taint`. */
  taints: readonly string[];
  podCIDRs: readonly string[];
  /** How many Pods it takes. */
  maxPods: string;
};

export type PodEvidence = {
  name: string;
  nodeName: string;
  podIP: string;
  phase: string;
  /** Whether it has been deleted and is on its way out. */
  isTerminating: boolean;
  ready: boolean;
  labels: Readonly<Record<string, string>>;
  /** Reasons and messages: of a container that waits, of one that has ended, of a Pod that has no place. */
  waiting: string;
  ended: string;
  unscheduled: string;
  /** What its Node must have; the Deployment asks for nothing. */
  nodeSelector: Readonly<Record<string, string>>;
  restarts: number;
};

export type EventEvidence = { object: string; reason: string; message: string };

export type LeaseEvidence = {
  name: string;
  holder: string;
  secondsSinceRenewal: number;
  /** How long it lasts without being renewed, where it says so. */
  leaseDurationSeconds?: number;
};

/** How the text of a section begins, and what follows says why, where the host did not print it. That is something else than nothing. */
export const notAnswered = "not answered";

/** By the name of a section, what a host printed for it; or why it could not be asked. */
export type HostEvidence = { sections: Readonly<Record<string, string>> } | { unreachable: string };

export type Evidence = {
  /** What the run was given. */
  given: {
    namespace: string;
    contextName: string;
    userName: string;
    server: string;
    workers: readonly string[];
    image: string;
    encryption: { provider: string; keyName: string; configurationPath: string | undefined };
    podCIDRs: Readonly<Record<string, readonly string[]>>;
    serviceCIDRs: readonly string[];
    tolerations: readonly Toleration[];
  };
  api: APIEvidence;
  hosts: Readonly<Record<string, HostEvidence>>;
};

/** A check that did not pass. */
export type Failure = { check: string; message: string };

/** A cause that a rule has found. */
export type Finding = {
  /** What is wrong, and on which host, as a sentence without its full stop. */
  what: string;
  /** The line that shows it. */
  seen: string;
  /** The command that mends it, `ssh HOST ...` or `kubectl ...`, or what to do. */
  mend: string;
};

export type Rule = {
  id: string;
  /** The checks whose failures can come of it; undefined for all of them. */
  explains?: readonly string[];
  /** What the failure's message says, where only some failures can come of it. */
  saying?: RegExp;
  /** Where in Kubernetes the Hard Way it is set up. */
  guide: string;
  find(evidence: Evidence, failure: Failure): Finding | undefined;
};
