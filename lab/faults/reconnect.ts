/**
 * The clients of an API server that was away.
 */
import { healthy } from "../healthy.ts";
import { untilSo, type Lab } from "./fault.ts";

const leaders = ["kube-controller-manager", "kube-scheduler"];

/**
 * Starts them anew, so that they are at work at once: whoever was refused asks again only after half a minute, and a leadership that was
 * lost in between is free only when its Lease has run out. A kubelet that has been started anew may call its Node not Ready for a while,
 * which is waited for.
 */
export async function reconnect(lab: Lab): Promise<void> {
  // As long as the API server is not ready, kubectl fails.
  const areDeleted = () =>
    lab.kubectl("-n", "kube-system", "delete", "lease", "--ignore-not-found", ...leaders).then(
      () => true,
      () => false,
    );
  await lab.on("server", `systemctl stop ${leaders.join(" ")}`);
  await untilSo("the API server deletes the Leases of those that lead", areDeleted, 60_000);
  await lab.on("server", `systemctl start ${leaders.join(" ")}`);
  await Promise.all(lab.instance.topology.workers.map(({ name }) => lab.on(name, "systemctl restart kubelet kube-proxy")));
  await healthy(lab.instance);
}
