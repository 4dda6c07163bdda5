/**
 * Services: what they select, and what kube-proxy makes of them on every Node.
 */
import { byNodePort, guide } from "../checks.ts";
import { iptablesRule } from "../filters/iptables.ts";
import type { Evidence, Rule } from "../model.ts";
import { appliesTo } from "../filters/conditions.ts";
import { packetToAPI } from "../filters/packets.ts";
import { cutShort, firstOf, flagOf, hostsOf, linesOf, runsOn, section, shortened, workersOf } from "../reading.ts";

const inSlices = ["service-endpoints", ...byNodePort];

/** The run's Pods that the Service selects, as the API has both. */
const selectedOf = ({ api: { service, pods } }: Evidence) =>
  pods.filter(({ labels }) => Object.entries(service?.selector ?? {}).every(([name, value]) => labels[name] === value));

const before: readonly Rule[] = [
  {
    id: "selector-matches-nothing",
    explains: inSlices,
    guide: guide.smokeTest,
    find: (evidence) => {
      const { service, pods } = evidence.api;
      if (service === undefined || pods.length === 0 || selectedOf(evidence).length > 0) return undefined;
      const selector = Object.entries(service.selector)
        .map(([name, value]) => `${name}=${value}`)
        .join(",");
      return {
        what: `the selector of Service nginx, ${selector}, matches none of the Pods`,
        seen: `Pod ${pods[0]?.name}: ${JSON.stringify(pods[0]?.labels)}`,
        mend: "who changes Services? kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations",
      };
    },
  },
  {
    id: "service-keeps-to-one-pod",
    explains: ["node-port-every-pod"],
    guide: guide.smokeTest,
    find: ({ api: { service } }) => {
      if (service?.sessionAffinity !== "ClientIP") return undefined;
      return {
        what: "Service nginx has sessionAffinity ClientIP, so that all that this machine asks is answered by one Pod",
        seen: "Service nginx: sessionAffinity ClientIP, where the run has asked for none",
        mend: "kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations  # who changes Services?",
      };
    },
  },
  {
    id: "endpointslices-missing",
    explains: inSlices,
    // The Pods and the slices are read side by side, and may differ while a Pod comes or goes. A check has waited for the slices to fit.
    saying: /EndpointSlices/,
    guide: guide.controlPlane,
    find: (evidence) => {
      const { service, endpoints } = evidence.api;
      const forgotten = selectedOf(evidence).find(
        ({ ready, isTerminating, podIP }) => ready && !isTerminating && !endpoints.some((endpoint) => endpoint.startsWith(`${podIP}:`)),
      );
      if (service === undefined || forgotten === undefined) return undefined;
      return {
        what: "the EndpointSlices of Service nginx lack ready Pods: the endpointslice-controller of kube-controller-manager is not at work",
        seen: `EndpointSlices: ${endpoints.join(", ") || "none"}; Pod ${forgotten.name} is Ready at ${forgotten.podIP}`,
        mend: `ssh ${evidence.given.server} journalctl -u kube-controller-manager -n 50`,
      };
    },
  },
  {
    id: "service-range-differs",
    explains: ["service-ports"],
    saying: /is not in /,
    guide: guide.controlPlane,
    find: (evidence, { message }) => {
      const host = hostsOf(evidence).find((candidate) => runsOn(evidence, candidate, "kube-apiserver")) ?? evidence.given.server;
      const range = flagOf(evidence, host, "kube-apiserver", "service-cluster-ip-range");
      const [, expected = "another", who = ""] = /is not in ([^']+?), the service range by ([^'.]+)/.exec(message) ?? [];
      const takes =
        range === undefined
          ? "runs without --service-cluster-ip-range, so that it takes ClusterIPs from 10.0.0.0/24"
          : `takes ClusterIPs from ${range}`;
      return {
        what: `kube-apiserver on ${host} ${takes}, where ${expected} is the service range by ${who}`,
        seen: shortened(message.split("\n", 1)[0] ?? ""),
        mend: `--service-cluster-ip-range=${expected} for kube-apiserver on ${host}, or set SMOKE_SERVICE_CIDR right`,
      };
    },
  },
];

const mode = (evidence: Evidence, host: string): string => linesOf(evidence, host, "kube-proxy-health").at(-1) ?? "";

/**
 * Whether the rules of kube-proxy can be seen: in these modes, and where the host itself has programs that look at the tables kube-proxy
 * writes to. One that comes in an image brings its own, and iptables has two kinds of tables. One that has never come so far tells no mode.
 */
