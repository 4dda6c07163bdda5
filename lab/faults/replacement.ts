/**
 * Deleted Pods that stay gone. No controller can be stopped between the last Pod's start and the first one's deletion, which follow each
 * other at once; so the API server takes from the successor what makes it the ReplicaSet's, and its controller waits for it in vain.
 */
import { labelsOf } from "../../helpers/run.ts";
import { apply, bindingOf, mutatingPolicy, objectsThere, ofRuns, tryPod } from "./api-objects.ts";
import { untilSo, type Fault, type Lab } from "./fault.ts";

const name = "deleted-pods-stay-gone";

/** The policy is asked once for each Pod of the run that there is already. */
const orphanedWhenOneRuns =
  `has(params.status.phase) && params.status.phase == "Running" ? ` +
  `[JSONPatch{op: "add", path: "/metadata/labels", value: {}}, JSONPatch{op: "add", path: "/metadata/ownerReferences", value: []}] : []`;

const policy = mutatingPolicy(
  name,
  {},
  {
    paramKind: { apiVersion: "v1", kind: "Pod" },
    mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: orphanedWhenOneRuns } }],
  },
);

/** In a namespace of its own a Pod that runs, beside which the policy can be tried. */
const running = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "running", namespace: name, labels: labelsOf({ id: "tried" }) },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "nginx", image: "nginx" }] },
};

const objects = objectsThere(
  [
    { apiVersion: "v1", kind: "Namespace", metadata: { name } },
    policy,
    bindingOf(name, { paramRef: { selector: ofRuns, parameterNotFoundAction: "Allow" } }),
  ],
  async () => true,
);

/** Whether a Pod is stored without a label, where another one runs. */
const isOrphaned = async (lab: Lab): Promise<boolean> => {
  const said = await tryPod(lab, name);
  return said.startsWith("{") && !said.includes(`"labels"`);
};

export const replacement: readonly Fault[] = [
  {
    name,
    state: "the ReplicaSet controller creates no Pod in the stead of one that was deleted",
    inject: async (lab) => {
      await objects.inject(lab);
      await untilSo("the ServiceAccount of a new namespace", async () => (await tryPod(lab, name)).startsWith("{"));
      await apply(lab, running);
      await untilSo("a successor to be orphaned", () => isOrphaned(lab));
    },
    heal: objects.heal,
    holds: isOrphaned,
    fails: ["pod-replaced"],
    // One Pod cannot be spread.
    inconclusive: ["pods-spread"],
    because: /1 of 2 Pods Ready; Deployment nginx: MissingPods, its ReplicaSet has created 1 of 2 Pods/,
    cause: /^Cause: the ReplicaSet of Deployment nginx has created 1 of 2 Pods, and its controller creates no other/,
  },
];
