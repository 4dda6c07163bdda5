import { expect, test } from "../fixtures/index.ts";

// A container that dies and comes back is Ready whenever one looks; only the count tells.
test("no-restarts: no container of the Deployment has restarted during the run", async ({ pods, rollout, byHand }) => {
  byHand(...pods.map((pod) => `kubectl -n ${pod.namespace} logs --previous ${pod.name} -c ${pod.container}`));

  const restarts = await rollout.restarts();

  expect(restarts, "restarts, by Pod").toEqual(Object.fromEntries(pods.map(({ name }) => [name, 0])));
});
