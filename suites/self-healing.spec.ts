import { expect, test } from "../fixtures/index.ts";

// A container that dies and comes back is Ready whenever one looks; only the count tells.
test("no-restarts: no container of the Deployment has restarted during the run", async ({ pods, rollout, byHand }) => {
  byHand(...pods.map((pod) => `kubectl -n ${pod.namespace} logs --previous ${pod.name}`));

  const restarts = await rollout.restarts();

  expect(restarts, "restarts, by Pod").toEqual(Object.fromEntries(pods.map(({ name }) => [name, 0])));
});

// Nothing runs beside this check or after it, as all others look at the Pods that were there first.
test(
  "pod-replaced: a deleted Pod is replaced by another, which becomes Ready",
  { concurrent: false },
  async ({ pods, rollout, byHand }) => {
    const [deleted] = pods;
    byHand(`kubectl -n ${deleted.namespace} delete pod ${deleted.name}`, ...rollout.byHand);

    const names = await rollout.replace(deleted);

    expect(names, `ready Pods after the deletion of ${deleted.name}`).toHaveLength(pods.length);
    expect(names, "ready Pods, the deleted one not among them").not.toContain(deleted.name);
  },
);
