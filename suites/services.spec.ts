import { expect, test } from "../fixtures/index.ts";

test("service-ports: port 80 maps to a NodePort, and the ClusterIP lies in the service range", async ({ service, note, byHand }) => {
  byHand(`kubectl -n ${service.namespace} get service ${service.name} -o wide`, "kubectl get servicecidrs");

  const { type, port, nodePort, clusterIP } = service;
  const range = await service.clusterIPRange();
  await note(range === undefined ? "the service range is not known here" : `the service range is ${range.ranges}, by ${range.source}`);

  expect({ type, port, nodePort }, `Service ${service.name}`).toEqual({ type: "NodePort", port: 80, nodePort: expect.any(Number) });
  expect(nodePort, "its NodePort").toBeGreaterThan(0);
  expect(range?.problem, `ClusterIP ${clusterIP}: what is wrong with it`).toBeUndefined();
});

test("service-endpoints: the EndpointSlices hold exactly the ready Pods", async ({ service, pods, byHand }) => {
  byHand(
    `kubectl -n ${service.namespace} get endpointslices,pods -o wide --show-labels`,
    `kubectl -n ${service.namespace} describe service ${service.name}`,
  );

  const addresses = await service.endpoints(pods);

  expect(addresses, `EndpointSlices of Service ${service.name}`).toEqual(pods.map((pod) => `${pod.podIP}:${pod.port}`).toSorted());
});

test("node-port-answers: through every Node, the NodePort answers every request", async ({ pods, nodePort, byHand }) => {
  byHand(...nodePort.nodes.map(({ origin }) => `curl --include ${origin}`));

  const wrongAnswers = await nodePort.wrongAnswers();

  expect(wrongAnswers, `Nodes through which not every request to the ${pods.length} Pods was answered with 200`).toEqual([]);
});

// With two Pods, half of the answers can hide that a Node does not reach the other half.
test("node-port-every-pod: through every Node, every ready Pod answers", async ({ pods, nodePort, byHand }) => {
  byHand(...nodePort.nodes.map(({ name }) => `ssh ${name} ip route`), ...nodePort.nodes.map(({ origin }) => `curl ${origin}/some-token`));

  const answered = await nodePort.podsBehind();

  const everyPod = pods.map(({ where }) => where);
  expect(answered, "the Pods that have answered, by Node").toEqual(Object.fromEntries(nodePort.nodes.map(({ name }) => [name, everyPod])));
});
