/**
 * Evidence of the API: the run's objects, the Nodes, the Leases, and whether the API server calls itself ready. Nothing else is read.
 */
import { X509Certificate } from "node:crypto";
import type {
  CoreV1Event,
  V1Deployment,
  V1EndpointSlice,
  V1Lease,
  V1Node,
  V1Pod,
  V1ReplicaSet,
  V1Secret,
  V1Service,
} from "@kubernetes/client-node";
import { reasonOf } from "../../errors.ts";
import { isNotFound, type KubernetesClient } from "../../kubernetes.ts";
import { secondsSinceRenewal } from "../../lease.ts";
import { nameOf, notReadyBecause, taintText } from "../../nodes.ts";
import { redact } from "../../redaction/redact.ts";
import { restartsOf } from "../../pods.ts";
import { selectorOf, type Run } from "../../run.ts";
import { names } from "../../workload.ts";
import type { APIEvidence, EventEvidence, LeaseEvidence, NodeEvidence, PodEvidence } from "../model.ts";
import { isAbout } from "./is-about.ts";

/** What the API tells within the time; what it does not tell is noted as unanswered. Never throws. */
export async function readAPI(client: KubernetesClient, run: Run, timeoutMs: number): Promise<APIEvidence> {
  const unanswered: string[] = [];
  const core = `/api/v1/namespaces/${run.namespace}`;
  const heard = async <Value>(asking: Promise<Value>, otherwise: Value): Promise<Value> =>
    asking.catch((error: unknown) => {
      // That something is not there is an answer.
      if (!isNotFound(error)) unanswered.push(redact(reasonOf(error)));
      return otherwise;
    });
  const list = <Kind>(path: string, query = {}) => heard(client.list<Kind>(path, { timeoutMs, query }), []);
  const leases = "/apis/coordination.k8s.io/v1/namespaces";
  const [readyz, nodes, pods, replicaSets, events, own, ofNodes, deployment, service, slices, secret] = await Promise.all([
    heard(client.text("/readyz", { timeoutMs, query: { verbose: true } }), ""),
    list<V1Node>("/api/v1/nodes"),
    list<V1Pod>(`${core}/pods`, { labelSelector: selectorOf(run) }),
    // Only where there are Events of others to tell apart.
    run.ownsNamespace
      ? []
      : list<V1ReplicaSet>(`/apis/apps/v1/namespaces/${run.namespace}/replicasets`, { labelSelector: selectorOf(run) }),
    list<CoreV1Event>(`${core}/events`),
    list<V1Lease>(`${leases}/kube-system/leases`),
    list<V1Lease>(`${leases}/kube-node-lease/leases`),
    heard(
      client.get<V1Deployment | undefined>(`/apis/apps/v1/namespaces/${run.namespace}/deployments/${names.deployment}`, { timeoutMs }),
      undefined,
    ),
    heard(client.get<V1Service | undefined>(`${core}/services/${names.service}`, { timeoutMs }), undefined),
    list<V1EndpointSlice>(`/apis/discovery.k8s.io/v1/namespaces/${run.namespace}/endpointslices`, {
      labelSelector: `kubernetes.io/service-name=${names.service}`,
    }),
    // Of the run's own Secret no more than who holds it.
    heard(client.get<V1Secret | undefined>(`${core}/secrets/${names.secret}`, { timeoutMs }), undefined),
  ]);
  return {
    server: client.access.server,
    clientCertificate: validityOf(client),
    unanswered,
    readyz,
    nodes: nodes.map(nodeEvidence),
    pods: pods.map(podEvidence),
    events: events.filter(isAbout(run, { objects: [deployment, service, ...pods], replicaSets })).map(eventEvidence),
    leases: [...own, ...ofNodes].map(leaseEvidence),
    deployment: (deployment?.status?.conditions ?? []).map(({ type, status, message }) => redact(`${type}=${status}: ${message}`)),
    service: service && serviceEvidence(service),
    endpoints: slices.flatMap(addressesOf),
    secretFinalizers: secret?.metadata?.finalizers ?? [],
  };
}

