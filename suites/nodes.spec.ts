import { expect, test } from "../fixtures/index.ts";

// A worker that is not there is no smaller cluster: everything else would pass on the workers that are left.
test("nodes-ready: every worker is registered, Ready, and renews its Lease", async ({ workers, byHand }) => {
  byHand(
    "kubectl get nodes -o wide",
    "kubectl -n kube-node-lease get leases -o custom-columns=NODE:.metadata.name,RENEWED:.spec.renewTime",
  );

  const problems = await workers.problems();

  expect(problems, `workers ${workers.expected}: what is wrong with them`).toEqual([]);
});
