/**
 * The objects that a check has judged, in the form of `kubectl get -o yaml`: the run's own, which its label tells from those of others, the
 * Events about them, the Nodes and their Leases, and the ServiceCIDRs. They are read, and nothing is changed.
 */
import type { CoreV1Event, V1Pod } from "@kubernetes/client-node";
import { stringify } from "yaml";
import type { KubernetesClient } from "../../kubernetes.ts";
import { readLog } from "../../logs.ts";
import { redact, redactObject } from "../../redaction/redact.ts";
import { selectorOf, type Run } from "../../run.ts";
import { shortened } from "../reading.ts";
import { isAbout } from "./is-about.ts";
import { judgedObjects, type Judged } from "./judged-objects.ts";
import { within } from "./within.ts";

type KubernetesObject = { metadata?: { name?: string; uid?: string; [field: string]: unknown }; [field: string]: unknown };

type KindName = Exclude<Judged, "Log">;
type Kind = {
  apiVersion: string;
  plural: string;
  /** Where they are, whosever they are; else in the run's namespace, with its label. */
  where?: "namespace" | "cluster" | "kube-node-lease";
  /** Whether each Node has one, of its name. */
  isOfNode?: true;
  /** What of them is shown, when it is not all. */
  shown?: (object: KubernetesObject) => KubernetesObject;
};

const kinds: Readonly<Record<KindName, Kind>> = {
  Deployment: { apiVersion: "apps/v1", plural: "deployments" },
  ReplicaSet: { apiVersion: "apps/v1", plural: "replicasets" },
  Pod: { apiVersion: "v1", plural: "pods" },
  // No label tells whose they are.
  Event: { apiVersion: "v1", plural: "events", where: "namespace" },
  Service: { apiVersion: "v1", plural: "services" },
  EndpointSlice: { apiVersion: "discovery.k8s.io/v1", plural: "endpointslices" },
  ServiceCIDR: { apiVersion: "networking.k8s.io/v1", plural: "servicecidrs", where: "cluster" },
  Secret: { apiVersion: "v1", plural: "secrets", shown: ({ metadata = {}, type }) => ({ metadata, type }) },
  // Which images a Node has tells what others run on it, at great length.
  Node: {
    apiVersion: "v1",
    plural: "nodes",
    where: "cluster",
    isOfNode: true,
    shown: ({ status, ...node }) => ({ ...node, status: withoutImages(status) }),
  },
  Lease: { apiVersion: "coordination.k8s.io/v1", plural: "leases", where: "kube-node-lease", isOfNode: true },
};

const withoutImages = (status: unknown): unknown => (typeof status === "object" ? { ...status, images: undefined } : status);

/** Documents of YAML, and sentences about what is not among them. */
type Found = { documents: readonly string[]; missing: readonly string[] };

const allOf = (found: readonly Found[]): Found => ({
  documents: found.flatMap(({ documents }) => documents),
  missing: found.flatMap(({ missing }) => missing),
});

/** All that is shown is of the same moment: a kind is listed once. */
type Listed = <Listing = KubernetesObject>(kind: KindName) => Promise<Listing[]>;

type Asking = { run: Run; client: Promise<KubernetesClient>; listed: Listed; leftMs: () => number };

/** No check waits longer for what it has judged. */
const objectsMs = 3_000;

/**
 * The objects of a check as documents of YAML, and above them as comments what is not there or has not answered; undefined for a check that
 * has none. Never throws.
 * @param client may come late, or not at all
 */
export async function readObjects(
  check: string,
  { run, client }: { run: Run; client: Promise<KubernetesClient> },
  timeoutMs = objectsMs,
): Promise<string | undefined> {
  const judged = judgedObjects[check];
  if (judged === undefined) return undefined;
  const deadline = Date.now() + timeoutMs;
  const asking = { run, client, listed: listingOnce(run, client), leftMs: () => deadline - Date.now() };
  const found = await Promise.all(judged.map(async (what) => (what === "Log" ? logsOf(asking) : objectsOfKind(what, asking))));
  const { documents, missing } = allOf(found);
  return `${missing.map((sentence) => `# ${sentence}\n`).join("")}${documents.join("---\n")}`;
}

function listingOnce(run: Run, client: Promise<KubernetesClient>): Listed {
  const asked = new Map<KindName, Promise<unknown[]>>();
  return async <Listing>(kind: KindName) => {
    const listing = asked.get(kind) ?? client.then((opened) => opened.list<unknown>(...placeOf(kind, run)));
    asked.set(kind, listing);
    return listing as Promise<Listing[]>;
  };
}

