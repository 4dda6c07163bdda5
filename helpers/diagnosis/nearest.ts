/**
 * Where no rule knows the cause: what in the evidence is most out of the ordinary.
 */
import type { Evidence } from "./model.ts";
import { hostsOf, missedUnitsOf, shortened } from "./reading.ts";

/** One phrase: a unit that does not run, a Node that is not Ready, a warning, a host that does not answer; else that all is well. */
export function nearestEvidence(evidence: Evidence): string {
  const { api, hosts } = evidence;
  const units = hostsOf(evidence).flatMap((host) =>
    missedUnitsOf(evidence, host).map(({ name, active, sub }) => `${name} on ${host} is ${active} (${sub})`),
  );
  const nodes = api.nodes.filter(({ ready }) => ready !== "True").map(({ name, ready }) => `${name}: ${ready}`);
  const pods = api.pods.flatMap(({ name, nodeName, waiting, ended, unscheduled }) =>
    [waiting, ended, unscheduled].filter((said) => said !== "").map((said) => `Pod ${name} on ${nodeName || "no Node"}: ${said}`),
  );
  const warnings = api.events
    .filter(({ reason }) => /Failed|BackOff|Unhealthy|Error/.test(reason))
    .map(({ object, reason, message }) => `${object}: ${reason}, ${message}`);
  const unreachable = Object.entries(hosts).flatMap(([name, host]) => ("unreachable" in host ? [`${name}: ${host.unreachable}`] : []));
  const [nearest] = [...units, ...nodes, ...pods, ...warnings.toReversed(), ...unreachable, ...api.unanswered];
  return shortened(nearest ?? "every unit runs, every Node is Ready, and no Event warns").replaceAll("\n", " ");
}
