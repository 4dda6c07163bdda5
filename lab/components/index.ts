/**
 * Which components make which host.
 */
import type { Instance } from "../instance.ts";
import { cni } from "./cni.ts";
import type { Component, ServerComponent, WorkerComponent } from "./component.ts";
import { containerd } from "./containerd.ts";
import { etcd } from "./etcd.ts";
import { kubeAPIServer } from "./kube-apiserver.ts";
import { kubeControllerManager } from "./kube-controller-manager.ts";
import { kubeProxy } from "./kube-proxy.ts";
import { kubeScheduler } from "./kube-scheduler.ts";
import { kubelet } from "./kubelet.ts";
import { operatingSystem } from "./operating-system.ts";
import { registry } from "./registry.ts";

const serverComponents: readonly ServerComponent[] = [etcd, kubeAPIServer, kubeControllerManager, kubeScheduler, registry];
const workerComponents: readonly WorkerComponent[] = [containerd, cni, kubelet, kubeProxy];

/** The components of every host, by its name. */
export function componentsOf(instance: Instance): ReadonlyMap<string, readonly Component[]> {
  const { server, workers } = instance.topology;
  return new Map([
    [server.name, [operatingSystem(instance, server.name), ...serverComponents.map((component) => component(instance))]] as const,
    ...workers.map(
      (worker) =>
        [
          worker.name,
          [operatingSystem(instance, worker.name), ...workerComponents.map((component) => component(instance, worker))],
        ] as const,
    ),
  ]);
}
