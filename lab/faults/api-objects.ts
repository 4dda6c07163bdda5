/**
 * Objects of the API by which a fault is armed. What a run creates is there for seconds only; a policy that waits for it is sprung by the
 * API server itself.
 */
import { isDeepStrictEqual } from "node:util";
import { labelsOf, runLabel } from "../../helpers/run.ts";
import { untilSo, type Armed, type Fault, type Lab } from "./fault.ts";

type APIObject = { apiVersion: string; kind: string; metadata: { name: string; namespace?: string; labels?: Record<string, string> } };

const kubectl = "kubectl --kubeconfig=/root/admin.kubeconfig";

/** As a command's standard input: single quotes and dollars stay what they are. */
const here = (...items: readonly object[]): string => `<<'END'\n${JSON.stringify({ apiVersion: "v1", kind: "List", items })}\nEND\n`;

/** Creates objects, or changes those that are there. */
export const apply = (lab: Lab, ...objects: readonly APIObject[]): Promise<string> =>
  lab.on("server", `${kubectl} apply --filename=- ${here(...objects)}`);

/** Objects that are there as long as the fault; a namespace is gone when `heal` returns. */
export function objectsThere(objects: readonly APIObject[], holds: Fault["holds"]): Armed {
  return {
    inject: async (lab) => {
      await apply(lab, ...objects);
      // The API server hears of its own policies by a watch, a moment later.
      await untilSo(`${objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(", ")} to work`, () => holds(lab));
    },
    heal: (lab) => lab.on("server", `${kubectl} delete --ignore-not-found --filename=- ${here(...objects)}`),
    holds,
  };
}

/** Chooses the objects that runs create. */
export const ofRuns = { matchExpressions: [{ key: runLabel, operator: "Exists" }] };

/** Chooses Pods as they are created. */
export const podsCreated = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] };

const tried = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "tried", labels: labelsOf({ id: "tried" }) },
  spec: { containers: [{ name: "nginx", image: "nginx" }] },
};

/** What the API server makes of a Pod such as runs have, without keeping it: the Pod as it would be stored in JSON, or the refusal. */
export const tryPod = (lab: Lab, namespace = "default"): Promise<string> =>
  lab.on("server", `${kubectl} --namespace=${namespace} create --dry-run=server --output=json --filename=- 2>&1 ${here(tried)} true`);

/** What CEL, too, takes for a value: all entries of a map, and of a list, are of one type. */
type Value = string | readonly string[] | { readonly [key: string]: Value };
/** By their paths in a Pod. */
type Additions = Readonly<Record<string, Value>>;

/** A policy that adds something to Pods as they are created; it needs a binding of its name. */
export const mutatingPolicy = (name: string, additions: Additions, spec: object): APIObject & { spec: object } => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingAdmissionPolicy",
  metadata: { name },
  spec: {
    matchConstraints: { resourceRules: [podsCreated], objectSelector: ofRuns },
    failurePolicy: "Fail",
    reinvocationPolicy: "Never",
    mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: patchOf(additions) } }],
    ...spec,
  },
});

/** As CEL, in which strings, lists and maps of strings are written as in JSON. */
function patchOf(additions: Additions): string {
  const operations = Object.entries(additions).map(
    ([path, value]) => `JSONPatch{op: "add", path: ${JSON.stringify(path)}, value: ${JSON.stringify(value)}}`,
  );
  return `[${operations.join(", ")}]`;
}

/** The binding that puts a policy to work. */
export const bindingOf = (name: string, spec: object = {}): APIObject & { spec: object } => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingAdmissionPolicyBinding",
  metadata: { name },
  spec: { policyName: name, ...spec },
});

/** Every Pod of a run is stored with these additions. */
export const podsMutated = (name: string, additions: Additions): Armed =>
  objectsThere([mutatingPolicy(name, additions, {}), bindingOf(name)], async (lab) => {
    const said = await tryPod(lab);
    // Before the policy works, a Pod is tried without it; a policy that cannot be evaluated refuses the Pod.
    const pod: unknown = said.startsWith("{") ? JSON.parse(said) : undefined;
    return Object.entries(additions).every(([path, value]) => has(valueAt(pod, path), value));
  });

/** Whether everything that was added is there; the API server fills in what was left open. */
function has(found: unknown, added: Value): boolean {
  if (typeof added === "string" || Array.isArray(added)) return isDeepStrictEqual(found, added);
  return Object.entries(added).every(([key, value]) => has((found as Record<string, unknown> | undefined)?.[key], value));
}

/** What a JSON pointer leads to. https://www.rfc-editor.org/rfc/rfc6901 */
function valueAt(value: unknown, path: string): unknown {
  return path
    .split("/")
    .slice(1)
    .reduce<unknown>((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], value);
}
