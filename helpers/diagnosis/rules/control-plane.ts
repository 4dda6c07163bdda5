/**
 * Units of the guide that do not run, processes that do not move, and controllers that do not do their part.
 */
import { byNodePort, fromRuntime, gettingPods, guide, throughKubelet } from "../checks.ts";
import type { Evidence, Rule } from "../model.ts";
import {
  firstOf,
  flagOf,
  hostsFor,
  hostsOf,
  lacksPods,
  lastComplaint,
  lineOnFirst,
  linesOf,
  livePods,
  missedUnitsOf,
  secondsBehindOthers,
  shortened,
} from "../reading.ts";

type Part = Pick<Rule, "explains" | "guide"> & { unit: string };

const ofKubelet = ["nodes-ready", "pods-spread", ...gettingPods, ...throughKubelet];

/** In the order in which one brings down the next. */
const parts: readonly Part[] = [
  { unit: "etcd", guide: guide.etcd },
  { unit: "kube-apiserver", guide: guide.controlPlane },
  { unit: "containerd", explains: [...ofKubelet, ...fromRuntime], guide: guide.workers },
  { unit: "kubelet", explains: ofKubelet, guide: guide.workers },
  { unit: "kube-controller-manager", explains: [...gettingPods, "service-endpoints"], guide: guide.controlPlane },
  { unit: "kube-scheduler", explains: gettingPods, guide: guide.controlPlane },
  { unit: "kube-proxy", explains: byNodePort, guide: guide.workers },
];

const notRunning = ({ unit, ...common }: Part): Rule => ({
  ...common,
  id: `${unit}-not-running`,
  find: (evidence) =>
    firstOf(hostsFor(evidence, unit), (host) => {
      const found = missedUnitsOf(evidence, host).find(({ name }) => name === unit);
      if (found === undefined) return undefined;
      const { active, sub } = found;
      const state = `systemctl show ${unit}: ActiveState=${active} SubState=${sub}`;
      // Of one that was stopped the journal has only its farewell.
      const complaint = active === "inactive" ? undefined : lastComplaint(evidence, host, unit);
      return {
        what: `${unit} is not running on ${host} (${active})`,
        seen: shortened(`${host}: ${complaint ?? state}`),
        mend: `ssh ${host} systemctl ${active === "inactive" ? "start" : "restart"} ${unit}`,
      };
    }),
});

const suspended = ({ unit, ...common }: Part): Rule => ({
  ...common,
  id: `${unit}-suspended`,
  find: (evidence) =>
    lineOnFirst(
      evidence,
      { hosts: hostsOf(evidence), name: "processes", matches: (line) => new RegExp(`^${unit} \\d+ T`).test(line) },
      (host, line) => {
        const [, pid = ""] = line.split(" ");
        return {
          what: `${unit} on ${host} is suspended: its process ${pid} is in state T, and answers nobody`,
          seen: `${host}: ${line}`,
          mend: `ssh ${host} kill -CONT ${pid}`,
        };
      },
    ),
});

const noSpace: Rule = {
  id: "etcd-no-space",
  guide: guide.etcd,
  find: (evidence, { message }) =>
    firstOf(hostsOf(evidence), (host) => {
      const alarm = linesOf(evidence, host, "etcd").find((line) => line.includes("alarm:NOSPACE"));
      const seen = alarm === undefined ? /.*database space exceeded.*/.exec(message)?.[0] : `${host}: etcdctl alarm list: ${alarm}`;
      if (seen === undefined) return undefined;
      return {
        what: `etcd on ${host} is out of space (NOSPACE), so that it reads but does not write`,
        seen: shortened(seen),
        mend: `ssh ${host} 'etcdctl compact REVISION && etcdctl defrag && etcdctl alarm disarm'  # and start etcd with a larger --quota-backend-bytes`,
      };
    }),
};

export const unitRules: readonly Rule[] = [noSpace, ...parts.flatMap((part) => [notRunning(part), suspended(part)])];

type Controller = { name: string; explains: readonly string[]; does: string };

