import { expect, test } from "../fixtures/index.ts";

test("replicas-ready: both replicas of the Deployment become Running and Ready", async ({ rollout, byHand }) => {
  byHand(...rollout.byHand);

  const pods = await rollout.ready();

  expect(
    pods.map(({ status }) => status?.phase),
    "phases of the Deployment's Pods",
  ).toEqual(["Running", "Running"]);
});

test("pod-cidr: every Pod has an address of its own, in the Pod CIDR of its Node", async ({ podNetwork, note, byHand }) => {
  byHand(
    "kubectl get pods -A -o wide",
    "kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs",
    "cat /etc/cni/net.d/*",
  );

  const podCIDRs = await podNetwork.podCIDRs();
  await note(...podCIDRs.map(({ nodeName, cidrs, source, note: own }) => own ?? `${nodeName}: ${cidrs.join(", ")}, by ${source}`));

  expect(podNetwork.addressProblems(podCIDRs), "Pod addresses and Pod CIDRs: what is wrong with them").toEqual([]);
});

// A cluster whose Pods all sit on one Node passes most checks with the other Nodes broken.
test("pods-spread: the replicas are spread over the workers", async ({ pods, spread, note, byHand }) => {
  byHand("kubectl get nodes -o custom-columns=NAME:.metadata.name,UNSCHEDULABLE:.spec.unschedulable,TAINTS:.spec.taints");

  const workers = spread.schedulable();
  const without = workers.filter((name) => !pods.some(({ nodeName }) => nodeName === name));
  await note(
    ...without.map((name) => `${name} has none of the ${pods.length} Pods: it is asked by NodePort, and not by exec, logs or forward`),
  );

  expect(
    new Set(pods.map(({ nodeName }) => nodeName)).size,
    `Nodes with one of ${pods.length} Pods; ${workers.join(", ")} may have one`,
  ).toBe(2);
});

test("containers-on-host: every Pod's container runs on its Node, its process under the runtime's shim", async ({
  onHost,
  note,
  byHand,
}) => {
  byHand(...onHost.nodeNames.map((node) => `ssh ${node} 'crictl ps || ctr -n k8s.io tasks ls; pstree -ap'`));

  const { problems, notApplicable } = await onHost.containers();
  await note(...notApplicable);

  expect(problems, "containers and their processes on the Nodes: what is wrong with them").toEqual([]);
});

test("pods-on-bridge: every Pod's veth is up and on the CNI's bridge, which has the gateway's address", async ({
  onHost,
  note,
  skip,
  byHand,
}) => {
  byHand(...onHost.nodeNames.map((node) => `ssh ${node} 'ip -brief link; ip -brief addr; bridge link'`));

  const { problems, notApplicable } = await onHost.bridges();
  if (notApplicable.length === onHost.nodeNames.length) return skip(notApplicable.join("; "));
  await note(...notApplicable);

  expect(problems, "bridges and veths on the Nodes: what is wrong with them").toEqual([]);
});

test("pod-ip-from-server: from server, every Pod IP returns nginx's page, by way of the Pod's own Node", async ({
  pods,
  podNetwork,
  note,
  byHand,
}) => {
  byHand(...podNetwork.byHand);

  const seen = await podNetwork.fromServer();
  await note(...seen.flatMap(({ notes }) => notes));

  expect(seen, "what server gets from each Pod IP, and where its route leads").toMatchObject(
    pods.map(({ where }) => ({ pod: where, page: "<title>Welcome to nginx!</title>", route: "to its own Node" })),
  );
});

// Done while nobody looked at the Pods yet: the other checks look at those that there are afterwards.
test("pod-replaced: a deleted Pod is replaced by another, which becomes Ready", async ({ rollout, byHand }) => {
  byHand(...rollout.byHand);

  const { deleted, ready } = await rollout.replacement();
  const names = ready.map(({ metadata }) => metadata?.name);

  expect(names, `ready Pods after the deletion of ${deleted}`).toHaveLength(2);
  expect(names, "ready Pods, the deleted one not among them").not.toContain(deleted);
});
