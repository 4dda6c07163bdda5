/**
 * Services that lead nowhere, or elsewhere.
 */
import { byNodePort } from "../../helpers/diagnosis/checks.ts";
import { bindingOf, mutatingPolicy, objectsThere, podsCreated } from "./api-objects.ts";
import { controllerNotRunning } from "./control-plane.ts";
import { isSo, unitStopped, untilSo, type Fault, type Lab } from "./fault.ts";
import { otherServer } from "./other-server.ts";
import { ruleOf } from "./pod-network.ts";
import { onlyAnswering, unansweredThrough, heardThrough } from "./symptoms.ts";
import { dropServiceRange, restoreServiceRange, takesClusterIP } from "./service-range.ts";

const onNodePorts = "-p tcp --dport 30000:32767";

/** Everything that kube-proxy on node-1 sends is known by its group. */
const group = "proxy";
const dropIn = "/run/systemd/system/kube-proxy.service.d";
const cutOff = ruleOf("node-1", "filter", "OUTPUT", `-p tcp --dport 6443 -m owner --gid-owner ${group} -j DROP`);
const askAsKubeProxy = `setpriv --regid=${group} --clear-groups curl --silent --insecure --max-time 2 https://server.kubernetes.local:6443/version`;
const kubeProxyRestarted = (lab: Lab, change: string): Promise<string> =>
  lab.on("node-1", `${change} && systemctl daemon-reload && systemctl restart kube-proxy`);

const hasJump = "iptables -w -t nat -S PREROUTING | grep -q KUBE-SERVICES";
const kubeProxyAtWork = (lab: Lab): Promise<void> => untilSo("kube-proxy to write its rules on node-1", () => isSo(lab, "node-1", hasJump));

const foreignPort = 8080;
const otherAnswers = `curl --silent --head http://127.0.0.1:${foreignPort} | grep -q other-server`;
const redirect = ruleOf("node-1", "nat", "PREROUTING", `${onNodePorts} -j REDIRECT --to-ports ${foreignPort}`);

/**
 * A rule of nat is asked once a connection: what it leads to an address that nobody has is lost. A packet that is dropped would only be
 * sent again, and three times in as many seconds.
 */
const losing = ({ instance }: Lab) => {
  const nobody = instance.topology.gateway.replace(/\.1$/, ".250");
  return ruleOf(
    "node-1",
    "nat",
    "PREROUTING",
    `${onNodePorts} -m statistic --mode random --probability 0.3 -j DNAT --to-destination ${nobody}`,
  );
};

const servicesCreated = { ...podsCreated, resources: ["services"] };
/** What the API server makes of a Service, without keeping it. */
const tryService = (lab: Lab, jsonpath: string): Promise<string> =>
  lab.kubectl("create", "service", "nodeport", "tried", "--tcp=80", "--dry-run=server", `--output=jsonpath=${jsonpath}`);

const keepingToOnePod = {
  patchType: "JSONPatch",
  jsonPatch: {
    expression:
      `[JSONPatch{op: "add", path: "/spec/sessionAffinity", value: "ClientIP"}, ` +
      `JSONPatch{op: "add", path: "/spec/sessionAffinityConfig", value: {"clientIP": {"timeoutSeconds": 10800}}}]`,
  },
};

