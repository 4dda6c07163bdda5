import { expect, test } from "../fixtures/index.ts";

// A container that dies and comes back is Ready whenever one looks; only the count tells.
test("no-restarts: no container of the Deployment has restarted during the run", async ({ pods, currentPods, byHand }) => {
  byHand(...pods.map((pod) => `kubectl -n ${pod.namespace} logs --previous ${pod.name}`));

  const restarts = await currentPods.restarts();

  expect(restarts, "restarts of each Pod").toEqual(pods.map((pod) => ({ pod: pod.where, restarts: 0 })));
});
