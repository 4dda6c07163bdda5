/**
 * The objects that a check has judged, in the form of `kubectl get -o yaml`: the run's own, which its label tells from those of others, the
 * Nodes and their Leases. They are read, and nothing is changed.
 */
import type { V1Pod } from "@kubernetes/client-node";
import { stringify } from "yaml";
import type { KubernetesClient } from "../../kubernetes.ts";
import { readLog } from "../../logs.ts";
import { redact, redactObject } from "../../redaction/redact.ts";
import { listPods } from "../../rollout.ts";
import { selectorOf, type Run } from "../../run.ts";
import { shortened } from "../reading.ts";
import { judgedObjects, type Judged } from "./judged-objects.ts";
import { within } from "./within.ts";

type KubernetesObject = { metadata?: { name?: string; [field: string]: unknown }; [field: string]: unknown };

type Kind = {
  apiVersion: string;
  plural: string;
  /** Where they are, whosever they are; else in the run's namespace, with its label. */
  where?: "cluster" | "kube-node-lease";
  /** What of them is shown, when it is not all. */
  shown?: (object: KubernetesObject) => KubernetesObject;
};

const kinds: Readonly<Record<Exclude<Judged, "Log">, Kind>> = {
  Deployment: { apiVersion: "apps/v1", plural: "deployments" },
  ReplicaSet: { apiVersion: "apps/v1", plural: "replicasets" },
  Pod: { apiVersion: "v1", plural: "pods" },
  Service: { apiVersion: "v1", plural: "services" },
  EndpointSlice: { apiVersion: "discovery.k8s.io/v1", plural: "endpointslices" },
  Secret: { apiVersion: "v1", plural: "secrets", shown: ({ metadata = {}, type }) => ({ metadata, type }) },
  // Which images a Node has tells what others run on it, at great length.
  Node: {
    apiVersion: "v1",
    plural: "nodes",
    where: "cluster",
    shown: ({ status, ...node }) => ({ ...node, status: withoutImages(status) }),
  },
  Lease: { apiVersion: "coordination.k8s.io/v1", plural: "leases", where: "kube-node-lease" },
};

const withoutImages = (status: unknown): unknown => (typeof status === "object" ? { ...status, images: undefined } : status);

/** Documents of YAML, and sentences about what is not among them. */
type Found = { documents: readonly string[]; missing: readonly string[] };

const allOf = (found: readonly Found[]): Found => ({
  documents: found.flatMap(({ documents }) => documents),
  missing: found.flatMap(({ missing }) => missing),
});

type Asking = { run: Run; client: Promise<KubernetesClient>; leftMs: () => number };

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
  const asking = { run, client, leftMs: () => deadline - Date.now() };
  const found = await Promise.all(judged.map(async (what) => (what === "Log" ? logsOf(asking) : objectsOfKind(what, asking))));
  const { documents, missing } = allOf(found);
  return `${missing.map((sentence) => `# ${sentence}\n`).join("")}${documents.join("---\n")}`;
}

async function objectsOfKind(kind: Exclude<Judged, "Log">, { run, client, leftMs }: Asking): Promise<Found> {
  const { apiVersion, plural, where = "run", shown = (object) => object } = kinds[kind];
  const isOfRun = where === "run";
  const folder = where === "cluster" ? "" : `namespaces/${isOfRun ? run.namespace : where}/`;
  const path = `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}/${folder}${plural}`;
  const reading = client.then((opened) =>
    opened.list<KubernetesObject>(path, isOfRun ? { query: { labelSelector: selectorOf(run) } } : {}),
  );
  return within<Found>(
    leftMs(),
    reading.then((objects) => {
      const expected = isOfRun ? [] : run.settings.workers;
      const absent = expected.filter((name) => !objects.some(({ metadata }) => metadata?.name === name));
      const none = `${kind}: there is none${isOfRun ? " of this run" : ""}`;
      return {
        documents: objects.map((object) => documentOf({ apiVersion, kind, ...shown(object) })),
        missing: objects.length === 0 ? [none] : absent.map((name) => `${kind} ${name}: it is not there`),
      };
    }),
    (reason) => ({ documents: [], missing: [`${kind}: ${reason}`] }),
  );
}

/**
 * In the order in which everybody writes it. It is filtered before it becomes YAML, which moves the lines of a secret, or writes them in
 * one with quotes, so that the filter might not know it.
 */
function documentOf({ apiVersion, kind, metadata, ...rest }: KubernetesObject): string {
  const object = { apiVersion, kind, metadata: { ...metadata, managedFields: undefined }, ...rest };
  redactObject(object);
  return textOf(object);
}

/** Lines stay as long as they are, and strings that others' parsers take for something else stand in quotes, as with kubectl. */
const textOf = (content: object): string => stringify(content, { lineWidth: 0, compat: "yaml-1.1" });

const tailLines = 20;
const longestLine = 400;

/** Each container has its own part of the time: of a Node whose kubelet does not answer, none is heard. */
async function logsOf(asking: Asking): Promise<Found> {
  const { run, client, leftMs } = asking;
  const pods = await within<readonly V1Pod[] | string>(
    leftMs(),
    client.then((opened) => listPods(opened, run)),
    (reason) => reason,
  );
  if (typeof pods === "string") return { documents: [], missing: [`Log: ${pods}`] };
  const containers = pods.flatMap(({ metadata, spec }) =>
    (spec?.containers ?? []).map(({ name }) => ({ pod: metadata?.name ?? "", container: name })),
  );
  return allOf(await Promise.all(containers.map(async (container) => logOf(container, asking))));
}

async function logOf({ pod, container }: { pod: string; container: string }, { run, client, leftMs }: Asking): Promise<Found> {
  const log = `${pod}/${container}`;
  const reading = client.then((opened) => readLog(opened, { namespace: run.namespace, pod, container, tailLines }));
  return within<Found>(
    leftMs(),
    reading.then((text) => {
      const lines = redact(text).split("\n");
      return { documents: [textOf({ log, lines: lines.map((line) => shortened(line, 0, longestLine)).join("\n") })], missing: [] };
    }),
    (reason) => ({ documents: [], missing: [`Log of ${log}: ${reason}`] }),
  );
}