const noEndpoints = /EndpointSlices of Service nginx: expected \[\] to deeply equal \[ '10\.200\.\d\.\d+:80'/;

export const services: readonly Fault[] = [
  unitStopped("node-1", "kube-proxy", {
    fails: byNodePort,
    inconclusive: [],
    because: onlyAnswering("node-1", []),
    cause: /^Cause: kube-proxy is not running on node-1/,
  }),
  {
    name: "kube-proxy-cut-off-on-node-1",
    state: "kube-proxy runs on node-1, and nothing that it sends reaches the API server",
    inject: async (lab) => {
      await kubeProxyRestarted(lab, `mkdir -p ${dropIn} && printf '[Service]\\nGroup=${group}\\n' > ${dropIn}/group.conf`);
      await kubeProxyAtWork(lab);
      await cutOff.inject(lab);
    },
    heal: async (lab) => {
      await cutOff.heal(lab);
      await kubeProxyRestarted(lab, `rm -r ${dropIn}`);
      await kubeProxyAtWork(lab);
    },
    holds: (lab) => isSo(lab, "node-1", `systemctl is-active --quiet kube-proxy && ! ${askAsKubeProxy} >/dev/null`),
    fails: byNodePort,
    inconclusive: [],
    because: onlyAnswering("node-1", []),
    cause: /^Cause: kube-proxy on node-1 runs, but is cut off from the API server/,
  },
  {
    name: "kube-services-chain-unused-on-node-1",
    state: "nothing that comes in on node-1 is handed to kube-proxy's chains, because nat PREROUTING was flushed",
    inject: (lab) => lab.on("node-1", "iptables -w -t nat -F PREROUTING"),
    heal: async (lab) => {
      await lab.on("node-1", "systemctl restart kube-proxy");
      await kubeProxyAtWork(lab);
    },
    holds: (lab) => isSo(lab, "node-1", `! ${hasJump}`),
    fails: byNodePort,
    inconclusive: [],
    because: onlyAnswering("node-1", []),
    cause: /^Cause: on node-1 nothing leads into kube-proxy's rules/,
  },
  {
    name: "connections-lost-on-node-1",
    state: "of the connections that come in for NodePorts on node-1, 30 % are led to an address that nobody has",
    inject: (lab) => losing(lab).inject(lab),
    heal: (lab) => losing(lab).heal(lab),
    holds: (lab) => losing(lab).holds(lab),
    // Every Pod still answers some. That of the 32 requests to a Node none is lost happens once in 90 000 runs: 0.7 to the 32nd.
    fails: ["node-port-answers"],
    inconclusive: [],
    because: unansweredThrough("node-1"),
    cause: /^Cause: a rule on node-1 loses connections at random, 30 % of them/,
  },
  {
    name: "foreign-server-answers-on-node-1",
    state: "what comes in for NodePorts on node-1 is answered there, by another server, with 200",
    inject: async (lab) => {
      const perl = `cat > /run/other-server.pl <<'END' && systemd-run --quiet --collect --unit=other-server perl /run/other-server.pl ${foreignPort}`;
      await lab.on("node-1", `${perl}\n${otherServer}\nEND\n`);
      await untilSo("the other server to listen", () => isSo(lab, "node-1", otherAnswers));
      await redirect.inject(lab);
    },
    heal: async (lab) => {
      await redirect.heal(lab);
      await lab.on("node-1", "systemctl stop other-server && rm /run/other-server.pl");
    },
    holds: async (lab) => (await redirect.holds(lab)) && isSo(lab, "node-1", otherAnswers),
    fails: byNodePort,
    inconclusive: [],
    because: {
      "node-port-answers": unansweredThrough("node-1", "200 from other-server"),
      "node-port-every-pod": heardThrough("node-1", []),
    },
    cause: /^Cause: a rule on node-1 hands what comes in for the NodePort to another process/,
  },
  {
    name: "service-range-absent",
    state: "kube-apiserver runs without --service-cluster-ip-range, as the guide has it, and takes ClusterIPs from 10.0.0.0/24",
    inject: async (lab) => {
      await dropServiceRange(lab);
      await untilSo("the API server to take an address of its own", () => takesClusterIP(lab, "10.0.0.1"));
    },
    heal: restoreServiceRange,
    holds: (lab) => takesClusterIP(lab, "10.0.0.1"),
    fails: ["service-ports"],
    inconclusive: [],
    because: /10\.0\.0\.\d+ is not in 10\.32\.0\.0\/24, the service range by SMOKE_SERVICE_CIDR/,
    cause: /^Cause: kube-apiserver on server runs without --service-cluster-ip-range/,
  },
  {
    name: "selector-matches-nothing",
    state: "the Service is stored with a selector that no Pod has",
    ...objectsThere(
      [
        mutatingPolicy(
          "selector-matches-nothing",
          { "/spec/selector": { app: "nobody" } },
          { matchConstraints: { resourceRules: [servicesCreated] } },
        ),
        bindingOf("selector-matches-nothing"),
      ],
      async (lab) => (await tryService(lab, "{.spec.selector.app}")) === "nobody",
    ),
    fails: ["service-endpoints"],
    inconclusive: byNodePort,
    because: noEndpoints,
    cause: /^Cause: the selector of Service nginx, app=nobody, matches none of the Pods/,
  },
  {
    name: "service-keeps-to-one-pod",
    state: "the Service is stored with sessionAffinity ClientIP, so that all that one machine asks is answered by one Pod",
    ...objectsThere(
      [
        mutatingPolicy(
          "service-keeps-to-one-pod",
          {},
          { matchConstraints: { resourceRules: [servicesCreated] }, mutations: [keepingToOnePod] },
        ),
        bindingOf("service-keeps-to-one-pod"),
      ],
      async (lab) => (await tryService(lab, "{.spec.sessionAffinity}")) === "ClientIP",
    ),
    fails: ["node-port-every-pod"],
    inconclusive: [],
    because: /by Node: expected \{ 'node-0': \[ '[^']+' \], 'node-1': \[ '[^']+' \] \} to deeply equal/,
    cause: /^Cause: Service nginx has sessionAffinity ClientIP/,
  },
  {
    ...controllerNotRunning("endpointslice-controller", {
      fails: ["service-endpoints"],
      inconclusive: byNodePort,
      because: noEndpoints,
    }),
    cause: /^Cause: kube-controller-manager on server runs without its endpointslice-controller/,
  },
];