const controllers: readonly Controller[] = [
  { name: "deployment-controller", explains: gettingPods, does: "Deployments get no ReplicaSet" },
  { name: "replicaset-controller", explains: gettingPods, does: "ReplicaSets get no Pods" },
  { name: "serviceaccount-controller", explains: gettingPods, does: "namespaces get no ServiceAccount" },
  { name: "endpointslice-controller", explains: ["service-endpoints", ...byNodePort], does: "Services get no EndpointSlices" },
];

/** A controller by its name, or by the shorter one that it once had. */
function isOff(flag: string, name: string): boolean {
  const [chosen, names] = [flag.split(","), [name, name.replace(/-controller$/, "")]];
  return names.some((known) => chosen.includes(`-${known}`)) || !["*", ...names].some((known) => chosen.includes(known));
}

const switchedOff = ({ name, explains, does }: Controller): Rule => ({
  id: `${name}-off`,
  explains,
  guide: guide.controlPlane,
  find: (evidence) =>
    firstOf(hostsOf(evidence), (host) => {
      const flag = flagOf(evidence, host, "kube-controller-manager", "controllers");
      if (flag === undefined || !isOff(flag, name)) return undefined;
      return {
        what: `kube-controller-manager on ${host} runs without its ${name}, so that ${does}`,
        seen: `${host}: kube-controller-manager --controllers=${flag}`,
        mend: `take --controllers out of kube-controller-manager.service on ${host}, and restart it`,
      };
    }),
});

const forbidden = ({ name, explains, does }: Controller): Rule => ({
  id: `${name}-forbidden`,
  explains,
  guide: guide.controlPlane,
  find: (evidence) => {
    const account = new RegExp(`User "system:serviceaccount:kube-system:${name.replace("serviceaccount", "service-account")}" cannot`);
    return firstOf(hostsOf(evidence), (host) => {
      const line = linesOf(evidence, host, "journal").findLast((candidate) => account.test(candidate));
      return line === undefined
        ? undefined
        : {
            what: `the ${name} of kube-controller-manager on ${host} has not the rights that it needs, so that ${does}`,
            seen: shortened(`${host}: ${line}`),
            mend: `restart kube-apiserver, which restores the ClusterRoleBinding system:controller:${name}`,
          };
    });
  },
});

type Leader = { unit: string; hasLeftUndone: (evidence: Evidence) => boolean };

/** Whoever reports why it does not get on is at work. */
const leaders: readonly Leader[] = [
  {
    unit: "kube-controller-manager",
    hasLeftUndone: (evidence) =>
      lacksPods(evidence) && !evidence.api.deployment.some((condition) => condition.startsWith("ReplicaFailure=True")),
  },
  {
    unit: "kube-scheduler",
    hasLeftUndone: ({ api }) => livePods(api).some(({ nodeName, unscheduled }) => nodeName === "" && unscheduled === ""),
  },
];

/** A Lease stands still as well where there is no leader election. So it explains only what its component has left undone. */
const silentLeader = ({ unit, hasLeftUndone }: Leader): Rule => ({
  id: `${unit}-silent`,
  explains: gettingPods,
  guide: guide.controlPlane,
  find: (evidence) => {
    const lease = evidence.api.leases.find(({ name }) => name === unit);
    if (lease === undefined || secondsBehindOthers(evidence, lease) < 30 || !hasLeftUndone(evidence)) return undefined;
    const [host = ""] = lease.holder.split("_", 1);
    return {
      what: `${unit} on ${host} has not renewed its Lease for ${lease.secondsSinceRenewal} s: it does not reach the API server`,
      seen: `Lease kube-system/${unit}, held by ${lease.holder}, renewed ${lease.secondsSinceRenewal} s ago`,
      mend: `ssh ${host} journalctl -u ${unit} -n 50`,
    };
  },
});

export const controllerRules: readonly Rule[] = [
  ...controllers.flatMap((controller) => [switchedOff(controller), forbidden(controller)]),
  ...leaders.map(silentLeader),
];