function validityOf({ access: { tls, userName } }: KubernetesClient): string {
  if (tls.cert === undefined) return "";
  const { validFrom, validTo } = new X509Certificate(tls.cert);
  return `that of user ${userName} is valid from ${validFrom} to ${validTo}`;
}

/** Of an API that could not be asked at all. */
export const noAPI = (server: string, reason: string): APIEvidence => ({
  server,
  clientCertificate: "",
  unanswered: [redact(reason)],
  readyz: "",
  nodes: [],
  pods: [],
  events: [],
  leases: [],
  deployment: [],
  service: undefined,
  endpoints: [],
  secretFinalizers: [],
});

function nodeEvidence(node: V1Node): NodeEvidence {
  return {
    name: nameOf(node),
    internalIP: (node.status?.addresses ?? []).find(({ type }) => type === "InternalIP")?.address ?? "",
    ready: notReadyBecause(node) ?? "True",
    pressures: (node.status?.conditions ?? [])
      .filter(({ type, status }) => type !== "Ready" && status === "True")
      .map(({ type, message }) => `${type}: ${message}`),
    unschedulable: node.spec?.unschedulable === true,
    taints: (node.spec?.taints ?? []).map(taintText),
    podCIDRs: node.spec?.podCIDRs ?? [],
    maxPods: node.status?.allocatable?.["pods"] ?? "",
  };
}

function podEvidence(pod: V1Pod): PodEvidence {
  const { metadata, spec, status } = pod;
  const containers = status?.containerStatuses ?? [];
  const waiting = containers.flatMap(({ state }) => state?.waiting ?? []);
  const ended = containers.flatMap(({ state, lastState }) => state?.terminated ?? lastState?.terminated ?? []);
  const unscheduled = (status?.conditions ?? []).find((condition) => condition.type === "PodScheduled" && condition.status === "False");
  return {
    name: metadata?.name ?? "",
    nodeName: spec?.nodeName ?? "",
    podIP: status?.podIP ?? "",
    phase: status?.phase ?? "",
    isTerminating: metadata?.deletionTimestamp !== undefined,
    ready: (status?.conditions ?? []).some((condition) => condition.type === "Ready" && condition.status === "True"),
    labels: metadata?.labels ?? {},
    waiting: waiting.map(({ reason = "", message = "" }) => redact(`${reason}: ${message}`)).join("; "),
    ended: ended
      .map(({ reason = "", exitCode, message = "" }) => redact(`${reason}, exit code ${exitCode}${message && `: ${message}`}`))
      .join("; "),
    unscheduled: redact(unscheduled?.message ?? ""),
    nodeSelector: spec?.nodeSelector ?? {},
    restarts: restartsOf(pod),
  };
}

const eventEvidence = ({ involvedObject: { kind, name }, reason = "", message = "" }: CoreV1Event): EventEvidence => ({
  object: `${kind}/${name}`,
  reason,
  message: redact(message),
});

const leaseEvidence = (lease: V1Lease): LeaseEvidence => ({
  name: lease.metadata?.name ?? "",
  holder: lease.spec?.holderIdentity ?? "",
  secondsSinceRenewal: Math.round(secondsSinceRenewal(lease)),
  ...(lease.spec?.leaseDurationSeconds !== undefined && { leaseDurationSeconds: lease.spec.leaseDurationSeconds }),
});

const serviceEvidence = ({ spec }: V1Service): APIEvidence["service"] => ({
  selector: spec?.selector ?? {},
  nodePort: spec?.ports?.[0]?.nodePort ?? 0,
  clusterIP: spec?.clusterIP ?? "",
  sessionAffinity: spec?.sessionAffinity ?? "None",
});

const addressesOf = ({ endpoints, ports }: V1EndpointSlice): string[] =>
  (endpoints ?? []).flatMap(({ addresses }) => (ports ?? []).flatMap(({ port }) => addresses.map((address) => `${address}:${port}`)));
