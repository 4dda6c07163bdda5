import { expect, test } from "../fixtures/index.ts";

test("service-ports: port 80 maps to a NodePort, and the ClusterIP lies in the service range", async ({ service, byHand }) => {
  byHand(`kubectl -n ${service.namespace} get service ${service.name} -o wide`, "kubectl get servicecidrs");

  const { type, port, nodePort, clusterIP, rangeProblems } = await service.observe();

  expect({ type, port, nodePort }, `Service ${service.name}`).toEqual({ type: "NodePort", port: 80, nodePort: expect.any(Number) });
  expect(rangeProblems, `ClusterIP ${clusterIP}: ranges it does not lie in`).toEqual([]);
});

test("service-endpoints: the EndpointSlices hold exactly the ready Pods", async ({ service, pods, byHand }) => {
  byHand(`kubectl -n ${service.namespace} get endpointslices,pods -o wide`);

  const addresses = await service.endpoints(pods);

  expect(addresses, `EndpointSlices of Service ${service.name}`).toEqual(pods.map((pod) => `${pod.podIP}:${pod.port}`).toSorted());
});

test("node-port-answers: the NodePort answers every time, through every Node", async ({ service, nodes, nodePort, byHand }) => {
  byHand(...nodes.map((node) => `curl --head http://${node.address}:$(kubectl -n ${service.namespace} get service ${service.name} -o jsonpath='{.spec.ports[0].nodePort}')`));

  const wrongAnswers = await nodePort.askEveryNode();

  expect(wrongAnswers, "answers other than 200").toEqual([]);
});

// With two Pods, half of the answers may hide that a Node cannot reach the other half.
test("node-port-every-pod: through every Node, every ready Pod answers", async ({ service, pods, nodes, nodePort, byHand }) => {
  byHand(`kubectl -n ${service.namespace} get endpointslices,pods -o wide`, ...nodes.map((node) => `ssh ${node.name} ip route`));

  const answered = await nodePort.podsBehindEveryNode(pods);

  expect(answered, "Pods that answered, by Node").toEqual(Object.fromEntries(nodes.map((node) => [node.name, pods.map((pod) => pod.where)])));
});