const isSeen = (evidence: Evidence, host: string): boolean =>
  mode(evidence, host) === "nftables"
    ? section(evidence, host, "kube-proxy-table").includes("kube-proxy")
    : ["iptables", ""].includes(mode(evidence, host)) && section(evidence, host, "filters").includes("KUBE-");

/** kube-proxy runs, and has not made a rule for the NodePort. */
const lacksRule = (evidence: Evidence, host: string): boolean =>
  runsOn(evidence, host, "kube-proxy") &&
  evidence.api.endpoints.length > 0 &&
  isSeen(evidence, host) &&
  section(evidence, host, "node-port-rules") === "";

/** The rule by which a host may drop what goes to the API server; who of its programs may send is not looked into. */
const cutsOff = (evidence: Evidence, host: string): string | undefined =>
  linesOf(evidence, host, "filters").find((line) => {
    const rule = iptablesRule(line);
    if (rule?.chain !== "OUTPUT" || rule.verdict !== "drop" || !line.includes(" --dport")) return false;
    return appliesTo(rule, packetToAPI(evidence, host)) !== false;
  });

const after: readonly Rule[] = [
  {
    id: "kube-proxy-chains-bypassed",
    explains: byNodePort,
    guide: guide.workers,
    find: (evidence) =>
      firstOf(workersOf(evidence), (host) => {
        const filters = linesOf(evidence, host, "filters");
        const reaches = filters.some((line) => line.startsWith("nat -A PREROUTING ") && line.includes("KUBE-SERVICES"));
        if (mode(evidence, host) !== "iptables" || !isSeen(evidence, host) || reaches) return undefined;
        if (!filters.some((line) => line.startsWith("nat :PREROUTING")) || filters.includes(cutShort)) return undefined;
        return {
          what: `on ${host} nothing leads into kube-proxy's rules: PREROUTING of the table nat has no jump to KUBE-SERVICES`,
          seen: `${host}: iptables-save: ${filters.filter((line) => line.startsWith("nat ") && line.includes("PREROUTING")).join("; ")}`,
          mend: `ssh ${host} systemctl restart kube-proxy`,
        };
      }),
  },
  {
    id: "kube-proxy-cut-off",
    explains: byNodePort,
    guide: guide.workers,
    find: (evidence) =>
      firstOf(workersOf(evidence), (host) => {
        if (!lacksRule(evidence, host)) return undefined;
        const journal = linesOf(evidence, host, "journal").filter((line) => line.startsWith("kube-proxy: "));
        const said =
          cutsOff(evidence, host) ?? journal.findLast((line) => /dial tcp|connection (refused|lost)|timeout|Unauthorized/i.test(line));
        if (said === undefined) return undefined;
        return {
          what: `kube-proxy on ${host} runs, but is cut off from the API server, and does not know the Service`,
          seen: shortened(`${host}: ${said}`),
          mend: `ssh ${host} curl --insecure $(grep -o 'https://.*' /var/lib/kube-proxy/kubeconfig)/readyz  # then restart kube-proxy`,
        };
      }),
  },
  {
    id: "node-port-without-rule",
    explains: byNodePort,
    guide: guide.workers,
    find: (evidence) =>
      firstOf(workersOf(evidence), (host) =>
        lacksRule(evidence, host)
          ? {
              what: `kube-proxy on ${host} runs, but has made no rule for NodePort ${evidence.api.service?.nodePort}`,
              seen: `${host}: iptables-save -t nat: no line with --dport ${evidence.api.service?.nodePort}`,
              mend: `ssh ${host} systemctl restart kube-proxy`,
            }
          : undefined,
      ),
  },
  {
    id: "node-port-firewalled",
    explains: byNodePort,
    saying: /so the path from here is broken/,
    guide: guide.smokeTest,
    find: ({ api }, { message }) => {
      const line = message.split("\n").find((candidate) => candidate.includes("so the path from here is broken")) ?? message;
      const host = /([\w.-]+): (?:GET|HEAD) /.exec(line)?.[1] ?? "a Node";
      return {
        what: `something between this machine and ${host} stops NodePort ${api.service?.nodePort ?? ""}: ${host} itself gets every answer`,
        seen: shortened(line),
        mend: `open the NodePorts in the firewall in front of ${host}, or set its address right in SMOKE_HOSTS`,
      };
    },
  },
];

export const serviceRules = { before, after };