/** The path of a kind, and what to ask for there. */
function placeOf(kind: KindName, run: Run): Parameters<KubernetesClient["list"]> {
  const { apiVersion, plural, where } = kinds[kind];
  const folder = where === "cluster" ? "" : `namespaces/${where === "kube-node-lease" ? where : run.namespace}/`;
  const path = `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}/${folder}${plural}`;
  return [path, where === undefined ? { query: { labelSelector: selectorOf(run) } } : {}];
}

async function objectsOfKind(kind: KindName, asking: Asking): Promise<Found> {
  const { apiVersion, where, isOfNode = false, shown = (object) => object } = kinds[kind];
  const { run, listed, leftMs } = asking;
  const reading = kind === "Event" ? eventsOfRun(asking) : listed(kind);
  return within<Found>(
    leftMs(),
    reading.then((objects) => {
      const expected = isOfNode ? run.settings.workers : [];
      const absent = expected.filter((name) => !objects.some(({ metadata }) => metadata?.name === name));
      const none = `${kind}: there is none${where === undefined || where === "namespace" ? " of this run" : ""}`;
      return {
        documents: objects.map((object) => documentOf({ apiVersion, kind, ...shown(object) })),
        missing: objects.length === 0 ? [none] : absent.map((name) => `${kind} ${name}: it is not there`),
      };
    }),
    (reason) => ({ documents: [], missing: [`${kind}: ${reason}`] }),
  );
}

/** The other objects are asked for only where there are Events of others to tell apart. */
async function eventsOfRun({ run, listed }: Asking): Promise<KubernetesObject[]> {
  const kindsOfRun = run.ownsNamespace ? [] : (["ReplicaSet", "Deployment", "Pod"] as const);
  const [events, replicaSets = [], ...objects] = await Promise.all([
    listed<KubernetesObject & CoreV1Event>("Event"),
    ...kindsOfRun.map(async (kind) => listed(kind)),
  ]);
  return events.filter(isAbout(run, { objects: objects.flat(), replicaSets }));
}

/**
 * In the order in which everybody writes it. It is filtered before it becomes YAML, which moves the lines of a secret, or writes them in
 * one with quotes, so that the filter might not know it. The object itself stays as it is: by its names logs and Events are found.
 */
function documentOf({ apiVersion, kind, metadata, ...rest }: KubernetesObject): string {
  const object = structuredClone({ apiVersion, kind, metadata: { ...metadata, managedFields: undefined }, ...rest });
  redactObject(object);
  return textOf(object);
}

/** Lines stay as long as they are, and strings that others' parsers take for something else stand in quotes, as with kubectl. */
const textOf = (content: object): string => stringify(content, { lineWidth: 0, compat: "yaml-1.1" });

const tailLines = 20;
const longestLine = 400;

/** Each container has its own part of the time: of a Node whose kubelet does not answer, none is heard. */
async function logsOf(asking: Asking): Promise<Found> {
  const { listed, leftMs } = asking;
  const pods = await within<readonly V1Pod[] | string>(leftMs(), listed<V1Pod>("Pod"), (reason) => reason);
  if (typeof pods === "string") return { documents: [], missing: [`Log: ${pods}`] };
  return allOf(await Promise.all(pods.flatMap(containersOf).map(async (container) => logOf(container, asking))));
}

/** A container, or the one that it has taken the place of. */
type Container = { pod: string; container: string; previous: boolean };

function containersOf({ metadata, spec, status }: V1Pod): Container[] {
  const restarted = new Set((status?.containerStatuses ?? []).filter(({ restartCount }) => restartCount > 0).map(({ name }) => name));
  return (spec?.containers ?? []).flatMap(({ name }) =>
    (restarted.has(name) ? [true, false] : [false]).map((previous) => ({ pod: metadata?.name ?? "", container: name, previous })),
  );
}

async function logOf({ pod, container, previous }: Container, { run, client, leftMs }: Asking): Promise<Found> {
  const log = `${pod}/${container}`;
  const reading = client.then((opened) => readLog(opened, { namespace: run.namespace, pod, container, previous, tailLines }));
  return within<Found>(
    leftMs(),
    reading.then((text) => {
      const lines = redact(text).split("\n");
      const shown = lines.map((line) => shortened(line, 0, longestLine)).join("\n");
      return { documents: [textOf({ log, ...(previous && { previous }), lines: shown })], missing: [] };
    }),
    (reason) => ({ documents: [], missing: [`Log of ${log}${previous ? ", of the container before" : ""}: ${reason}`] }),
  );
}
